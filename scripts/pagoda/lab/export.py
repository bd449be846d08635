# SPDX-License-Identifier: MIT
"""The student's edition: the whole tree, in which the chosen labs are still to be done.

Every tracked file is copied as it is now, with these changes: the chosen labs' regions hold their
stubs, marks of other labs and links to them are taken out, and what only a teacher needs stays
behind. The edition is a repository of its own with a single commit, so no history can hold a
solution.
"""
import fnmatch
import os
import re
import shutil
import subprocess

from ..build import ROOT
from ..machine import Wrong
from . import marks
from .manifest import load_labs

TEACHERS = ("tests/labs/*/faults/*", "tests/labs/*/others/*", "tests/labs/teacher/*",
            "docs/labs/grading.md")
FRAMES = os.path.join(os.path.dirname(os.path.realpath(__file__)), "frames")
# What other people's frames need in a student's edition.
IN_EDITION = {"grade.yml": ".github/workflows/grade.yml",
              "devcontainer.json": ".devcontainer/devcontainer.json"}
HEADERS = {"guest/": '#include "lib/lab.h"', "": '#include "kern/lab.h"'}  # by path
MARKED = ("src/", "include/", "guest/")
AUTHOR = {"GIT_AUTHOR_NAME": "Pagoda", "GIT_AUTHOR_EMAIL": "pagoda@localhost",
          "GIT_COMMITTER_NAME": "Pagoda", "GIT_COMMITTER_EMAIL": "pagoda@localhost"}


def tree_files(root=ROOT):
    """Tracked files and new ones that are not ignored; without git, all that was not built."""
    if not os.path.exists(os.path.join(root, ".git")):
        return sorted(os.path.relpath(os.path.join(folder, name), root)
                      for folder, _, names in os.walk(root) for name in names
                      if not os.path.relpath(folder, root).startswith("build")
                      and "__pycache__" not in folder)
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root, text=True,
                             check=True, capture_output=True).stdout
    return sorted({path for path in listing.splitlines()
                   if os.path.isfile(os.path.join(root, path))})


def is_teachers(path):
    """Does only a teacher need this file?"""
    return any(fnmatch.fnmatch(path, pattern) for pattern in TEACHERS)


def header_for(path):
    """The line that declares lab_missing() for a file there."""
    return next(line for start, line in HEADERS.items() if path.startswith(start))


def with_include(path, text):
    """@text with the header that declares lab_missing(), where the includes are in order."""
    lines, header = text.split("\n"), header_for(path)
    if header in lines or not any(line.lstrip().startswith(marks.MISSING) for line in lines):
        return text
    includes = [i for i, line in enumerate(lines) if line.startswith('#include "')]
    later = [i for i in includes[1:] if lines[i] > header]
    at = later[0] if later else includes[-1] + 1
    return "\n".join(lines[:at] + [header] + lines[at:])


def student_text(path, text, names):
    """A source as students of the labs @names get it."""
    return with_include(path, marks.without_marks(marks.without_solutions(text, names), names))


def without_links(text, folders):
    """A page whose links into labs that are left out are only their words."""
    if not folders:
        return text
    names = "|".join(re.escape(os.path.basename(folder)) for folder in folders)
    return re.sub(rf"\[([^\]]+)\]\((?:[^()\s]*/)?(?:{names})/[^()\s]*\)", r"\1", text)


def copy_file(path, names, directory, left_out=()):
    """One file of ours into the edition, without the labs in the folders @left_out."""
    source, target = os.path.join(ROOT, path), os.path.join(directory, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if path.endswith(".md"):
        with open(source, encoding="utf-8") as file, open(target, "w", encoding="utf-8") as out:
            out.write(without_links(file.read(), left_out))
        return
    if path.startswith(MARKED):
        with open(source, encoding="utf-8") as file:
            text = file.read()
        if " lab " in text:
            with open(target, "w", encoding="utf-8") as file:
                file.write(student_text(path, text, names))
            shutil.copymode(source, target)
            return
    shutil.copy2(source, target)


def export(chosen, directory):
    """Write the edition with @chosen labs missing into a new folder."""
    if os.path.exists(directory) and os.listdir(directory):
        raise Wrong(f"{directory} is not empty; name a new folder")
    names = {lab.name for lab in chosen}
    others = [lab for name, lab in load_labs().items() if name not in names]
    left_out = tuple(f"{folder}/" for lab in others for folder in (lab.directory, lab.tests))
    for path in tree_files():
        if not is_teachers(path) and not path.startswith(left_out):
            copy_file(path, names, directory, [lab.directory for lab in others])
    for name, path in IN_EDITION.items():
        os.makedirs(os.path.dirname(os.path.join(directory, path)), exist_ok=True)
        shutil.copyfile(os.path.join(FRAMES, name), os.path.join(directory, path))
    environment = dict(os.environ, **AUTHOR)
    for words in (["init", "-q", "-b", "main"], ["add", "-A"],
                  ["commit", "-q", "-m", f"Labs: {', '.join(lab.name for lab in chosen)}"]):
        subprocess.run(["git", *words], cwd=directory, env=environment, check=True)


def put_solution(lab, directory):
    """Put the solution of @lab into a student's tree; returns the files that changed."""
    changed = []
    for path in lab.files:
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            reference = file.read()
        if any(r.lab == lab.name and r.is_missing for r in marks.regions(reference)):
            raise Wrong(f"this tree has no solution of lab {lab.name}; use the teacher's")
        target = os.path.join(directory, path)
        try:
            with open(target, encoding="utf-8") as file:
                before = file.read()
            after = marks.with_solution(before, reference, lab.name)
        except FileNotFoundError:
            raise Wrong(f"{directory} is no student's tree: it has no {path}") from None
        except marks.Bad:
            before, after = None, reference  # the student moved the marks: the whole file then
        if after != before:
            with open(target, "w", encoding="utf-8") as file:
                file.write(after)
            changed.append(path)
    return changed
