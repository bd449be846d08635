# SPDX-License-Identifier: MIT
"""Programs that check what Linux promises, run as guests; see tests/abi."""
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import ROOT
from machines import ORDINARY
from recorded import assert_as_on_linux

# All that are to say "0 failed"; those that mean harm have tests of their own.
PROGRAMS = sorted({path.stem for path in Path(ROOT, "tests/abi").glob("*.c")} -
                  {"fuzz", "hostile"})


def build(tmp_path, name):
    program = tmp_path / f"abi-{name}"
    subprocess.run(["riscv64-linux-gnu-gcc", "-O1", "-static", "-fasynchronous-unwind-tables",
                    f"-I{ROOT}/tests/abi", "-o", str(program), f"{ROOT}/tests/abi/{name}.c",
                    "-lpthread"], check=True)
    return program


@pytest.mark.parametrize("name", PROGRAMS)
def test_abi(run, tmp_path, name):
    program = build(tmp_path, name)
    result = run(ORDINARY, program.name, "check", options=["--guest", str(program)])
    assert_as_on_linux(name, result.output(0))


def test_places_on_four_nodes(run, tmp_path):
    program = build(tmp_path, "place")
    result = run("four-unequal", program.name, "check", options=["--guest", str(program)])
    assert " 0 failed" in result.output(0), result.output(0)


@pytest.mark.parametrize("seed", [1, 20261])
def test_random_calls(run, tmp_path, seed):
    """From eight processes at a time; the audit finds nothing, and the console goes on."""
    program = build(tmp_path, "fuzz")
    free = "cat /proc/meminfo | grep MemFree"
    result = run(ORDINARY, "hello", f"{program.name} 1 500 1", free,
                 f"{program.name} {seed} 100000 8", "check", free,
                 "hello", options=["--guest", str(program), "--append", "loglevel=3"])
    assert f"seed {seed}, 100000 calls" in result.output(3)
    before, after = (int(result.output(i).split()[1]) for i in (2, 5))
    assert after > before - 2048, f"{before - after} kB did not return"
    assert "hello from" in result.output(6)


def oracle(program, *words):
    """
    What the same binary prints under Linux.

    It is started from a copy whose directory has a short name: glibc's start keeps the directory
    of the program in the heap, and that block is to be of the smallest size, as it is for /bin.
    """
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        copy = shutil.copy(f"{ROOT}/build/guest/{program}", folder)
        assert len(folder) < 24, folder
        return subprocess.run(["qemu-riscv64", copy, *words], check=True, capture_output=True,
                              text=True).stdout


@pytest.mark.parametrize("kib", [1, 3, 17, 100])
def test_malloc_says_the_same(run, kib):
    """
    mallinfo, mallinfo2 and malloc_stats, to the byte.

    The library keeps what it knows of the vdso in the heap, and the emulator has none before 8.2.
    """
    said = subprocess.run(["qemu-riscv64", "--version"], check=True, capture_output=True, text=True)
    version = tuple(int(n) for n in re.search(r"version (\d+)\.(\d+)", said.stdout).groups())
    options = [] if version >= (8, 2) else ["--append", "vdso=0"]
    result = run(ORDINARY, f"heap info {kib}", options=options)
    assert result.output(0).strip() == oracle("heap", "info", str(kib)).strip()


def test_experiments(run):
    result = run(ORDINARY, "heap lazy", "heap threshold", "heap hole", "heap trim", "heap storm",
                 "heap cow", "check")
    assert result.output(1).count("in the heap (brk)") == 3
    assert "256 faults, each a copy" in result.output(5)
    rates = [float(line.split()[-4]) for line in result.output(4).splitlines()]
    assert rates[0] > 512 and rates[2] < 10
