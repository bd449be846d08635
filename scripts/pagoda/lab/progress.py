# SPDX-License-Identifier: MIT
"""What is missing in this tree, and what the last grading of each lab found."""
import json
import os

from ..build import ROOT
from . import marks

RESULTS = os.path.join("build", "labs")


def missing(lab, root=ROOT):
    """(step, path, line, title) of each place of @lab that still holds its stub."""
    titles = {step.number: step.title for step in lab.steps}
    found = []
    for path in lab.files:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text = file.read()
        for region in marks.regions(text, path):
            if region.lab == lab.name and region.is_missing:
                found.append((region.step, path, region.first + 2,
                              titles.get(region.step, "")))
    return sorted(found)


def print_todo(labs):
    """`make todo`: one line for each place; returns how many there are."""
    count = 0
    for lab in labs:
        for step, path, line, title in missing(lab):
            print(f"{lab.name:10} step {step}  {path}:{line}: {title}")
            count += 1
    print(f"{count} places to write" if count else "nothing is missing")
    return count


def last_result(lab):
    """What the last grading of @lab in this tree wrote, or None."""
    path = os.path.join(ROOT, RESULTS, lab.name, "grade.json")
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def print_status(labs):
    """Steps written and points reached, lab by lab, item by item."""
    for lab in labs:
        left = {step for step, _, _, _ in missing(lab)}
        written = len(lab.steps) - len(left)
        result = last_result(lab)
        points = f"{result['points']:g} of {lab.points:g} points" if result else "not graded yet"
        print(f"{lab.name}: {lab.title}; {written} of {len(lab.steps)} steps written, {points}")
        reached = {item["id"]: item["points"] for item in result["items"]} if result else {}
        for item in lab.items:
            mark = f"{reached[item.id]:5.1f}" if item.id in reached else "    -"
            print(f"    {mark} / {item.points:g}  {item.id}: {item.title}")
