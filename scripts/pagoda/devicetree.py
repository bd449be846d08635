# SPDX-License-Identifier: MIT
"""QEMU's device tree, rewritten so that it tells of the machine that was asked for.

QEMU is booted with one socket whatever the nodes are: with several, each has its own interrupt
controller and the disks' interrupts end in one that the boot hart may not be wired to. NUMA is
then only what the tree says:

      /cpus/cpu@H         numa-node-id = the node of hart H; status = "disabled" on no node
      /memory@BASE        one for each range, numa-node-id; a node without memory has one of size 0
      /distance-map       all distances
      /chosen             bootargs, where the guests lie (linux,initrd-*), rng-seed
"""
import os
import random
import subprocess

import libfdt

from .machine import PAGE, RAM_BASE, Wrong

ROOM = 16384  # more than all that we add
SEED_BYTES = 32


def dump(qemu, machine, directory):
    """The tree that QEMU makes for as many harts and as much memory."""
    path = os.path.join(directory, "qemu.dtb")
    command = [qemu, "-M", f"virt,dumpdtb={path}", "-cpu", "rv64",
               "-smp", str(machine.harts_emulated), "-m", f"{machine.ram_end}B",
               "-display", "none", "-serial", "none", "-monitor", "none"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False)
    if done.returncode or not os.path.exists(path):
        raise Wrong("QEMU cannot make this machine: " + done.stderr.strip())
    with open(path, "rb") as file:
        tree = libfdt.Fdt(bytearray(file.read()))
    tree.pack()
    return tree


def subnodes(tree, parent):
    """The offsets of all children of @parent; the tree may not change meanwhile."""
    found = []
    node = tree.first_subnode(parent, [libfdt.NOTFOUND])
    while node >= 0:
        found.append(node)
        node = tree.next_subnode(node, [libfdt.NOTFOUND])
    return found


def cells(*values):
    """Each value as one big-endian 32-bit cell."""
    return b"".join(value.to_bytes(4, "big") for value in values)


def pairs(*values):
    """Each value as two cells."""
    return b"".join(value.to_bytes(8, "big") for value in values)


def rewrite_harts(tree, machine):
    node_of = {hart: nid for nid, node in enumerate(machine.nodes) for hart in node.harts}
    names = [tree.get_name(node) for node in subnodes(tree, tree.path_offset("/cpus"))]
    for name in names:
        if not name.startswith("cpu@"):
            continue
        path = f"/cpus/{name}"
        hart = int.from_bytes(bytes(tree.getprop(tree.path_offset(path), "reg")), "big")
        if hart not in node_of:
            tree.setprop_str(tree.path_offset(path), "status", "disabled")
        elif machine.numa:
            tree.setprop_u32(tree.path_offset(path), "numa-node-id", node_of[hart])


def add_memory(tree, base, size, nid):
    node = tree.add_subnode(0, f"memory@{base:x}")
    tree.setprop(node, "reg", pairs(base, size))
    tree.setprop_str(node, "device_type", "memory")
    if nid is not None:
        tree.setprop_u32(node, "numa-node-id", nid)


def rewrite_memory(tree, machine):
    names = [tree.get_name(node) for node in subnodes(tree, 0)]
    for name in names:
        if name.startswith("memory@"):
            tree.del_node(tree.path_offset("/" + name))
    # libfdt puts a new node before its older siblings, and QEMU's order is by address.
    empty = [nid for nid, node in enumerate(machine.nodes) if not node.ranges]
    for nid in reversed(empty):
        add_memory(tree, RAM_BASE + machine.ram_end + nid * PAGE, 0, nid)
    for offset, size, nid in reversed(machine.ranges()):
        add_memory(tree, RAM_BASE + offset, size, nid if machine.numa else None)


def add_distances(tree, machine):
    count = len(machine.nodes)
    node = tree.add_subnode(0, "distance-map")
    tree.setprop_str(node, "compatible", "numa-distance-map-v1")
    tree.setprop(node, "distance-matrix",
                 b"".join(cells(a, b, machine.distances[a, b])
                          for a in range(count) for b in range(count)))


def rewrite_chosen(tree, bootargs, archive, seed):
    chosen = tree.path_offset("/chosen")
    tree.setprop_str(chosen, "bootargs", bootargs)
    if archive:
        start, end = archive
        tree.setprop_u64(chosen, "linux,initrd-start", start)
        tree.setprop_u64(chosen, "linux,initrd-end", end)
    if seed is not None:
        tree.setprop(chosen, "rng-seed", random.Random(seed).randbytes(SEED_BYTES))


def describe_machine(tree, machine, bootargs, archive, seed):
    """Rewrite @tree, a dump. @archive is (start, end) of the guests or None."""
    tree.resize(tree.totalsize() + ROOM)
    rewrite_harts(tree, machine)
    rewrite_memory(tree, machine)
    if machine.numa and len(machine.nodes) > 1:
        add_distances(tree, machine)
    rewrite_chosen(tree, bootargs, archive, seed)
    tree.pack()
    return bytes(tree.as_bytearray())
