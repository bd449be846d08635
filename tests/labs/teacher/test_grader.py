# SPDX-License-Identifier: MIT
"""The grader: what it believes, what it refuses, what it notices."""
import argparse
import json
import os
import subprocess
import sys
import tarfile
import time
import zipfile

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

from pagoda.lab import faults, gradeall, hosttests, page, report, screen, sign, unpack  # noqa: E402
from pagoda.lab.evidence import Evidence, Grade, Outcome  # noqa: E402
from pagoda.lab.grade import grade, has_any  # noqa: E402
from pagoda.lab.manifest import load_labs  # noqa: E402
from pagoda.lab.work import prepare_base  # noqa: E402

LABS = load_labs()
BUDDY = LABS["buddy"]
PATH = BUDDY.files[0]


def source(path, root=ROOT):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def reference():
    return source(PATH)


@pytest.fixture(scope="module", autouse=True)
def base():
    prepare_base(list(LABS.values()))


def handed_in(tmp_path, text):
    """A flat folder with this text as the lab's file."""
    folder = tmp_path / "handed-in"
    folder.mkdir(exist_ok=True)
    (folder / os.path.basename(PATH)).write_text(text)
    return str(folder)


def with_code(code, before="void buddy_expand_locked("):
    """The reference with @code in front of a function."""
    return reference().replace(before, code + "\n" + before, 1)


def in_take(statement):
    """The reference with a statement at the start of buddy_alloc_locked()."""
    head = "struct page *buddy_alloc_locked(struct zone *zone, unsigned order, " \
           "enum migratetype mt)\n{\n"
    assert head in reference()
    return reference().replace(head, head + statement + "\n", 1)


# --- signatures ---------------------------------------------------------------------------------

def test_siphash_is_what_the_paper_says():
    words = (0x0706050403020100, 0x0f0e0d0c0b0a0908)
    assert sign.siphash(words, bytes(range(15))) == 0xa129ca6149be45e5
    assert sign.siphash(words, b"") == 0x726fdb47dd0e0e31


def test_only_signed_lines_are_believed():
    key = sign.Key()
    good = sign.test_signature(key, "one", True)
    text = f"ok 1 - one # sig {good}\nok 2 - two # sig {good}\nok 3 - three\nnot ok 4 - four\n"
    assert hosttests.parse(text, key) == {"one": (True, [])}
    assert hosttests.parse(text, sign.Key()) == {}


# --- what may be handed in ----------------------------------------------------------------------

