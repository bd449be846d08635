# SPDX-License-Identifier: MIT
"""Every machine of the matrix boots, tells the truth about itself, runs a guest, and is sound."""
import pytest
from machines import LARGE, MACHINES, ORDINARY
from views import buddyinfo, fields, free_pages, number_list, zoneinfo

from pagoda.machine import PAGE, RAM_BASE, machine_from_options
from pagoda.options import parse_options

NODES = "/sys/devices/system/node"
DMA32_END = 4 << 30
KEPT_MOST = 0.10  # of memory, for the monitor itself


def described(name):
    return machine_from_options(parse_options(list(MACHINES[name])))


def test_boots_and_is_sound(run, machine):
    result = run(machine, "nodes", "zones", "hello there", "ps")
    assert "argv[1] = there" in result.output("hello there")
    assert "panic" not in result.boot.lower()


def test_nodes_are_told_right(run, machine):
    expected = described(machine)
    reads = [f"cat {NODES}/{file}" for file in ("online", "has_memory", "has_cpu")]
    result = run(machine, *reads)
    online, has_memory, has_cpu = (number_list(result.output(read)) for read in reads)
    assert online == list(range(len(expected.nodes)))
    assert has_memory == [nid for nid, node in enumerate(expected.nodes) if node.size]
    assert has_cpu == [nid for nid, node in enumerate(expected.nodes) if node.harts]


def test_memory_is_all_there(run, machine):
    """Little is kept for the monitor itself, nothing appears from nowhere."""
    expected = described(machine)
    size = sum(node.size for node in expected.nodes)
    result = run(machine, "cat /proc/meminfo", "cat /proc/zoneinfo", "cat /proc/buddyinfo")
    total = fields(result.output("cat /proc/meminfo"))["MemTotal"] * 1024
    kept = size - total
    archive = 6 << 20  # the firmware, the image, the guests: the same on all machines
    assert 0 < kept < size * KEPT_MOST + archive, f"{kept >> 10} KiB of {size >> 10} KiB are kept"
    zones = zoneinfo(result.output("cat /proc/zoneinfo"))
    assert sum(zone["managed"] for zone in zones.values()) * PAGE == total
    for (nid, name), zone in zones.items():
        present = sum(node_range_in_zone(r, name) for r in expected.nodes[nid].ranges)
        assert zone["present"] == present // PAGE, f"node {nid} zone {name}"
        assert zone["managed"] <= zone["present"] <= zone["spanned"]
    free = buddyinfo(result.output("cat /proc/buddyinfo"))
    assert sum(free_pages(blocks) for blocks in free.values()) * PAGE <= total


def node_range_in_zone(memory, zone):
    """How many bytes of a range are below or above the DMA32 boundary."""
    start, end = RAM_BASE + memory.offset, RAM_BASE + memory.end
    below = max(0, min(end, DMA32_END) - start)
    return {"DMA32": below, "Normal": end - start - below}.get(zone, 0)


@pytest.mark.parametrize("name", [ORDINARY, "four-unequal"])
def test_distances(run, name):
    expected = described(name)
    count = len(expected.nodes)
    result = run(name, *(f"cat {NODES}/node{a}/distance" for a in range(count)))
    for a in range(count):
        found = [int(word) for word in result.output(a).split()]
        assert found == [expected.distances[a, b] for b in range(count)]


@pytest.mark.parametrize("name", sorted(LARGE))
def test_both_zones_are_real(run, name):
    result = run(name, "cat /proc/buddyinfo")
    zones = {zone for _, zone in buddyinfo(result.output("cat /proc/buddyinfo"))}
    assert {"DMA32", "Normal"} <= zones


def test_dma32_boundary_by_boot_argument(run):
    """Small machines show several zones when asked to."""
    result = run(ORDINARY, "cat /proc/buddyinfo", options=["--append", "dma32=128M"])
    assert {zone for _, zone in buddyinfo(result.output("cat /proc/buddyinfo"))} >= \
        {"DMA32", "Normal"}


def test_numa_off(run):
    result = run(ORDINARY, f"cat {NODES}/online", options=["--append", "numa=off"])
    assert number_list(result.output(0)) == [0]


def test_mem_limit(run):
    result = run(ORDINARY, "cat /proc/meminfo", options=["--append", "mem=128M"])
    assert fields(result.output(0))["MemTotal"] <= 128 << 10


def test_boot_hart_is_not_0(run):
    result = run("eight-boot-1", "cat /proc/cpuinfo")
    text = result.output(0)
    assert text.count("processor") == 8
    harts = sorted(int(line.split(":")[1]) for line in text.splitlines()
                   if line.startswith("hart"))
    assert harts == list(range(1, 9))


def test_release_image(run):
    run(ORDINARY, "nodes", "hello", options=["--release"])


def test_icount_with_several_harts(run):
    """Harts that run one after the other still make progress together."""
    run(ORDINARY, "hello", options=["--icount"])


def test_same_seed_same_run(run):
    """Under --icount with one hart and a seed a run repeats to the letter."""
    options = ["--harts", "1", "--memory", "64M", "--nodes", "1", "--icount", "--seed", "7"]
    commands = ["churn --steps 500", "cat /proc/vmstat", "dmesg"]
    first = run(options, *commands)
    second = run(options, *commands)
    assert first.stdout == second.stdout
