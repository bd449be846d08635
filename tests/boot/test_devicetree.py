# SPDX-License-Identifier: MIT
"""The trees that the launcher writes, read back by the device tree compiler's tools."""
import subprocess

import pytest
from machines import MACHINES, node_count

from pagoda import archive, devicetree, qemu
from pagoda.machine import RAM_BASE, machine_from_options
from pagoda.options import parse_options


class Tree:
    """A device tree as fdtget and dtc see it."""

    def __init__(self, words, directory, seed=None):
        self.machine = machine_from_options(parse_options(list(words)))
        tree = devicetree.dump(qemu.QEMU, self.machine, str(directory))
        blob = devicetree.describe_machine(tree, self.machine, "loglevel=7",
                                           (0x80400000, 0x80500000), seed)
        self.path = str(directory / "machine.dtb")
        with open(self.path, "wb") as file:
            file.write(blob)

    def get(self, node, name, kind="x"):
        done = subprocess.run(["fdtget", "-t", kind, "-d", "absent", self.path, node, name],
                              capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def children(self, node):
        done = subprocess.run(["fdtget", "-l", self.path, node], capture_output=True, text=True,
                              check=True)
        return done.stdout.split()

    def memory(self):
        """[(base, size, node id or None)] in the order of the tree."""
        found = []
        for name in self.children("/"):
            if name.startswith("memory@"):
                cells = [int(cell, 16) for cell in self.get("/" + name, "reg").split()]
                nid = self.get("/" + name, "numa-node-id", "u")
                found.append((cells[0] << 32 | cells[1], cells[2] << 32 | cells[3],
                              None if nid == "absent" else int(nid)))
        return found

    def harts(self):
        """{hart id: (node id or None, status)}."""
        found = {}
        for name in self.children("/cpus"):
            if name.startswith("cpu@"):
                nid = self.get("/cpus/" + name, "numa-node-id", "u")
                found[int(name[4:], 16)] = (None if nid == "absent" else int(nid),
                                            self.get("/cpus/" + name, "status", "s"))
        return found


M = 1 << 20


@pytest.mark.parametrize("name", MACHINES)
def test_dtc_finds_nothing_wrong(name, tmp_path):
    tree = Tree(MACHINES[name], tmp_path)
    done = subprocess.run(["dtc", "-O", "dts", "-W", "no-interrupt_provider", tree.path],
                          capture_output=True, text=True, check=True)
    assert done.stdout.startswith("/dts-v1/;")
    assert "memory@" not in done.stderr and "cpu@" not in done.stderr, done.stderr


@pytest.mark.parametrize("name", MACHINES)
def test_memory_is_complete(name, tmp_path):
    tree = Tree(MACHINES[name], tmp_path)
    memory = tree.memory()
    assert sum(size for _, size, _ in memory) == sum(n.size for n in tree.machine.nodes)
    assert [base for base, _, _ in memory] == sorted(base for base, _, _ in memory)
    named = {nid for _, _, nid in memory} - {None}
    assert named == (set(range(node_count(name))) if tree.machine.numa else set())


def test_two_nodes(tmp_path):
    tree = Tree([], tmp_path)
    assert tree.memory() == [(RAM_BASE, 256 * M, 0), (RAM_BASE + 256 * M, 256 * M, 1)]
    assert tree.harts() == {0: (0, "okay"), 1: (0, "okay"), 2: (1, "okay"), 3: (1, "okay")}
    assert tree.get("/distance-map", "distance-matrix", "u") == "0 0 10 0 1 20 1 0 20 1 1 10"
    assert tree.get("/distance-map", "compatible", "s") == "numa-distance-map-v1"


def test_no_numa(tmp_path):
    tree = Tree(MACHINES["no-numa"], tmp_path)
    assert tree.memory() == [(RAM_BASE, 128 * M, None)]
    assert tree.harts() == {0: (None, "okay"), 1: (None, "okay")}
    assert "distance-map" not in tree.children("/")


def test_memoryless_and_cpuless(tmp_path):
    words = "--node mem=256M,cpus=0-1 --node mem=64M,cpus=none --node mem=0,cpus=2-3".split()
    tree = Tree(words, tmp_path)
    assert tree.memory()[:2] == [(RAM_BASE, 256 * M, 0), (RAM_BASE + 256 * M, 64 * M, 1)]
    assert [(size, nid) for _, size, nid in tree.memory()[2:]] == [(0, 2)]
    assert [tree.harts()[hart][0] for hart in range(4)] == [0, 0, 2, 2]


def test_interleaved(tmp_path):
    tree = Tree(MACHINES["interleaved"], tmp_path)
    assert [(base - RAM_BASE, size, nid) for base, size, nid in tree.memory()] == [
        (0, 64 * M, 0), (64 * M, 64 * M, 1), (128 * M, 64 * M, 0), (224 * M, 32 * M, 1)]


def test_unnamed_hart_is_off(tmp_path):
    harts = Tree(MACHINES["eight-boot-1"], tmp_path).harts()
    assert harts[0] == (None, "disabled")
    assert [harts[hart] for hart in range(1, 9)] == [(nid, "okay") for nid in range(8)]


def test_odd_size_to_the_page(tmp_path):
    assert Tree(MACHINES["odd"], tmp_path).memory() == [(RAM_BASE, 100 * M + 4096, 0)]


def test_distances(tmp_path):
    words = ["--nodes", "3", "--distance", "0,2,40", "--distance", "1,2,30", "--distance",
             "2,1,33"]
    cells = Tree(words, tmp_path).get("/distance-map", "distance-matrix", "u").split()
    found = {(a, b): d for a, b, d in zip(*(map(int, cells[i::3]) for i in range(3)))}
    assert found == {(0, 0): 10, (0, 1): 20, (0, 2): 40, (1, 0): 20, (1, 1): 10, (1, 2): 30,
                     (2, 0): 40, (2, 1): 33, (2, 2): 10}


def test_chosen(tmp_path):
    tree = Tree([], tmp_path, seed=5)
    assert tree.get("/chosen", "bootargs", "s") == "loglevel=7"
    assert tree.get("/chosen", "linux,initrd-start") == "0 80400000"
    assert tree.get("/chosen", "linux,initrd-end") == "0 80500000"
    again = Tree([], tmp_path, seed=5).get("/chosen", "rng-seed")
    assert tree.get("/chosen", "rng-seed") == again
    assert Tree([], tmp_path, seed=6).get("/chosen", "rng-seed") != again


def test_archive_is_page_aligned():
    """Each file's data begins on a page and shares it with no other byte."""
    content = {"one": b"a" * 10000, "two": b"2nd", "three": bytes(range(256)) * 16}
    data = archive.guest_archive(list(content.items()), "nodes\n")
    assert len(data) % archive.PAGE == 0
    for text in list(content.values()) + [b"nodes\n"]:
        at = data.index(text)
        assert at % archive.PAGE == 0
        end = at + len(text)
        assert not any(data[end:(end + archive.PAGE - 1) // archive.PAGE * archive.PAGE])
