#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A class that never was: right, faulty and hostile submissions of one lab, graded twice.

    tests/labs/teacher/synthetic.py [LAB] [--students N] [--jobs N] [--keep DIR]

      right-*      the reference and other correct solutions, as trees, files, archives: all points
      faulty-*     the known mistakes: fewer points
      stub         nothing was written: next to no points
      hostile-*    what tries to get points, or to do harm, without a solution: next to no points

Both gradings, each with seeds of its own, must give every student the same points. The first is
stopped in its middle and goes on where it was.
"""
import argparse
import csv
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

from pagoda.lab import faults, marks  # noqa: E402  (the path comes first)
from pagoda.lab.manifest import load_labs  # noqa: E402

SCRIPT = os.path.join(ROOT, "scripts", "lab")
LITTLE = 0.05  # of the points: what a stub may get, and what hostility may

# What stands in place of each step.
STATEMENTS = {
    "never-returns": "for (;;) {}",
    "recurses": "volatile char a[4096]; a[0] = 1; extern void again(void); again();",
    "prints-passes": 'pr_emerg("ok 1 - all # sig 0123456789abcdef");',
    "prints-for-ever": 'for (;;) pr_emerg("ok 1 - all\\n");',
    "panics-politely": 'panic("PASS: all tests passed");',
    "exits": "extern void exit(int); exit(0);",
    "writes-files": 'extern int open(const char *, int, ...); open("/tmp/x", 01101, 0666);',
    "system-call": "extern long syscall(long, ...); syscall(93, 0);",
    "assembly": '__asm__ volatile("ecall");',
    "reads-the-key": "extern const unsigned long batch_key[2]; if (batch_key[0]) return 0;",
    "fills-memory": "static char big[3UL << 30]; for (unsigned long i = 0; i < sizeof(big); "
                    "i += 4096) ((volatile char *)big)[i] = 1;",
    "overwrites-memory": "for (volatile char *p = (volatile char *)0xffffffd600000000; ; p += 64)"
                         " *p = 0;",
}
# What stands at the end of the file instead.
TAILS = {
    "huge-object": "const char big[1UL << 31] = {1};",
    "expands-for-ever": "#define A(x) x x x x x x x x\n#define B(x) A(A(A(A(x))))\n"
                        "static const char all[] = {B(B(B(1,)))};",
    "reads-the-grader": '#include "../../tests/labs/wire/runner.c"',
    "constructor": "__attribute__((constructor)) static void first(void) {}",
}


def reference(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def put(folder, path, text):
    full = os.path.join(folder, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as file:
        file.write(text)


def hostile_text(path, lab, statement="", tail=""):
    """A file of the lab with @statement where each step should be."""
    bare = marks.replace(reference(path), lambda region: region.lab == lab.name,
                         lambda region: [statement] if region.stub else [])
    includes = '#include "kern/log.h"\n#include "kern/panic.h"\n' if statement else ""
    head, first, rest = bare.partition("#include")
    return head + includes + first + rest + tail + "\n"


def write_right(lab, folder):
    """The reference in every shape that a submission may have, and other solutions."""
    texts = {path: reference(path) for path in lab.files}
    for path, text in texts.items():
        put(os.path.join(folder, "right-tree"), path, text)
        put(os.path.join(folder, "right-inner", "my-course-work"), path, text)
        put(os.path.join(folder, "right-flat"), os.path.basename(path), text)
    with zipfile.ZipFile(os.path.join(folder, "right-zip.zip"), "w") as archive:
        for path, text in texts.items():
            archive.writestr("../../pagoda/" + path, text)
    with tarfile.open(os.path.join(folder, "right-tar.tar.xz"), "w:xz") as archive:
        for path, text in texts.items():
            member = tarfile.TarInfo("me/" + path)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    for other in faults.other_solutions(lab):
        shutil.copytree(other, os.path.join(folder, "right-" + os.path.basename(other)))


def write_hostile_files(lab, folder):
    """Submissions that are hostile by what they are, not by their code."""
    os.mkdir(os.path.join(folder, "hostile-empty"))
    link = os.path.join(folder, "hostile-link")
    os.mkdir(link)
    os.symlink(os.path.join(ROOT, "src"), os.path.join(link, "src"))
    os.symlink(ROOT, os.path.join(link, "tree"))
    with open(os.path.join(folder, "hostile-broken.tar.gz"), "wb") as file:
        file.write(b"\x1f\x8b\x08\x00" + bytes(range(256)))
    with zipfile.ZipFile(os.path.join(folder, "hostile-bomb.zip"), "w",
                         zipfile.ZIP_DEFLATED) as archive, \
            archive.open(lab.files[0], "w", force_zip64=True) as member:
        for _ in range(512):
            member.write(bytes(1 << 20))


def write_class(lab, folder, students):
    """Write the class; faulty ones are left out, from the end, when there would be too many."""
    os.makedirs(folder)
    write_right(lab, folder)
    write_hostile_files(lab, folder)
    for name, statement in STATEMENTS.items():
        for path in lab.files:
            put(os.path.join(folder, "hostile-" + name), path,
                hostile_text(path, lab, statement))
    for name, tail in TAILS.items():
        for path in lab.files:
            put(os.path.join(folder, "hostile-" + name), path,
                hostile_text(path, lab, "for (;;) {}", tail))
    with faults.Submission(lab, stub=True) as stub:
        shutil.copytree(stub, os.path.join(folder, "stub"))
    room = students - len(os.listdir(folder))
    for fault in faults.load_faults(lab)[:max(room, 0)]:
        with faults.Submission(lab, patch=fault.path) as faulty:
            shutil.copytree(faulty, os.path.join(folder, "faulty-" + fault.name))


def grade_class(lab, folder, out, jobs, stop_at=None):
    """Points by student; @stop_at stops it when so many are done, and starts it again."""
    words = [SCRIPT, "grade-all", lab.name, folder, "--jobs", str(jobs), "--out", out]
    if stop_at:
        process = subprocess.Popen(words, start_new_session=True)
        while process.poll() is None and done_students(out) < stop_at:
            time.sleep(0.5)
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        print(f"stopped with {done_students(out)} done", flush=True)
    subprocess.run(words, check=True)
    with open(os.path.join(out, "grades.csv"), encoding="utf-8", newline="") as file:
        return {row["student"]: float(row["points"]) for row in csv.DictReader(file)}


def done_students(out):
    return len([name for name in os.listdir(out)
                if os.path.exists(os.path.join(out, name, "results.json"))]) \
        if os.path.isdir(out) else 0


def misjudged(lab, points):
    """What is wrong with the points of a class, a line each."""
    for name, got in points.items():
        kind = name.split("-")[0]
        if kind == "right" and got != lab.points:
            yield f"{name} got {got:g} of {lab.points:g}"
        if kind == "faulty" and got >= lab.points:
            yield f"{name} got all points"
        if kind in ("stub", "hostile") and got > LITTLE * lab.points:
            yield f"{name} got {got:g} of {lab.points:g}"


def main():
    p = argparse.ArgumentParser(description="A class of synthetic submissions, graded twice.")
    p.add_argument("lab", nargs="?", default="buddy")
    p.add_argument("--students", type=int, default=40, metavar="N")
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    p.add_argument("--keep", metavar="DIR", help="a new folder, for all that comes of it")
    options = p.parse_args()
    lab = load_labs()[options.lab]
    with tempfile.TemporaryDirectory(prefix="pagoda-class-") as temporary:
        base = options.keep or temporary
        students = os.path.join(base, "students")
        write_class(lab, students, options.students)
        first = grade_class(lab, students, os.path.join(base, "first"), options.jobs,
                            stop_at=options.students // 3)
        second = grade_class(lab, students, os.path.join(base, "second"), options.jobs)
    wrong = [f"{name}: first {first.get(name)}, then {second.get(name)}"
             for name in first | second if first.get(name) != second.get(name)]
    wrong += list(misjudged(lab, first))
    print("\n".join(wrong + [f"{len(first)} students graded twice, {len(wrong)} misjudged"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
