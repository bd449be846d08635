# SPDX-License-Identifier: MIT
"""scripts/lab: its words, and what each does."""
import argparse
import sys

from ..machine import Wrong
from . import export, progress
from .manifest import choose, load_labs


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
    return p


def main(argv):
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