HOSTILE = {
    "assembly": in_take('__asm__ volatile("nop");'),
    "a constructor": with_code("__attribute__((constructor)) static void f(void) {}"),
    "a section": with_code('__attribute__((section(".x"))) int f_x;'),
    "a header of the host": with_code("#include <stdlib.h>"),
    "a file of the grader": with_code('#include "../../tests/labs/wire/runner.c"'),
    "a header without a blank": with_code("#include<stdlib.h>"),
    "the next header": with_code("#include_next <stdlib.h>"),
    "an import": with_code("# import <stdlib.h>"),
    "a pragma": with_code("#pragma GCC optimize(0)"),
    "a pragma in a word": with_code('_Pragma("GCC optimize(0)")'),
    "another name for exit": with_code('void out(int) __asm__("exit");'),
    "words pasted together": with_code("#define J(a, b) a##b"),
    "a joined line": in_take('__as\\\nm__ volatile("nop");'),
    "a joined line with a blank": in_take('__as\\ \nm__ volatile("nop");'),
    "a comment that ends with CR": in_take('// \r__asm__ volatile("nop");'),
    "a comment in what is left out": in_take("#if 0\n' /*\n#endif\n__asm__(\"nop\"); /* */"),
    "a raw string": in_take('(void)R"(" /* )"; __asm__("nop"); /* */'),
    "an include behind a byte order mark": '\ufeff#include "/etc/hostname"\n' + reference(),
    "a question about headers": with_code('#if 0\n#elif __has_include("\\")\n#endif'),
    "eyes closed": with_code('__attribute__((no_sanitize("address"))) static void f(void) {}'),
    "a constructor behind another": with_code("__attribute__((aligned(8), constructor)) "
                                              "static void f(void) {}"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_refused_by_its_text(what):
    with pytest.raises(screen.Refused):
        screen.screen_text(PATH, HOSTILE[what])


@pytest.mark.parametrize("piece", ["\n", "#\n", "# \n", " ", "/*", "__attribute__((a ", "_", "\\ "])
def test_a_look_at_a_text_is_short(piece):
    """As much of it as is read: a pattern that goes over it again and again takes minutes."""
    began = time.process_time()
    try:
        screen.screen_text(PATH, piece * (screen.FILE_MOST // len(piece)))
    except screen.Refused:
        pass
    assert time.process_time() - began < 20


def test_the_reference_is_not_refused():
    for lab in LABS.values():
        for path in lab.files:
            with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                screen.screen_text(path, file.read())


@pytest.mark.parametrize("code", [
    in_take("extern void exit(int); exit(0);"),
    in_take("extern int printf(const char *, ...); printf(\"ok 1 - x\");"),
    in_take("extern void serial_write_raw(const char *, unsigned long);"
            "serial_write_raw(\"\", 0);"),
    in_take("extern const unsigned long batch_key[2]; if (batch_key[0]) return NULL;"),
    with_code("void *malloc(unsigned long n);\nvoid *malloc(unsigned long n)\n{\n    (void)n;\n"
              "    return NULL;\n}"),
], ids=["exit", "printf", "serial", "key", "malloc"])
def test_refused_by_its_symbols(tmp_path, code):
    result = grade(BUDDY, handed_in(tmp_path, code), 1, only="nothing")
    assert result.refused and result.points == 0


@pytest.mark.parametrize("line", ["#include <stdio.h>", '#include "replay/replay.h"',
                                  '#include "malloc/../replay/replay.h"', '#include "phys/zone.h"'])
def test_a_guests_file_includes_its_folder_only(line):
    with pytest.raises(screen.Refused):
        screen.screen_text("guest/malloc/malloc.c", line + "\n")


@pytest.mark.parametrize("code", [
    'extern int printf(const char *, ...); printf("bench malloc-memory 1\\n");',
    "extern void _exit(int); _exit(0);",
    "extern char ours[]; ours[0] = 1;",
], ids=["printf", "exit", "grader"])
def test_a_guests_file_uses_its_folder_only(code):
    """The C library could print and end the program; what replays the traces is the grader's."""
    with faults.Submission(LABS["malloc"]) as folder:
        path = os.path.join(folder, "guest/malloc/malloc.c")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        changed = text.replace("    if (!mem)\n", f"    {code}\n    if (!mem)\n", 1)
        assert changed != text
        with open(path, "w", encoding="utf-8") as file:
            file.write(changed)
        result = grade(LABS["malloc"], folder, 1, only="nothing")
    assert "which is nothing of its folder" in result.refused and result.points == 0


@pytest.mark.parametrize("text", ["", "int x", "#error no\n", "\x00", "x" * (300 << 10)])
def test_broken_submissions_get_nothing(tmp_path, text):
    result = grade(BUDDY, handed_in(tmp_path, text), 1, only="nothing")
    assert result.refused


# --- grading ------------------------------------------------------------------------------------

HOST_ITEMS = {item.id for item in BUDDY.items if item.host}


def test_the_stub_gets_next_to_nothing():
    with faults.Submission(BUDDY, stub=True) as folder:
        result = grade(BUDDY, folder, 1, items=HOST_ITEMS)
    assert not result.refused
    assert result.points <= 0.05 * BUDDY.points
    assert "is missing" in result.outcomes[0].evidence[0].text


def test_a_machine_that_reaches_a_stub_says_so():
    with faults.Submission(BUDDY, stub=True) as folder:
        result = grade(BUDDY, folder, 1, only="boot.one")
    boot = next(e for o in result.outcomes for e in o.evidence)
    assert not boot.ok and "lab buddy, step" in boot.got and PATH in boot.got


def test_another_solution_gets_all_points():
    for folder in faults.other_solutions(BUDDY):
        result = grade(BUDDY, folder, None, items=HOST_ITEMS)
        assert not result.refused, result.refused
        assert result.points == result.most, report.failure_text(
            *next((o, e) for o in result.outcomes for e in o.evidence if not e.ok))


def sample(lab):
    """One fault of a lab, of those that a few host tests should notice: the middle one."""
    few = {item.id for item in lab.items if 0 < len(item.host) <= 12 and not item.boot}
    found = [fault for fault in faults.load_faults(lab) if fault.item in few]
    return found[len(found) // 2]


@pytest.mark.parametrize("lab", LABS.values(), ids=list(LABS))
def test_a_fault_loses_points_where_it_should(lab):
    fault, points, most = faults.judge_fault(lab, sample(lab))
    assert points < most, fault.name


@pytest.mark.parametrize("lab", LABS.values(), ids=list(LABS))
def test_every_fault_can_be_made(lab):
    """A patch that does not fit its source any more raises."""
    for fault in faults.load_faults(lab):
        with faults.Submission(lab, patch=fault.path) as folder:
            changed = [path for path in lab.files if source(path) != source(path, folder)]
        assert changed, fault.name


def test_every_lab_has_faults_and_another_solution():
    for lab in LABS.values():
        assert len(faults.load_faults(lab)) >= 10
        assert faults.other_solutions(lab)


def test_never_returning_costs_its_test_only(tmp_path):
    text = in_take("    if (order == 3) for (;;) zone->capture = NULL;")
    result = grade(BUDDY, handed_in(tmp_path, text), 1, items={"take"})
    found = {e.name.split(".")[1]: e for e in result.outcomes[0].evidence}
    assert not found["a_fitting_block_is_taken_whole"].ok
    assert "did not come to an end" in found["a_fitting_block_is_taken_whole"].text
    assert found["a_page_out_of_the_largest_block"].ok


def test_a_machine_that_hangs_is_given_up_in_its_own_time(tmp_path):
    text = in_take("    while (order == 10) zone->capture = NULL;")
    result = grade(BUDDY, handed_in(tmp_path, text), 1, only="boot.one")
    boot = next(e for o in result.outcomes for e in o.evidence)
    assert not boot.ok and "no progress in" in boot.text and "alloc 10" in boot.text


def test_a_word_chooses_an_item_or_names():
    """--only find is the item of that name, and not each test that finds something."""
    for lab in LABS.values():
        for item in lab.items:
            assert has_any(lab, item.id)
        assert not has_any(lab, "no such test")
    found = grade(BUDDY, ROOT, 1, only="split")
    assert [o.id for o in found.outcomes] == ["split"] and found.points == found.most
    found = grade(BUDDY, ROOT, 1, only="test_lab_buddy.a_fitting")
    ran = [e.name for o in found.outcomes for e in o.evidence]
    assert ran == ["test_lab_buddy.a_fitting_block_is_taken_whole"]


def test_a_link_to_a_solution_is_not_followed(tmp_path):
    """Neither a link in place of the file, nor one of a folder on the way."""
    folder, target = tmp_path / "handed-in", tmp_path / "target"
    folder.mkdir()
    target.mkdir()
    for link, to in ((PATH.split("/", maxsplit=1)[0], os.path.join(ROOT, "src")), ("tree", ROOT),
                     (os.path.basename(PATH), os.path.join(ROOT, PATH))):
        os.symlink(to, folder / link)
        unpack.collect(str(folder), [PATH], str(target))
        assert not list(target.rglob("*.c"))
        with pytest.raises(screen.Refused):
            screen.read_handed_in(str(folder), PATH)
        os.remove(folder / link)


def test_what_is_graded_ends_with_the_grader(tmp_path):
    """A grader that is killed leaves nothing running."""
    tmp_path.chmod(0o755)
    code = f"""if True:
        import sys
        sys.path.insert(0, {os.path.join(ROOT, "scripts")!r})
        from pagoda.lab import sandbox
        inner = sandbox.start(["sh", "-c", "echo up; exec sleep 4000"], {str(tmp_path)!r},
                              sandbox.Limits(), stdout=1)
        inner.wait()
    """
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as grader:
        assert grader.stdout.readline() == b"up\n"
        grader.kill()
        assert grader.stdout.read() == b""  # once nobody has this pipe open any more


# --- a class ------------------------------------------------------------------------------------

def test_archives_are_read_with_care(tmp_path):
    whole = tmp_path / "a.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("../../evil.c", "x")
        archive.writestr("tree/" + PATH, "right")
        archive.writestr("tree/old/buddy.c", "wrong")
    tar = tmp_path / "b.tar.gz"
    (tmp_path / "buddy.c").write_text("right")
    with tarfile.open(tar, "w:gz") as archive:
        archive.add(tmp_path / "buddy.c", "handed/in/buddy.c")
    broken = tmp_path / "c.zip"
    broken.write_bytes(b"PK not really")
    assert list(unpack.submissions(str(tmp_path))) == ["a", "b", "c"]
    for path in (whole, tar):
        target = tmp_path / (path.name + ".out")
        target.mkdir()
        unpack.collect(str(path), [PATH], str(target))
        assert (target / PATH).read_text() == "right"
        assert [str(p.relative_to(target)) for p in target.rglob("*.c")] == [PATH]
    with pytest.raises(screen.Refused):
        unpack.collect(str(broken), [PATH], str(tmp_path))


def test_names_of_submissions_are_only_names(tmp_path):
    """Neither a shell nor the list of jobs reads anything into them."""
    odd = "an\tna\nand $(touch x) \"b'"
    folder, out = tmp_path / "students", tmp_path / "out"
    (folder / odd).mkdir(parents=True)
    (folder / odd / os.path.basename(PATH)).write_text("int x")
    gradeall.grade_all([BUDDY], argparse.Namespace(folder=str(folder), out=str(out), jobs=1, seed=1,
                                                   labs="buddy", sshlogin=[]))
    told = json.loads((out / odd / "buddy" / "grade.json").read_text())
    assert "does not compile" in told["refused"]
    assert sorted(os.listdir(out)) == sorted([odd, "grades.csv", "index.html", "jobs.log",
                                              "output.log"])


def test_a_class_is_told(tmp_path):
    outcome = Outcome("split", "Splitting <b>", "step 1", 12,
                      [Evidence("a.b", True), Evidence("a.c", False, "1", "2", "why\x00not")])
    one = Grade("buddy", "t", 1, [outcome])
    report.write_all([one], str(tmp_path / "anna"))
    results = json.loads((tmp_path / "anna" / "results.json").read_text())
    assert results["score"] == 6 and results["tests"][0]["max_score"] == 12
    assert "expected 1, got 2" in results["tests"][0]["output"]
    assert "<failure" in (tmp_path / "anna" / "junit.xml").read_text()
    found = gradeall.collect_results(["anna", "boris"], [BUDDY], str(tmp_path))
    assert found["boris"]["buddy"]["points"] == 0 and found["boris"]["buddy"]["refused"]
    gradeall.write_csv(found, [BUDDY], str(tmp_path / "grades.csv"))
    assert (tmp_path / "grades.csv").read_text().splitlines()[1].startswith("anna,6,")
    assert "<svg" in page.html_page(found, [BUDDY])
