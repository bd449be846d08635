# SPDX-License-Identifier: MIT
"""The machines that every boot suite runs on: each is a way to be no ordinary machine."""

MACHINES = {
    "tiny": ["--nodes", "1", "--harts", "1", "--memory", "32M"],
    "two-nodes": ["--nodes", "2", "--harts", "4", "--memory", "512M"],
    "four-unequal": ["--node", "mem=64M,cpus=0-3", "--node", "mem=128M,cpus=4",
                     "--node", "mem=32M,cpus=5-6", "--node", "mem=96M,cpus=7",
                     "--distance", "0,3,40", "--distance", "1,2,15"],
    "memoryless": ["--node", "mem=192M,cpus=0-1", "--node", "mem=0,cpus=2-3"],
    "cpuless": ["--node", "mem=128M,cpus=0-1", "--node", "mem=64M,cpus=none"],
    "no-numa": ["--nodes", "0", "--harts", "2", "--memory", "128M"],
    "3G": ["--nodes", "2", "--harts", "2", "--memory", "3G"],
    "6G": ["--nodes", "2", "--harts", "4", "--memory", "6G"],
    "odd": ["--nodes", "1", "--harts", "2", "--memory", "100M+4K"],
    "odd-nodes": ["--node", "mem=37M+12K,cpus=0", "--node", "mem=50M+28K,cpus=1"],
    "interleaved": ["--node", "mem=64M@0:64M@128M,cpus=0", "--node", "mem=64M@64M:32M@224M,cpus=1"],
    "eight-boot-1": [word for nid in range(8)
                     for word in ("--node", f"mem=32M,cpus={nid + 1}")],
}

# Those that take long, or much memory of the host: once is enough for them.
LARGE = {"3G", "6G"}

# For tests where the machine is not the point.
ORDINARY = "two-nodes"


def node_count(name):
    """How many nodes Pagoda should find on machine @name."""
    words = MACHINES[name]
    if "--nodes" in words:
        return max(1, int(words[words.index("--nodes") + 1]))
    return words.count("--node")
