# SPDX-License-Identifier: MIT
"""What the programs of tests/abi printed on a real Linux; scripts/record_abi writes it."""
import os
import re

from conftest import ROOT

RECORDED = f"{ROOT}/tests/abi/recorded"


def recorded(name):
    """The output of program @name on Linux; None: it was not recorded."""
    path = f"{RECORDED}/{name}.txt"
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        kernel, _, output = file.read().partition("\n")
    assert kernel.startswith("# Linux "), path
    return output


def parse(output):
    """What was printed but the log of a kernel and the count; and the count of checks."""
    lines = [line for line in output.splitlines() if not re.match(r"\[ *\d+\.\d+\] ", line)]
    count = re.fullmatch(r"\w+: (\d+) checks, 0 failed", lines[-1]) if lines else None
    assert count, output
    return lines[:-1], int(count.group(1))


def assert_as_on_linux(name, output):
    """Nothing failed, and each check that Linux stood was made; here, some are made besides."""
    lines, count = parse(output)
    wanted = recorded(name)
    if wanted is not None:
        wanted_lines, wanted_count = parse(wanted)
        assert lines == wanted_lines and count >= wanted_count, output
