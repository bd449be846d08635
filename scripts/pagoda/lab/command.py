# SPDX-License-Identifier: MIT
"""scripts/lab: its words, and what each does."""
import argparse
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

from ..machine import Wrong
from ..build import ROOT
from . import export, faults, frames, gradeall, progress, report
from .grade import grade, has_any, worst
from .manifest import choose, load_labs
from .work import prepare_base


def say(message):
    print(f"scripts/lab: {message}", file=sys.stderr)


def run_list(options, labs):
    for lab in labs.values():
        number = lab.directory.rsplit("/", 1)[-1].split("-")[0]
        needs = f"; after {', '.join(lab.needs)}" if lab.needs else ""
        print(f"{number} {lab.name:12} {lab.title} ({lab.hours[0]}-{lab.hours[1]} h{needs})")
    return 0


def run_export(options, labs):
    chosen = choose("all" if options.all else options.labs or "", labs)
    export.export(chosen, options.out)
    print(f"{options.out}: {', '.join(lab.name for lab in chosen)}; begin with 'make todo' there")
    return 0


def run_todo(options, labs):
    progress.print_todo(choose(options.labs, labs))
    return 0


def run_status(options, labs):
    progress.print_status(choose(options.labs, labs))
    return 0


def run_solution(options, labs):
    for lab in choose(options.name, labs):
        for path in export.put_solution(lab, options.into):
            print(f"{lab.name}: {path}")
    return 0


