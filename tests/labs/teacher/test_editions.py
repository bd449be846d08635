# SPDX-License-Identifier: MIT
"""Two editions of one source: marks, export, solutions."""
import os
import re
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

from pagoda.lab import export, marks  # noqa: E402  (the path comes first)
from pagoda.lab.manifest import load_labs  # noqa: E402

LABS = load_labs()
LAB = os.path.join(ROOT, "scripts", "lab")


def source(path, root=ROOT):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def solution_lines(lab):
    """Lines of the solutions of @lab that stand nowhere else in its files."""
    lines = set()
    for path in lab.files:
        for region in marks.regions(source(path)):
            lines |= {line.strip() for line in region.body if len(line.strip()) > 30}
    return lines


@pytest.mark.parametrize("lab", LABS.values(), ids=list(LABS))
def test_every_step_is_marked(lab):
    steps = {r.step for p in lab.files for r in marks.regions(source(p)) if r.lab == lab.name}
    assert {step.number for step in lab.steps} <= steps
    assert not any(r.is_missing for p in lab.files for r in marks.regions(source(p)))


@pytest.mark.parametrize("lab", LABS.values(), ids=list(LABS))
def test_a_solution_comes_back_whole(lab):
    """Stubs in, solution in: the code is the reference's again, but for marks and an include."""
    for path in lab.files:
        reference = source(path)
        student = export.student_text(path, reference, {lab.name})
        assert "lab_missing(" in student and student != reference
        back = marks.with_solution(student, reference, lab.name)
        plain = [line for line in back.split("\n")
                 if line != export.header_for(path) and not marks.MARK.match(line)]
        assert plain == [line for line in reference.split("\n") if not marks.MARK.match(line)]


def test_no_file_belongs_to_two_labs():
    """What is graded is a lab's files; a stub of another lab in them would cost points."""
    files = [path for lab in LABS.values() for path in lab.files]
    assert len(files) == len(set(files))


def test_marks_that_make_no_sense_are_refused():
    for text in ("/* lab a: end */", "/* lab a: begin 1 */", "/* lab a: stub x(); */",
                 "/* lab a: begin 1 */\n/* lab b: begin 1 */\n/* lab a: end */",
                 "/* lab a: begin 1 */\n/* lab b: end */"):
        with pytest.raises(marks.Bad):
            marks.regions(text)


@pytest.fixture(scope="module")
def edition(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("edition") / "tree")
    subprocess.run([LAB, "export", "--all", "--out", folder], check=True, stdout=subprocess.PIPE)
    return folder


def test_no_solution_is_in_an_edition(edition):
    """Neither in its files nor in its history, which is one commit of these files."""
    log = subprocess.run(["git", "log", "--oneline"], cwd=edition, text=True, check=True,
                         capture_output=True).stdout
    assert len(log.splitlines()) == 1
    secrets = set().union(*(solution_lines(lab) for lab in LABS.values()))
    ours = {path for lab in LABS.values() for path in lab.files}
    for path in export.tree_files(edition):
        assert not export.is_teachers(path), path
        if path in ours:
            left = {line.strip() for line in source(path, edition).split("\n")} & secrets
            outside = {line.strip() for line in marks.without_solutions(
                source(path), set(LABS)).split("\n")}
            assert not left - outside, path


def test_an_edition_lists_what_is_missing(edition):
    done = subprocess.run([os.path.join(edition, "scripts", "lab"), "todo"], text=True, check=True,
                          capture_output=True)
    assert len(done.stdout.splitlines()) - 1 >= sum(len(lab.steps) for lab in LABS.values())
    status = subprocess.run([os.path.join(edition, "scripts", "lab"), "status"], text=True,
                            check=True, capture_output=True).stdout
    assert all(f"{lab.name}: " in status for lab in LABS.values())


def test_no_link_leads_nowhere(tmp_path):
    """An edition of one lab has the pages of no other."""
    folder = tmp_path / "tree"
    subprocess.run([LAB, "export", "--labs", "zones", "--out", folder], check=True,
                   stdout=subprocess.PIPE)
    pages = [path for path in export.tree_files(str(folder)) if path.endswith(".md")]
    assert "docs/labs/03-zones/README.md" in pages and len(pages) > 20
    for page in pages:
        for link in re.findall(r"\]\(([^()\s#]+)[^()]*\)", source(page, str(folder))):
            if "://" not in link:
                assert (folder / os.path.dirname(page) / link).exists(), f"{page}: {link}"


def test_stubs_compile_without_a_warning(edition):
    paths = [path for lab in LABS.values() for path in lab.files]
    objects = [f"build/debug-gcc/{path}.o" if path.startswith("src/") else f"build/{path[:-2]}.o"
               for path in paths]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    done = subprocess.run(["make", "-j2", "-C", edition, *objects], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)
    assert done.returncode == 0 and "warning:" not in done.stdout, done.stdout


def test_the_teacher_puts_solutions_in(edition):
    lab = next(iter(LABS.values()))
    subprocess.run([LAB, "solution", lab.name, "--into", edition], check=True,
                   stdout=subprocess.PIPE)
    done = subprocess.run([os.path.join(edition, "scripts", "lab"), "todo", lab.name], text=True,
                          check=True, capture_output=True)
    assert done.stdout == "nothing is missing\n"
    other = subprocess.run([os.path.join(edition, "scripts", "lab"), "solution", lab.name,
                            "--into", edition], capture_output=True, check=False)
    assert other.returncode == 0 or b"teacher" in other.stderr
