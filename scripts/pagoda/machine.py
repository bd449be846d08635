# SPDX-License-Identifier: MIT
"""The machine that is asked for: nodes, the harts on them, the ranges of memory they own.

      0x8000_0000                                                        end of RAM
      | node 0: 256M            | node 1: 64M | hole | node 0: 64M      |
        harts 0-1                 no hart

A node may have no memory, no hart, or several ranges; what no node names is a hole, and a hart
that no node names is switched off. QEMU's own -numa can say little of this (at most four nodes,
each with a hart, one range a node), so it all goes into the device tree: see devicetree.py.
"""
import re
from dataclasses import dataclass, field

RAM_BASE = 0x80000000
PAGE = 4096
MAX_NODES = 16
MAX_HARTS = 64
MIN_MEMORY = 16 << 20
LOCAL_DISTANCE = 10
REMOTE_DISTANCE = 20
MAX_DISTANCE = 254

UNITS = {"": 1, "B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class Wrong(Exception):
    """What was asked for makes no sense; the message says what would."""


@dataclass
class Range:
    """Memory of one node: an offset from the start of RAM, and a size, in bytes."""
    offset: int
    size: int

    @property
    def end(self):
        return self.offset + self.size


@dataclass
class Node:
    ranges: list = field(default_factory=list)
    harts: list = field(default_factory=list)

    @property
    def size(self):
        return sum(r.size for r in self.ranges)


@dataclass
class Machine:
    nodes: list
    distances: dict  # (from, to) -> distance, complete
    numa: bool = True  # False: the tree says nothing of nodes

    @property
    def harts(self):
        """The harts that run, in order of their ids."""
        return sorted(h for node in self.nodes for h in node.harts)

    @property
    def harts_emulated(self):
        """How many harts QEMU must have so that the highest id exists."""
        return max(self.harts) + 1

    @property
    def ram_end(self):
        """The first offset behind all ranges."""
        return max(r.end for node in self.nodes for r in node.ranges)

    def ranges(self):
        """All (offset, size, node id), by offset."""
        return sorted((r.offset, r.size, nid) for nid, node in enumerate(self.nodes)
                      for r in node.ranges)

    def place(self, after, size):
        """The lowest physical address from @after on where @size bytes lie in memory."""
        for offset, length, _ in self.ranges():
            start = max(RAM_BASE + offset, after)
            start = (start + PAGE - 1) // PAGE * PAGE
            if start + size <= RAM_BASE + offset + length:
                return start
        raise Wrong(f"no range of memory has room for the {size >> 10} KiB of guests; "
                    "give the machine more memory")

    def describe(self):
        """For the JSON report."""
        return {
            "nodes": [{"memory": node.size, "harts": node.harts,
                       "ranges": [[RAM_BASE + r.offset, r.size] for r in node.ranges]}
                      for node in self.nodes],
            "harts": len(self.harts),
            "memory": sum(node.size for node in self.nodes),
            "numa": self.numa,
            "distances": [[self.distances[a, b] for b in range(len(self.nodes))]
                          for a in range(len(self.nodes))],
        }


def parse_size(text, what="size"):
    """'512M', '0x1000', '100M+4K' in bytes."""
    total = 0
    for part in text.split("+"):
        match = re.fullmatch(r"(0[xX][0-9a-fA-F]+|[0-9]+)([BKMGT]?)", part.strip(), re.IGNORECASE)
        if not match:
            raise Wrong(f"{what}: '{text}' is no size; write it like 512M, 2G, 100M+4K")
        total += int(match.group(1), 0 if match.group(1)[:2].lower() == "0x" else 10) * \
            UNITS[match.group(2).upper()]
    if total % PAGE:
        hint = f"write a unit, like {text}M" if total < PAGE else f"{total // PAGE * PAGE} would be"
        raise Wrong(f"{what}: {total} bytes are not whole pages of {PAGE}; {hint}")
    return total


def parse_list(text, what):
    """'0-3,5' as [0, 1, 2, 3, 5]; 'none' as []."""
    if text == "none":
        return []
    found = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", part)
        if not match or int(match.group(2) or match.group(1)) < int(match.group(1)):
            raise Wrong(f"{what}: '{text}' is no list; write it like 0-3,5 or none")
        found += range(int(match.group(1)), int(match.group(2) or match.group(1)) + 1)
    return found


def parse_node(text):
    """One --node: 'mem=SIZE[@OFFSET][:SIZE[@OFFSET]]...,cpus=LIST' as a dict of its words."""
    words = {}
    key = None
    for part in text.split(","):
        if "=" in part:
            key, value = part.split("=", 1)
            if key not in ("mem", "cpus"):
                raise Wrong(f"--node {text}: '{key}' is neither mem nor cpus")
            if key in words:
                raise Wrong(f"--node {text}: {key} is given twice")
            words[key] = value
        elif key == "cpus":  # cpus=0,2: the comma belongs to the list
            words[key] += "," + part
        else:
            raise Wrong(f"--node {text}: write it like mem=256M,cpus=0-1")
    return words


def node_ranges(text, start):
    """The ranges of 'SIZE[@OFFSET]:...', those without an offset from @start on."""
    ranges = []
    for part in text.split(":"):
        size, _, at = part.partition("@")
        if at:
            start = parse_size(at, "--node mem=")
        size = parse_size(size, "--node mem=")
        if size:
            ranges.append(Range(start, size))
        start += size
    return ranges, start


def even_harts(nodes, count):
    """Spread @count harts over @nodes, neighbours together."""
    for nid, node in enumerate(nodes):
        node.harts = list(range(nid * count // len(nodes), (nid + 1) * count // len(nodes)))


def even_nodes(count, harts, memory):
    """@count nodes that share @memory evenly; the last one has what does not divide."""
    each = memory // count // PAGE * PAGE
    nodes = [Node([Range(i * each, each)]) for i in range(count)]
    nodes[-1].ranges[0].size = memory - (count - 1) * each
    even_harts(nodes, harts)
    return nodes


def uneven_nodes(texts, harts):
    """The nodes of all --node options. Without any cpus= they share --harts evenly."""
    words = [parse_node(text) for text in texts]
    nodes = []
    start = 0
    for word in words:
        ranges, start = node_ranges(word.get("mem", "0"), start)
        nodes.append(Node(ranges))
    if any("cpus" in word for word in words):
        for node, word in zip(nodes, words):
            node.harts = parse_list(word.get("cpus", "none"), "--node cpus=")
        named = [h for node in nodes for h in node.harts]
        if harts is not None and harts != len(named):
            raise Wrong(f"--harts {harts}, but the --node options name {len(named)} harts; "
                        "leave --harts out")
    else:
        even_harts(nodes, 4 if harts is None else harts)
    return nodes


def full_distances(count, given):
    """The whole matrix. A distance holds both ways unless the way back has its own."""
    matrix = {(a, b): LOCAL_DISTANCE if a == b else REMOTE_DISTANCE
              for a in range(count) for b in range(count)}
    explicit = {}
    for text in given:
        try:
            a, b, distance = (int(word) for word in text.split(","))
        except ValueError:
            raise Wrong(f"--distance {text}: write it like 0,1,30 "
                        "(from node 0 to node 1, 10 is local)") from None
        if not (0 <= a < count and 0 <= b < count):
            raise Wrong(f"--distance {text}: the nodes are 0 to {count - 1}")
        if (a == b) != (distance == LOCAL_DISTANCE) or \
                not LOCAL_DISTANCE <= distance <= MAX_DISTANCE:
            raise Wrong(f"--distance {text}: a node is {LOCAL_DISTANCE} from itself and "
                        f"{LOCAL_DISTANCE + 1} to {MAX_DISTANCE} from others")
        explicit[a, b] = distance
    for (a, b), distance in explicit.items():
        matrix[a, b] = distance
        matrix[b, a] = explicit.get((b, a), distance)
    return matrix


def check(machine):
    """Refuse what no machine can be."""
    harts = machine.harts
    if len(machine.nodes) > MAX_NODES:
        raise Wrong(f"{len(machine.nodes)} nodes; at most {MAX_NODES} are possible")
    if not harts:
        raise Wrong("no node has a hart; give one of them cpus=")
    for a, b in zip(harts, harts[1:]):
        if a == b:
            raise Wrong(f"hart {a} is named twice; a hart is on one node")
    if machine.harts_emulated > MAX_HARTS:
        raise Wrong(f"hart {harts[-1]}; at most {MAX_HARTS} harts, 0 to {MAX_HARTS - 1}, "
                    "are possible")
    ranges = machine.ranges()
    total = sum(size for _, size, _ in ranges)
    if total < MIN_MEMORY:
        raise Wrong(f"{total >> 10} KiB of memory; at least {MIN_MEMORY >> 20}M are needed")
    if ranges[0][0] != 0:
        raise Wrong("no node owns the start of memory, where the firmware and the monitor lie; "
                    "give one of them @0")
    for (a, size, nid), (b, _, other) in zip(ranges, ranges[1:]):
        if a + size > b:
            raise Wrong(f"ranges of node {nid} and node {other} overlap at offset {b:#x}")


def machine_from_options(options):
    """The Machine of --nodes, --harts, --memory, --node and --distance."""
    if options.node:
        if options.nodes is not None or options.memory is not None:
            raise Wrong("--node describes each node; leave --nodes and --memory out")
        nodes = uneven_nodes(options.node, options.harts)
        numa = True
    else:
        count = 2 if options.nodes is None else options.nodes
        harts = 4 if options.harts is None else options.harts
        memory = parse_size(options.memory or "512M", "--memory")
        if count < 0 or count > MAX_NODES:
            raise Wrong(f"--nodes {count}: 1 to {MAX_NODES} nodes, or 0 for a machine "
                        "that does not tell")
        if harts < 1:
            raise Wrong(f"--harts {harts}: a machine has at least one")
        numa = count > 0
        nodes = even_nodes(max(count, 1), harts, memory)
    machine = Machine(nodes, full_distances(len(nodes), options.distance), numa)
    check(machine)
    return machine
