# SPDX-License-Identifier: MIT
"""Regions of a source that belong to a lab.

      /* lab buddy: begin 1 */                                 step 1 of the lab
      ... the solution ...
      /* lab buddy: stub lab_missing("buddy", 1, page); */     what stands there without it
      /* lab buddy: end */

Each mark is a line of its own. A region may have several stub lines, or none: then it is empty in
the student's edition. Regions do not nest. A student's edition keeps `begin` and `end`, so that
one lab's solution can still be put in, and what is missing can be listed.
"""
import re
from dataclasses import dataclass, field

MARK = re.compile(r"^(\s*)(?:/\*|#|//) lab ([a-z0-9]+): (begin (\d+)|end|stub (.*?))(?: \*/)?$")
MISSING = "lab_missing("


class Bad(Exception):
    """The marks of a file make no sense; the message says where."""


@dataclass
class Region:
    """Lines [first, last] of a file, both marks included, counted from 0."""
    lab: str
    step: int
    first: int
    last: int = -1
    stub: list = field(default_factory=list)  # lines, indented as their marks were
    body: list = field(default_factory=list)  # lines between the marks, stubs left out

    @property
    def is_missing(self):
        """A stub stands here and no solution."""
        return any(MISSING in line for line in self.body)


def regions(text, path="the file"):
    """All regions of a source, in order."""
    found, open_one = [], None
    for number, line in enumerate(text.split("\n")):
        match = MARK.match(line)
        if not match:
            if open_one:
                open_one.body.append(line)
            continue
        indent, lab, what, step, stub = match.groups()
        where = f"{path}:{number + 1}"
        if what.startswith("begin"):
            if open_one:
                raise Bad(f"{where}: lab {lab} begins inside of lab {open_one.lab}")
            open_one = Region(lab, int(step), number)
            continue
        if not open_one or open_one.lab != lab:
            raise Bad(f"{where}: '{what.split()[0]}' of lab {lab}, which has not begun")
        if what == "end":
            open_one.last = number
            found.append(open_one)
            open_one = None
        else:
            open_one.stub.append(indent + stub)
    if open_one:
        raise Bad(f"{path}:{open_one.first + 1}: lab {open_one.lab} has no end")
    return found


def replace(text, wanted, new_body):
    """@text with the bodies of the regions that @wanted(region) chooses replaced."""
    lines, out, at = text.split("\n"), [], 0
    for region in regions(text):
        if not wanted(region):
            continue
        out += lines[at:region.first + 1] + new_body(region)
        at = region.last
    return "\n".join(out + lines[at:])


def without_solutions(text, labs):
    """The student's edition of a source: the regions of @labs hold their stubs."""
    return replace(text, lambda region: region.lab in labs, lambda region: region.stub)


def without_marks(text, labs):
    """The marks of all labs but @labs taken out: what else there is to learn stays unmarked."""
    others = [r for r in regions(text) if r.lab not in labs]
    lines = text.split("\n")
    drop = set()
    for region in others:
        drop |= {i for i in range(region.first, region.last + 1) if MARK.match(lines[i])}
    return "\n".join(line for i, line in enumerate(lines) if i not in drop)


def with_solution(text, reference, lab):
    """@text, a student's, with the regions of @lab filled from @reference.

    Raises Bad when the student's marks are not those of the reference any more.
    """
    source = [r for r in regions(reference) if r.lab == lab]
    target = [r for r in regions(text) if r.lab == lab]
    if [r.step for r in source] != [r.step for r in target]:
        raise Bad(f"the marks of lab {lab} are not where the reference has them")
    bodies = iter(source)
    return replace(text, lambda region: region.lab == lab, lambda _: next(bodies).body)
