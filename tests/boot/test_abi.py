# SPDX-License-Identifier: MIT
"""Programs that check what Linux promises, run as guests; see tests/abi."""
import subprocess

import pytest
from conftest import ROOT
from machines import ORDINARY


def build(tmp_path, name):
    program = tmp_path / f"abi-{name}"
    subprocess.run(["riscv64-linux-gnu-gcc", "-O1", "-static", f"-I{ROOT}/tests/abi", "-o",
                    str(program), f"{ROOT}/tests/abi/{name}.c", "-lpthread"], check=True)
    return program


@pytest.mark.parametrize("name", ["memory", "process", "files", "pipe", "timers", "mlock", "shm",
                                  "numa", "misc"])
def test_abi(run, tmp_path, name):
    program = build(tmp_path, name)
    result = run(ORDINARY, program.name, "check", options=["--guest", str(program)])
    assert " 0 failed" in result.output(0), result.output(0)


@pytest.mark.parametrize("seed", [1, 20261])
def test_random_calls(run, tmp_path, seed):
    """From eight processes at a time; the audit finds nothing, and the console goes on."""
    program = build(tmp_path, "fuzz")
    result = run(ORDINARY, f"{program.name} {seed} 100000 8", "check", "hello",
                 options=["--guest", str(program), "--append", "loglevel=3"])
    assert f"seed {seed}, 100000 calls" in result.output(0)
    assert "hello from" in result.output(2)
