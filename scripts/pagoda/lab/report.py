# SPDX-License-Identifier: MIT
"""A grade told: to a terminal, as JUnit XML, as Gradescope's results.json, as our own JSON."""
import json
import os
import sys
import textwrap
from xml.etree import ElementTree

WIDTH = 96


def colour(text, code):
    return f"\x1b[{code}m{text}\x1b[0m" if sys.stdout.isatty() else text


def failure_text(outcome, evidence):
    """What was expected, what happened, what it breaks; plain lines."""
    lines = []
    if evidence.expected or evidence.got:
        lines.append(f"expected {evidence.expected or '-'}, got {evidence.got or '-'}")
    lines += evidence.text.splitlines()
    lines.append(f"breaks: {evidence.why or outcome.title} (handout, {outcome.paragraph})")
    return lines


def print_outcomes(grade, outcomes, mark, verbose):
    """What was found of @outcomes; mark(outcome) stands in front of each."""
    print(f"{grade.lab}: {grade.title} (seed {grade.seed}, {grade.seconds:.0f} s)")
    if grade.refused:
        print(textwrap.indent(colour("not run: ", 31) + grade.refused, "    "))
    for outcome in outcomes:
        full = all(e.ok for e in outcome.evidence)
        print(f"  {colour(f'{mark(outcome):>12}', 32 if full else 31)}  "
              f"{outcome.id}: {outcome.title}")
        for evidence in outcome.evidence:
            if verbose:
                print(f"{'':14}{'ok' if evidence.ok else 'not ok'} {evidence.name}")
                print(textwrap.indent(evidence.output.rstrip(), " " * 18))
            if not evidence.ok and not grade.refused:
                print(f"{'':14}{colour(evidence.name, 31)}")
                for line in failure_text(outcome, evidence):
                    print(f"{'':18}{line}")


def print_grade(grade, verbose=False):
    """The summary at a terminal."""
    print_outcomes(grade, grade.outcomes, lambda o: f"{o.points:.1f} / {o.most:g}", verbose)
    print(f"  {grade.points:g} of {grade.most:g} points")


def print_part(grade, verbose=False):
    """The same of some tests: how many passed. They earn no points."""
    ran = [o for o in grade.outcomes if o.evidence]
    print_outcomes(grade, ran, lambda o: f"{sum(e.ok for e in o.evidence)} of {len(o.evidence)}",
                   verbose)
    evidence = [e for o in ran for e in o.evidence]
    print(f"  {sum(e.ok for e in evidence)} of {len(evidence)} tests passed; "
          "points are given when all are run")


def junit(grades):
    """The grades as an XML tree: a suite a lab, a case an evidence."""
    root = ElementTree.Element("testsuites")
    for grade in grades:
        cases = [(o, e) for o in grade.outcomes for e in o.evidence]
        suite = ElementTree.SubElement(
            root, "testsuite", name=grade.lab, tests=str(len(cases)),
            failures=str(sum(not e.ok for _, e in cases)), time=f"{grade.seconds:.1f}")
        for outcome, evidence in cases:
            case = ElementTree.SubElement(suite, "testcase", name=evidence.name,
                                          classname=f"{grade.lab}.{outcome.id}")
            if not evidence.ok:
                text = grade.refused or "\n".join(failure_text(outcome, evidence))
                failure = ElementTree.SubElement(case, "failure", message=text.split("\n")[0])
                failure.text = "".join(c if c >= " " or c == "\n" else "?" for c in text)
    return root


def gradescope(grades):
    """The grades as Gradescope reads them: a test an item."""
    tests = []
    for grade in grades:
        for outcome in grade.outcomes:
            lines = [grade.refused] if grade.refused else []
            for evidence in outcome.evidence:
                lines.append(f"{'ok' if evidence.ok else 'not ok'} {evidence.name}")
                if not evidence.ok and not grade.refused:
                    lines += ["    " + line for line in failure_text(outcome, evidence)]
            tests.append({"name": f"{grade.lab}: {outcome.title}", "score": outcome.points,
                          "max_score": outcome.most, "number": f"{grade.lab}.{outcome.id}",
                          "output": "\n".join(lines), "visibility": "visible"})
    return {"score": round(sum(g.points for g in grades), 2),
            "execution_time": round(sum(g.seconds for g in grades)),
            "stdout_visibility": "hidden", "tests": tests}


def write_all(grades, directory):
    """grade.json of each lab, junit.xml and results.json, into @directory."""
    os.makedirs(directory, exist_ok=True)
    for grade in grades:
        folder = os.path.join(directory, grade.lab)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "grade.json"), "w", encoding="utf-8") as file:
            json.dump(grade.describe(), file, indent=1)
    tree = ElementTree.ElementTree(junit(grades))
    tree.write(os.path.join(directory, "junit.xml"), encoding="utf-8", xml_declaration=True)
    with open(os.path.join(directory, "results.json"), "w", encoding="utf-8") as file:
        json.dump(gradescope(grades), file, indent=1)
