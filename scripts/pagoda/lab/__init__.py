# SPDX-License-Identifier: MIT
"""The labs: two editions of one source, and the grader.

    marks      the marked regions in the sources: parse, replace by stubs, put solutions in
    manifest   docs/labs/NN-name/lab.toml: a lab's files, items, machines, thresholds
    export     a student edition of the tree
    progress   what is missing, what was reached
    command    scripts/lab, its words
"""
