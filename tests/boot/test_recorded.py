# SPDX-License-Identifier: MIT
"""The records of what Linux printed: they tell enough, and qemu-riscv64 says the same."""
import os
import subprocess

import pytest
from conftest import ROOT, patience
from recorded import RECORDED, assert_as_on_linux, parse, recorded

NAMES = sorted(name.removesuffix(".txt") for name in os.listdir(RECORDED))

# What qemu-riscv64 has not, or passes on to a host that is no riscv64 machine.
EMULATOR_LACKS = {
    "bombs": "limits on processes of its own",
    "cow": "pages of its own: it shows those of the host",
    "cxx": "nothing, but it is built by another compiler",
    "edges": "places of mappings near the end of an address space of 256 GiB",
    "epoll": "epoll_pwait2",
    "eventfiles": "a signalfd's check of the size of a set",
    "futex": "owners that die: robust lists and priority inheritance",
    "hostile": "guards of its own: it aborts at some bad pointers",
    "jobs": "stopping itself, as its parent should see it",
    "layout": "the layouts of a riscv64 process",
    "memory": "errors of madvise and mincore",
    "migrate": "nodes",
    "misc": "a child that ends by a signal's handler, and ids of its own",
    "mlock": "what is locked, and MADV_REMOVE",
    "mqueue": "mq_notify",
    "msg": "addresses that cannot be written to",
    "newmem": "process_madvise, mseal and memfd_secret",
    "numa": "nodes",
    "openat2": "openat2",
    "overcommit": "a meminfo of its own",
    "place": "nodes",
    "prctl": "most of prctl's options",
    "process": "vfork, and who executes",
    "rseq": "rseq",
    "signals": "alternate stacks and real-time queues, in full",
    "splice": "the ioctls that all files have",
    "threads": "owners that die: robust lists",
    "unixmsg": "MSG_CTRUNC for descriptors that did not fit",
    "userfault": "userfaultfd",
    "vdso": "a vdso, before 8.2",
    "views": "a /proc of its own",
}


def test_records_are_whole():
    """At least 300 things that Linux did as we say, and none that it did not."""
    assert sum(parse(recorded(name))[1] for name in NAMES) >= 300


@pytest.mark.parametrize("name", [name for name in NAMES if name not in EMULATOR_LACKS])
def test_emulator_says_the_same(tmp_path, name):
    program = tmp_path / name
    subprocess.run(["riscv64-linux-gnu-gcc", "-O1", "-static", f"-I{ROOT}/tests/abi", "-o",
                    str(program), f"{ROOT}/tests/abi/{name}.c", "-lpthread"], check=True)
    done = subprocess.run(["qemu-riscv64", str(program)], text=True, capture_output=True,
                          cwd=tmp_path, timeout=patience(60), check=False)
    assert_as_on_linux(name, done.stdout)
