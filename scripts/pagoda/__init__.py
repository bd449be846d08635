# SPDX-License-Identifier: MIT
"""The parts of scripts/run.

    options      words of the command line      -> Options
    machine      nodes, harts, memory ranges    -> Machine
    build        make, and where its results are
    devicetree   QEMU's own tree, rewritten so that it tells of that Machine
    archive      guests and the batch           -> a cpio archive of whole pages
    qemu         the emulator's command line
    session      the running emulator: bytes in, bytes out, how it ended
    batch        commands for the monitor, and its records about them
    launcher     all of them in order
"""
