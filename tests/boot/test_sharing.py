# SPDX-License-Identifier: MIT
"""Guests share memory while their pages are sent from node to node, and compacted meanwhile."""
import pytest
from recorded import assert_as_on_linux
from test_abi import build
from views import fields

FREE = "cat /proc/meminfo | grep MemFree"
MOVED = "cat /proc/vmstat | grep migrate"


@pytest.mark.parametrize("machine", ["two-nodes", "four-unequal"])
def test_sharing_while_pages_move(run, tmp_path, machine):
    """Each page says at each turn what was written; see tests/abi/migrate.c."""
    program = build(tmp_path, "migrate")
    result = run(machine, program.name, FREE, MOVED,
                 f"{program.name} &", "compact", "compact", "wait", FREE, MOVED,
                 options=["--guest", str(program)])
    assert_as_on_linux("migrate", result.output(0))
    assert result.stdout.count(", 0 failed") == 2, result.explain()
    before, after = (fields(result.output(i))["MemFree"] for i in (1, 7))
    assert after > before - 1024, f"{before - after} kB did not return"
    before, after = (fields(result.output(i)) for i in (2, 8))
    for counter in ("pgmigrate_success", "compact_migrate_scanned"):
        assert after[counter] > before[counter], result.explain()
