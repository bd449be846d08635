# SPDX-License-Identifier: MIT
"""Programs of other tool chains than that of our guests: musl's C library, C++, threads of each."""
import os
import subprocess
import sys

import pytest
from conftest import ROOT
TWO_HARTS = ["--nodes", "2", "--harts", "2", "--memory", "256M"]

CC = "riscv64-linux-gnu-gcc"


class Musl:
    """Debian's musl for riscv64, with our compiler and linker."""

    STARTS, END = ["crt1.o", "crti.o"], "crtn.o"

    def __init__(self, package, folder):
        self.include = f"{package}/usr/include/riscv64-linux-musl"
        self.folder = folder
        for name in [*self.STARTS, "libc.a", self.END]:
            # Debian 12's linker does not know the relocations of trixie's debugging information.
            subprocess.run(["riscv64-linux-gnu-strip", "-g", "-o", f"{folder}/{name}",
                            f"{package}/usr/lib/riscv64-linux-musl/{name}"], check=True)

    def build(self, source, program):
        ours = subprocess.run([CC, "-print-file-name=include"], check=True, text=True,
                              capture_output=True).stdout.strip()
        subprocess.run([CC, "-O1", "-static", "-nostdinc", "-nostdlib", "-fno-pie",
                        "-isystem", self.include, "-isystem", ours, f"-I{ROOT}/tests/abi",
                        "-o", program, *(f"{self.folder}/{name}" for name in self.STARTS), source,
                        f"{self.folder}/libc.a", "-lgcc", f"{self.folder}/{self.END}"], check=True)


@pytest.fixture(scope="module")
def musl(tmp_path_factory):
    fetch = subprocess.run([sys.executable, f"{ROOT}/scripts/fetch", "musl-dev"], text=True,
                           capture_output=True, check=False)
    if fetch.returncode:
        pytest.skip(f"no musl: {fetch.stderr.strip().splitlines()[-1]}")
    return Musl(fetch.stdout.strip(), tmp_path_factory.mktemp("musl"))


def run_all(run, programs):
    """Run each; all must say that nothing failed."""
    names = [os.path.basename(program) for program in programs]
    options = [word for program in programs for word in ("--guest", str(program))]
    result = run(TWO_HARTS, *names, options=options)
    for i, name in enumerate(names):
        assert " 0 failed" in result.output(i), f"{name}: {result.output(i)}"
    return result


def test_musl(run, musl, tmp_path):
    names = ["malloc", "threads", "process", "parallel"]
    for name in names:
        musl.build(f"{ROOT}/tests/abi/{name}.c", f"{tmp_path}/musl-{name}")
    run_all(run, [f"{tmp_path}/musl-{name}" for name in names])


def test_cxx(run, tmp_path):
    program = f"{tmp_path}/cxx"
    subprocess.run(["riscv64-linux-gnu-g++", "-O1", "-static", f"-I{ROOT}/tests/abi", "-o", program,
                    f"{ROOT}/tests/abi/cxx.cc"], check=True)
    result = run_all(run, [program])
    assert "a line by cout" in result.output(0)
