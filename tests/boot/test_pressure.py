# SPDX-License-Identifier: MIT
"""Memory runs out, or into pieces: compaction and the killer."""
import re

import pytest
from machines import ORDINARY
from views import buddyinfo, fields, free_pages

BIG = 9


def big_blocks(text):
    """Free blocks of order 9, those inside blocks of order 10 counted too."""
    return sum(blocks[BIG] + 2 * blocks[BIG + 1] for blocks in buddyinfo(text).values())


def test_compaction_wins_big_blocks(run):
    """What fragmentation broke, compaction makes whole, close to what free memory allows."""
    info = "cat /proc/buddyinfo"
    result = run(ORDINARY, "fragment 400M", info, "compact", info, "alloc 9 movable",
                 "cat /proc/vmstat | grep compact")
    before, after = result.output(1), result.output(3)
    free = sum(free_pages(blocks) for blocks in buddyinfo(after).values())
    possible = free >> BIG
    assert big_blocks(after) > big_blocks(before)
    assert big_blocks(after) >= possible * 0.8, f"{big_blocks(after)} of {possible} possible"
    assert fields(result.output(5))["compact_migrate_scanned"] > 0


def test_direct_compaction(run):
    """An allocation of a big block compacts by itself."""
    run(ORDINARY, "fragment 440M", "alloc 9 movable", "buddyinfo")


def test_compact_while_guests_work(run):
    run(ORDINARY, "stress --workers 4 --memory 16M --rounds 30 &", "compact", "compact",
        "echo 1 > /proc/sys/vm/compact_memory", "wait")


@pytest.mark.parametrize("machine", ["tiny", "cpuless"])
def test_memory_moves_under_a_family(run, machine):
    """A worker of nomads that misses a word fails."""
    result = run(machine, "nomads --rounds 3", "cat /proc/vmstat | grep pgmigrate")
    assert fields(result.output(1))["pgmigrate_success"] > 0


def test_oom_kills_the_worst(run):
    result = run(ORDINARY, "memhog 400M &", "memhog 400M &", "memhog 400M &", "wait",
                 "dmesg | grep -i oom", "ps", "hello", status=None)
    assert re.search(r"oom-kill:|Out of memory: Killed process", result.output(4))
    assert result.status_of("hello") == 0


def test_oom_on_one_node(run):
    """A guest bound to a node is killed although others have memory."""
    result = run(ORDINARY, "memhog 400M --node 1", "dmesg | grep -i oom", status=1)
    assert "CONSTRAINT_MEMORY_POLICY" in result.output("dmesg | grep -i oom")


def test_oom_tells_who_asked(run):
    """The report begins with the guest whose allocation found nothing, and with its own score."""
    result = run(ORDINARY, "run --oom-score-adj 321 memhog 400M --node 1",
                 "dmesg | grep invoked", status=1)
    assert re.search(r"memhog invoked oom-killer: .*, oom_score_adj=321$",
                     result.output("dmesg | grep invoked"), re.MULTILINE)


def test_panic_on_oom(run):
    run(ORDINARY, "memhog 400M &", "memhog 400M &", "wait",
        options=["--append", "panic_on_oom=1"], status=3, check=False)


def test_killed_memory_returns(run):
    reads = "cat /proc/meminfo | grep MemFree"
    result = run(ORDINARY, "hello", reads, "memhog 400M &", "memhog 400M &", "wait", reads)
    before, after = (int(result.output(i).split()[1]) for i in (1, 5))
    assert after > before - 1024, f"{before - after} kB did not return"


def test_churn_on_a_tiny_machine(run):
    run("tiny", "churn --steps 3000 --slots 32 --max 64K")
