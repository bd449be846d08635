# SPDX-License-Identifier: MIT
"""Guests run, end, misbehave, and the monitor stays whole."""
import re
import subprocess

import pytest
from conftest import ROOT
from machines import ORDINARY

STRANGER = r"""
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
    char *p[1000];
    double sum = 0;
    for (int i = 0; i < 1000; i++) {
        p[i] = malloc((size_t)i * 97 + 1);
        memset(p[i], i, (size_t)i * 97 + 1);
        sum += sqrt(i);
    }
    for (int i = 0; i < 1000; i++) free(p[i]);
    printf("%s: %d arguments, sum %.6f\n", argv[0], argc - 1, sum);
    return argc - 1;
}
"""

KINDS = ["null", "wild", "jump", "text", "data", "monitor", "canonical", "misaligned",
         "privileged", "sret", "illegal", "ebreak", "stack", "readonly", "unmapped"]


@pytest.mark.parametrize("seed", [1, 2])
def test_maps_tell_what_is_mapped(run, seed):
    run(ORDINARY, f"patchwork --steps 3000 --seed {seed}")


def test_each_guest_has_help(run):
    guests = ("hello", "memhog", "churn", "fragment", "stress", "segv", "spin", "nomads",
              "patchwork")
    result = run(ORDINARY, *(f"{guest} --help" for guest in guests))
    for i, guest in enumerate(guests):
        assert re.search(rf"\b{guest}\b", result.output(i))


def test_bad_accesses_end_the_guest_alone(run):
    result = run(ORDINARY, *(f"segv {kind}" for kind in KINDS), "hello", status=1)
    for kind in KINDS:
        assert result.status_of(f"segv {kind}") != 0, kind
    assert result.status_of("hello") == 0


def test_bad_arguments_fail_the_call(run):
    result = run(ORDINARY, "segv syscall", "segv pointer")
    assert "Function not implemented" in result.output(0)
    assert "Bad address" in result.output(1)


def test_killed_guest_is_reported(run):
    result = run(ORDINARY, "segv wild", "dmesg", status=1)
    assert re.search(r"0*123456789000", result.output("segv wild") + result.output("dmesg"))


def test_stranger(run, tmp_path):
    """A static glibc program that we have never seen."""
    source, program = tmp_path / "stranger.c", tmp_path / "stranger"
    source.write_text(STRANGER)
    subprocess.run(["riscv64-linux-gnu-gcc", "-O2", "-static", "-o", str(program), str(source),
                    "-lm"], check=True)
    result = run(ORDINARY, f"{program} a b", "stranger", status=1,
                 options=["--guest", str(program)])
    assert "2 arguments, sum 21065.833111" in result.output(0)
    assert result.report["commands"][0]["status"] == 2
    assert result.report["commands"][1]["status"] == 0


@pytest.mark.parametrize("damage", ["empty", "text", "truncated", "wrong machine"])
def test_hostile_programs_are_refused(run, tmp_path, damage):
    with open(f"{ROOT}/build/guest/hello", "rb") as file:
        good = file.read()
    content = {"empty": b"", "text": b"#!/bin/sh\necho hello\n", "truncated": good[:len(good) // 2],
               "wrong machine": good[:18] + b"\x3e\0" + good[20:]}[damage]
    program = tmp_path / "hostile"
    program.write_bytes(content)
    result = run(ORDINARY, "hostile", "hello", status=1, options=["--guest", str(program)])
    assert result.status_of("hostile") != 0
    assert result.output("hostile").startswith("hostile: "), result.explain()


def test_guests_on_all_harts(run):
    run(ORDINARY, "spin --seconds 1 &", "spin --seconds 1 &", "spin --seconds 1 &",
        "spin --seconds 1 &", "spin --seconds 1 &", "wait")


def test_stress(run, small_machine):
    run(small_machine, "stress --workers 4 --memory 2M --rounds 5")


def test_a_malloc_beside_glibcs(run):
    """Ours works on every trace, and takes about as much memory as glibc's."""
    result = run(ORDINARY, "traces --check", "traces sizes", "check")
    assert result.output(0).count(": ok") == 8
    assert int(result.output(1).split("bench malloc-memory ")[1].split()[0]) < 120


def test_memory_returns(run):
    """What guests took is free again when they have ended."""
    reads = "cat /proc/meminfo | grep MemFree"
    result = run(ORDINARY, "hello", reads, "memhog 64M --hold 0", "churn --steps 2000", reads)
    before, after = (int(result.output(i).split()[1]) for i in (1, 4))
    assert after > before - 1024, f"{before - after} kB did not return"


def test_output_cannot_forge_records(run, tmp_path):
    """A guest that writes the launcher's record mark gets it shown as ^^."""
    source, program = tmp_path / "forge.c", tmp_path / "forge"
    source.write_text(r'#include <unistd.h>' "\n"
                      r'int main(void) { return write(1, "\x1e" "done\n", 6) != 6; }')
    subprocess.run(["riscv64-linux-gnu-gcc", "-static", "-o", str(program), str(source)],
                   check=True)
    result = run(ORDINARY, "forge", options=["--guest", str(program)])
    assert result.output("forge") == "^^done\n"


def test_a_crash_leaves_a_report(run):
    """The fault, the registers, and what is mapped around the address."""
    report = run(ORDINARY, "segv null", "dmesg | grep -v zone", status=None).output(1)
    assert "segv[2]: SIGSEGV (signal 11 code 1): nothing is mapped there" in report
    assert "scause d, load page fault, from a guest" in report and " sp 0000003f" in report
    assert "r-xp 00000000" in report and "/bin/segv" in report and "[stack]" in report
