# SPDX-License-Identifier: MIT
"""A class at once: every submission of a folder graded, in parallel, each for itself.

      OUT/NAME/results.json, junit.xml, LAB/grade.json, feedback.txt      one student
      OUT/grades.csv, index.html                                          all
      OUT/jobs.log                                                        GNU parallel's

GNU parallel runs `scripts/lab grade-one` for each; what has a results.json that is newer than the
submission is not graded again, so a run that was stopped goes on where it was. With --sshlogin the
other machines need this tree, and both folders, at the same paths.
"""
import contextlib
import csv
import io
import json
import os
import shlex
import shutil
import subprocess
import tempfile

from ..build import ROOT
from ..machine import Wrong
from . import page, report, unpack
from .evidence import Grade, Outcome
from .grade import grade
from .screen import Refused

RESULT = "results.json"
ONE_MOST = 1800  # seconds for one submission, whatever it does


def refused_grade(lab, reason):
    """The grade of what could not be looked at."""
    return Grade(lab.name, lab.title, 0,
                 [Outcome(i.id, i.title, i.paragraph, i.points) for i in lab.items], reason)


def feedback(grades):
    """What a student is told."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        for one in grades:
            report.print_grade(one)
            print()
    return out.getvalue()


def grade_one(chosen, path, directory, seed=None):
    """Grade one submission and write everything about it below @directory."""
    grades = []
    with tempfile.TemporaryDirectory(prefix="pagoda-handed-in-") as folder:
        try:
            unpack.collect(path, [f for lab in chosen for f in lab.files], folder)
            for lab in chosen:
                grades.append(grade(lab, folder, seed))
        except Refused as refused:
            grades = [refused_grade(lab, str(refused)) for lab in chosen]
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "feedback.txt"), "w", encoding="utf-8") as file:
        file.write(feedback(grades))
    report.write_all(grades, directory)
    return grades


def is_done(path, directory):
    """Was this submission graded, and not handed in again since?"""
    result = os.path.join(directory, RESULT)
    return os.path.exists(result) and os.path.getmtime(result) >= os.path.getmtime(path)


def run_parallel(labs, todo, options):
    """Grade the submissions @todo, {name: path}, by GNU parallel."""
    if not shutil.which("parallel"):
        raise Wrong("GNU parallel is missing; apt-get install parallel")
    words = ["parallel", "--jobs", str(options.jobs), "--joblog",
             os.path.join(options.out, "jobs.log"), "--timeout", str(ONE_MOST), "--null",
             "--max-args", "2"]
    words += ["--bar"] if os.isatty(2) else []
    for login in options.sshlogin:
        words += ["--sshlogin", login]
    command = [os.path.join(ROOT, "scripts", "lab"), "grade-one", options.labs]
    command += ["--seed", str(options.seed)] if options.seed is not None else []
    words.append(shlex.join(command) + " {1} --out {2}")
    pairs = "".join(f"{os.path.abspath(path)}\0{os.path.abspath(os.path.join(options.out, name))}\0"
                    for name, path in todo.items())
    log = os.path.join(options.out, "output.log")
    with open(log, "w", encoding="utf-8") as output:
        subprocess.run(words, input=pairs, text=True, stdout=output, check=False,
                       env=dict(os.environ, PARALLEL_SHELL="/bin/sh"))


def collect_results(names, labs, directory):
    """{name: {lab: what grade.json says}}; what left no result gets no points, and says so."""
    found = {}
    for name in names:
        found[name] = {}
        for lab in labs:
            try:
                with open(os.path.join(directory, name, lab.name, "grade.json"),
                          encoding="utf-8") as file:
                    found[name][lab.name] = json.load(file)
            except (OSError, ValueError):
                found[name][lab.name] = refused_grade(
                    lab, "the grading did not come to an end").describe()
    return found


def write_csv(results, labs, path):
    """One line a student: points altogether, then by item."""
    items = [(lab.name, item.id) for lab in labs for item in lab.items]
    with open(path, "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["student", "points", *[f"{lab}.{item}" for lab, item in items], "note"])
        for name, by_lab in results.items():
            points = {(lab, i["id"]): i["points"] for lab, r in by_lab.items()
                      for i in r["items"]}
            note = " ".join(r["refused"].split("\n")[0] for r in by_lab.values())
            out.writerow([name, f"{sum(points.values()):g}",
                          *[f"{points.get(key, 0):g}" for key in items], note.strip()])


def grade_all(chosen, options):
    """Grade a folder; returns how many submissions there are."""
    everything = unpack.submissions(options.folder)
    if not everything:
        raise Wrong(f"{options.folder}: no folder or archive in it")
    os.makedirs(options.out, exist_ok=True)
    todo = {name: path for name, path in everything.items()
            if not is_done(path, os.path.join(options.out, name))}
    print(f"{len(everything)} submissions, {len(todo)} to grade", flush=True)
    if todo:
        run_parallel(chosen, todo, options)
    results = collect_results(everything, chosen, options.out)
    write_csv(results, chosen, os.path.join(options.out, "grades.csv"))
    with open(os.path.join(options.out, "index.html"), "w", encoding="utf-8") as file:
        file.write(page.html_page(results, chosen))
    print(f"{options.out}: grades.csv, index.html, and feedback.txt for each")
    return len(everything)
