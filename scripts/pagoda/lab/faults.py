# SPDX-License-Identifier: MIT
"""Graders graded: faulty solutions lose points where they should, others lose none.

      tests/labs/NN-name/faults/*.patch     a mistake each; its head names the item meant for it
      tests/labs/NN-name/others/NAME/       correct solutions of another structure

A patch begins with two lines, `Item: merge` and `Mistake: what a student did`.
"""
import glob
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass

from ..build import ROOT
from ..machine import Wrong
from . import export, marks
from .grade import grade

TABLE = os.path.join("docs", "labs", "grading.md")
SEED = 1


@dataclass
class Fault:
    name: str
    item: str
    mistake: str
    path: str


def load_faults(lab):
    """The faults of a lab, by name."""
    found = []
    for path in sorted(glob.glob(os.path.join(ROOT, lab.tests, "faults", "*.patch"))):
        with open(path, encoding="utf-8") as file:
            match = re.match(r"Item: (\S+)\nMistake: (.+)\n", file.read())
        if not match or match.group(1) not in {item.id for item in lab.items}:
            raise Wrong(f"{path}: its head names no item of lab {lab.name}")
        found.append(Fault(os.path.basename(path)[:-6], match.group(1), match.group(2), path))
    return found


def other_solutions(lab):
    """Folders of correct solutions that are not the reference."""
    return sorted(glob.glob(os.path.join(ROOT, lab.tests, "others", "*")))


class Submission:
    """
    A folder with a lab's files as handed in. Use it in a `with`. @patch is put on the solution;
    @stub: nothing was written; @last: only the steps up to that one.
    """

    def __init__(self, lab, patch=None, stub=False, last=None):
        self.lab, self.patch, self.stub, self.last = lab, patch, stub, last

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="pagoda-handed-in-")
        for path in self.lab.files:
            target = os.path.join(self.folder, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if self.stub:
                export.copy_file(path, {self.lab.name}, self.folder)
            elif self.last is not None:
                with open(os.path.join(ROOT, path), encoding="utf-8") as file, \
                        open(target, "w", encoding="utf-8") as out:
                    out.write(export.with_include(path, marks.replace(
                        file.read(), lambda r: r.step > self.last, lambda r: r.stub)))
            else:
                shutil.copy(os.path.join(ROOT, path), target)
        if self.patch:
            done = subprocess.run(["patch", "-s", "-p1", "-d", self.folder, "-i", self.patch],
                                  capture_output=True, text=True, check=False)
            if done.returncode:
                raise Wrong(f"{self.patch} does not apply:\n{done.stdout}")
        return self.folder

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)


def judge_fault(lab, fault, progress=lambda text: None):
    """(fault, points, most): what a faulty solution gets in the item meant for it."""
    with Submission(lab, patch=fault.path) as folder:
        result = grade(lab, folder, SEED, progress=progress, items={fault.item})
    if result.refused:
        raise Wrong(f"{fault.path}: {result.refused}")
    outcome = next(o for o in result.outcomes if o.id == fault.item)
    return fault, outcome.points, outcome.most


def section(lab, rows):
    """A lab's part of the table."""
    lines = [f"<!-- {lab.name}: begin -->", f"## {lab.title}", "",
             "| mistake | item | it gets |", "|---|---|--:|"]
    lines += [f"| {fault.mistake} | {fault.item} | {points:g} of {most:g} |"
              for fault, points, most in rows]
    return "\n".join(lines + ["", f"<!-- {lab.name}: end -->"])


def write_section(lab, rows):
    """Put a lab's part into docs/labs/grading.md, in its place or at the end."""
    path = os.path.join(ROOT, TABLE)
    with open(path, encoding="utf-8") as file:
        page = file.read()
    text = section(lab, rows)
    pattern = re.compile(rf"<!-- {lab.name}: begin -->.*<!-- {lab.name}: end -->", re.DOTALL)
    page = pattern.sub(lambda _: text, page) if pattern.search(page) else \
        page.rstrip() + "\n\n" + text + "\n"
    with open(path, "w", encoding="utf-8") as file:
        file.write(page)
