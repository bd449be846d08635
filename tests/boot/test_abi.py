# SPDX-License-Identifier: MIT
"""Programs that check what Linux promises, run as guests; see tests/abi."""
import subprocess

import pytest
from conftest import ROOT
from machines import ORDINARY


@pytest.mark.parametrize("name", ["memory", "process", "files", "pipe", "timers", "mlock", "shm",
                                  "numa"])
def test_abi(run, tmp_path, name):
    program = tmp_path / f"abi-{name}"
    subprocess.run(["riscv64-linux-gnu-gcc", "-O1", "-static", f"-I{ROOT}/tests/abi", "-o",
                    str(program), f"{ROOT}/tests/abi/{name}.c", "-lpthread"], check=True)
    result = run(ORDINARY, program.name, "check", options=["--guest", str(program)])
    assert " 0 failed" in result.output(0), result.output(0)