def show_progress(text):
    """What is being done, on a terminal's last line."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}" if text else "\r\x1b[K", end="", file=sys.stderr, flush=True)


def run_grade(options, labs):
    chosen = [lab for lab in choose(options.labs, labs) if has_any(lab, options.only)]
    if not chosen:
        raise Wrong(f"no test has '{options.only}' in its name; 'scripts/lab status' lists items")
    submission = os.path.abspath(options.submission)
    if not os.path.isdir(submission):
        raise Wrong(f"{options.submission} is no folder")
    if not options.prepared:
        show_progress("building what is trusted")
        prepare_base(chosen)
    grades = []
    for lab in chosen:
        seeds = [options.seed] if options.repeat == 1 else \
            [(options.seed or 0) + i for i in range(options.repeat)]
        grades.append(worst([grade(lab, submission, seed, options.only,
                                   lambda text, name=lab.name: show_progress(f"{name}: {text}"))
                             for seed in seeds]))
        show_progress("")
        if options.only:
            report.print_part(grades[-1], options.verbose)
        else:
            report.print_grade(grades[-1], options.verbose)
    if not options.only:
        report.write_all(grades, options.out)
        points, most = sum(g.points for g in grades), sum(g.most for g in grades)
        if len(grades) > 1:
            print(f"{points:g} of {most:g} points")
    return 0 if all(e.ok for g in grades for o in g.outcomes for e in o.evidence) else 1


def run_grade_one(options, labs):
    gradeall.grade_one(choose(options.labs, labs), options.path, options.out, options.seed)
    return 0


def run_grade_all(options, labs):
    chosen = choose(options.labs, labs)
    prepare_base(chosen)
    gradeall.grade_all(chosen, options)
    return 0


def run_gradescope(options, labs):
    frames.write_gradescope(choose(options.labs, labs), options.out)
    print(f"{options.out}: upload it as the autograder of a Debian 12 image")
    return 0


def run_prepare(options, labs):
    prepare_base(choose(options.labs, labs))
    return 0


def run_faults(options, labs):
    """Status 1 when a fault keeps all points of its item."""
    chosen = choose(options.labs, labs)
    if not options.prepared:
        prepare_base(chosen)
    missed = 0
    for lab in chosen:
        rows = []
        with ThreadPoolExecutor(options.jobs) as pool:
            for fault, points, most in pool.map(lambda f, of=lab: faults.judge_fault(of, f),
                                                faults.load_faults(lab)):
                missed += points == most
                rows.append((fault, points, most))
                print(f"{lab.name}: {fault.name:28} {fault.item:8} {points:5.1f} of {most:g}"
                      f"{'   not noticed' if points == most else ''}", flush=True)
        if options.write:
            faults.write_section(lab, rows)
    return 1 if missed else 0


def parser():
    p = argparse.ArgumentParser(prog="scripts/lab", allow_abbrev=False,
                                description="Lab exercises on the real sources.")
    words = p.add_subparsers(dest="word", required=True, metavar="COMMAND")

    def word(name, run, text):
        w = words.add_parser(name, help=text, description=text, allow_abbrev=False)
        w.set_defaults(run=run)
        return w

    word("list", run_list, "the labs there are")
    w = word("export", run_export, "write a student's edition of this tree")
    which = w.add_mutually_exclusive_group(required=True)
    which.add_argument("--labs", metavar="A,B", help="the labs to be done in it")
    which.add_argument("--all", action="store_true", help="all of them")
    w.add_argument("--out", metavar="DIR", required=True, help="a new folder")
    for name, run, text in (("todo", run_todo, "what is still to be written here"),
                            ("status", run_status, "steps written and points, by item")):
        w = word(name, run, text)
        w.add_argument("labs", nargs="?", default="all", metavar="A,B")
    w = word("solution", run_solution, "put a lab's solution into a student's tree")
    w.add_argument("name", metavar="A,B")
    w.add_argument("--into", metavar="DIR", required=True, help="the student's tree")
    w = word("grade", run_grade, "grade this tree, or what a student handed in")
    w.add_argument("labs", metavar="A,B|all")
    w.add_argument("--submission", default=ROOT, metavar="DIR",
                   help="a student's tree, or a folder with the lab's files (this tree)")
    w.add_argument("--only", default="", metavar="WORD",
                   help="the tests of this item, or those whose names contain it; no points")
    w.add_argument("--seed", type=int, metavar="N", help="of all that is drawn (a new one)")
    w.add_argument("--repeat", type=int, default=1, metavar="N",
                   help="with N seeds; the worst counts")
    w.add_argument("--verbose", action="store_true", help="all that the tests printed")
    w.add_argument("--out", default=os.path.join(ROOT, progress.RESULTS), metavar="DIR",
                   help="where results.json, junit.xml and grade.json go (build/labs)")
    w.add_argument("--prepared", action="store_true",
                   help="what is trusted has been built already")
    w = word("grade-all", run_grade_all, "grade a folder of students' trees or archives")
    w.add_argument("labs", metavar="A,B|all")
    w.add_argument("folder", metavar="DIR")
    w.add_argument("--out", required=True, metavar="DIR", help="where everything goes")
    w.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    w.add_argument("--seed", type=int, metavar="N", help="the same for all (a new one each)")
    w.add_argument("--sshlogin", action="append", default=[], metavar="HOST",
                   help="GNU parallel's: also on that machine")
    w = word("grade-one", run_grade_one, "what grade-all runs for one of them")
    w.add_argument("labs", metavar="A,B|all")
    w.add_argument("path", metavar="DIR|ARCHIVE")
    w.add_argument("--out", required=True, metavar="DIR")
    w.add_argument("--seed", type=int, metavar="N")
    w = word("prepare", run_prepare, "build what is trusted, so that --prepared can be said")
    w.add_argument("labs", metavar="A,B|all")
    w = word("gradescope", run_gradescope, "make the zip of an autograder for Gradescope")
    w.add_argument("labs", metavar="A,B|all")
    w.add_argument("--out", required=True, metavar="FILE.zip")
    w = word("faults", run_faults, "grade the faulty solutions of a lab: does each lose points?")
    w.add_argument("labs", metavar="A,B|all")
    w.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    w.add_argument("--write", action="store_true", help="put the table into docs/labs/grading.md")
    w.add_argument("--prepared", action="store_true",
                   help="what is trusted has been built already")
    return p


def main(argv):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that folders are removed
    try:
        options = parser().parse_args(argv)
        return options.run(options, load_labs())
    except Wrong as wrong:
        say(str(wrong))
        return 2
    except BrokenPipeError:
        return 0
    except OSError as error:
        say(f"{error.filename or error}: {error.strerror}")
        return 2
