# SPDX-License-Identifier: MIT
"""The tools in scripts/ other than the launcher, each on a small world of its own."""
import os
import shutil
import subprocess

import pytest
from conftest import ROOT


def run_tool(path, *words, **environment):
    return subprocess.run([str(path), *words], env=dict(os.environ, **environment), text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False)


# --- check_floors ---------------------------------------------------------------------------------

@pytest.fixture
def floors(tmp_path):
    """A tree of two floors and a function that writes its sources, builds and checks it."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(f"{ROOT}/scripts/check_floors", tmp_path / "scripts")
    (tmp_path / "Makefile").write_text("FLOORS := low high\n")

    def check(**sources):
        for name, text in sources.items():
            top, floor, file = name.split("__")
            path = tmp_path / top / floor / (file + (".h" if top == "include" else ".c"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            if top == "src":
                target = tmp_path / "build" / "src" / floor / (file + ".c.o")
                target.parent.mkdir(parents=True, exist_ok=True)
                subprocess.run(["riscv64-linux-gnu-gcc", "-c", "-I", str(tmp_path / "include"),
                                "-o", str(target), str(path)], check=True)
        return run_tool(tmp_path / "scripts" / "check_floors", "build")
    return check


def test_floors_down_is_allowed(floors):
    done = floors(src__low__a="int a(void) { return 1; }",
                  src__high__b="int a(void); int b(void) { return a(); }")
    assert (done.returncode, done.stdout) == (0, "")


def test_floors_symbol_up(floors):
    done = floors(src__low__a="int b(void); int a(void) { return b(); }",
                  src__high__b="int b(void) { return 1; }")
    assert done.returncode == 1
    assert "src/low/a.c: floor low uses b of src/high/b.c" in done.stdout


def test_floors_include_up_also_in_headers(floors):
    done = floors(include__high__b="int b(void);", include__low__a='#include "high/b.h"\n',
                  src__low__a="int a(void) { return 1; }")
    assert done.returncode == 1
    assert "include/low/a.h:1: floor low includes from high" in done.stdout


def test_floors_weak_override(floors):
    done = floors(src__low__a="__attribute__((weak)) int hook(void) { return 0; }",
                  src__high__b="int hook(void) { return 1; }")
    assert done.returncode == 1
    assert "overrides the weak hook" in done.stdout


# --- check_style ----------------------------------------------------------------------------------

@pytest.fixture
def style(tmp_path):
    (tmp_path / "scripts").mkdir()
    shutil.copy(f"{ROOT}/scripts/check_style", tmp_path / "scripts")
    shutil.copy(f"{ROOT}/.clang-format", tmp_path)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)

    def check(text):
        (tmp_path / "file.c").write_text("/* SPDX-License-Identifier: MIT */\n" + text)
        return run_tool(tmp_path / "scripts" / "check_style")
    return check


def test_style_of_good_code(style):
    done = style("int main(void)\n{\n    return 0;\n}\n")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("text, finding", [
    ("int x; \n", "blanks at the end"),
    ("\tint x;\n", "a tab"),
    ("/* " + "TO" + "DO */\n", "unfinished"),
    ("int x;", "no newline at the end"),
    ("int   x;\n", "not formatted"),
    ("// " + 100 * "x" + "\n", "columns, at most"),
    ("int x;\n" * 421, "one idea, one file"),
    ("void f(void)\n{\n" + "    f();\n" * 61 + "}\n", "f has 61 lines"),
])
def test_style_findings(style, text, finding):
    done = style(text)
    assert done.returncode == 1
    assert finding in done.stdout


# --- setup ----------------------------------------------------------------------------------------

@pytest.fixture
def setup(tmp_path):
    """Run setup where some commands are stand-ins; returns the run and what apt was asked."""
    fakes, log = tmp_path / "fakes", tmp_path / "log"
    fakes.mkdir()
    log.touch()

    def fake(name, script):
        (fakes / name).write_text("#!/bin/bash\n" + script)
        (fakes / name).chmod(0o755)

    def go(*words, os_release='ID=debian\nVERSION_ID="12"\n', user=0, lacking="", **commands):
        (tmp_path / "os").write_text(os_release)
        fake("apt-get", f'echo "apt-get $*" >>{log}\n[ "$1" != install ] || touch {tmp_path}/done')
        fake("sudo", f'echo sudo >>{log}\nexec "$@"')
        fake("id", f"echo {user}")
        fake("dpkg-query", f'[ -e {tmp_path}/done ] && exec /usr/bin/dpkg-query "$@"\n'
                           f'/usr/bin/dpkg-query "$@" | grep -v "^{lacking or "none"} "')
        for name, script in commands.items():
            fake(name.replace("_", "-"), script)
        done = run_tool(f"{ROOT}/scripts/setup", *words, OS_RELEASE=str(tmp_path / "os"),
                        SETUP_STAMP=str(tmp_path / "stamp"),
                        PATH=f"{fakes}{os.pathsep}{os.environ['PATH']}")
        return done, log.read_text()
    return go


def test_setup_with_nothing_missing(setup, tmp_path):
    done, log = setup()
    assert (done.returncode, done.stdout, log) == (0, "", "")
    assert (tmp_path / "stamp").exists()


def test_setup_installs_as_root(setup):
    done, log = setup(lacking="lcov")
    assert done.returncode == 0, done.stderr
    assert log.splitlines()[0] == "apt-get update -q"
    assert log.splitlines()[1].endswith(" lcov") and "sudo" not in log


def test_setup_asks_sudo_only_when_not_root(setup):
    done, log = setup(lacking="lcov", user=1000)
    assert done.returncode == 0, done.stderr
    assert log.splitlines()[0] == "sudo"


def test_setup_only_checks(setup):
    done, log = setup("--check", lacking="lcov")
    assert done.returncode == 1 and "lcov" in done.stderr and log == ""


def test_setup_elsewhere_lists_and_stops(setup):
    _, log = setup(os_release="ID=fedora\nVERSION_ID=40\n", lacking="lcov")
    assert log == ""
    done, log = setup(os_release='ID=debian\nVERSION_ID="11"\n', lacking="lcov")
    assert done.returncode == 1 and "lcov" in done.stderr and log == ""


def test_setup_wrong_qemu(setup):
    done, _ = setup(qemu_system_riscv64='echo "QEMU emulator version 6.2.0"')
    assert done.returncode == 1
    assert "is version 6.2.0, Pagoda needs 7.2" in done.stderr and "Debian 12" in done.stderr
