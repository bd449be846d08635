# SPDX-License-Identifier: MIT
"""make debug: gdb on a booted machine, with our helpers."""
import os
import re
import subprocess

from conftest import ROOT, patience

COMMANDS = [
    "hbreak line_begin", "continue",  # the first prompt
    "delete", "pagoda type memhog 8M --hold 60", "hbreak sys_clock_nanosleep", "continue",
    "pagoda zones", "pagoda freelists 0", "pagoda page 0x80200", "pagoda harts",
    "pagoda threads", "pagoda tasks", "pagoda vmas 2", "pagoda walk 2 0x10000",
    "pagoda walk 2 0", "pagoda screen", "pagoda nonsense", "kill",
]


def test_helpers():
    """Stop when a guest begins to sleep, and look at everything."""
    words = ["-batch"] + [word for command in COMMANDS for word in ("-ex", command)]
    done = subprocess.run([f"{ROOT}/scripts/debug", "--nodes", "2", "--harts", "2", "--memory",
                           "128M"], env=dict(os.environ, PAGODA_GDB="\n".join(words)), text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False,
                          timeout=patience(120))
    out = done.stdout
    assert re.search(r"Node 1, zone +DMA32: pfn 0x[0-9a-f]+, spanned 16384 ", out), out
    assert re.search(r"^ +Movable( +\d+){11}$", out, re.MULTILINE), out
    assert "type PAGE_RESERVED, order 0, node 0, zone DMA32" in out, out
    assert re.search(r"hart [01]: id \d, node \d, runs memhog", out), out
    assert re.search(r"console +\w+ +hart \d, affinity .*, in .* < console", out), out
    assert re.search(r"pid +2  memhog", out), out
    assert re.search(r"0x0*10000-0x\w+ r-xp", out), out
    assert re.search(r"level 0: .*UX-RV  maps 4 KiB at ", out), out
    assert re.search(r"level 0: .* nothing|level 1: .* nothing", out), out
    assert "pagoda> memhog 8M" in out, out
    assert "pagoda nonsense: no such command" in out + done.stderr
