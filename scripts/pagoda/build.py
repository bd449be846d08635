# SPDX-License-Identifier: MIT
"""make, and where its results are. MODE, CC_KIND and B mean what they mean to the Makefile."""
import fcntl
import os
import struct
import subprocess

from .machine import Wrong

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
GUESTS = os.path.join(ROOT, "build", "guest")
PT_LOAD = 1


def build_directory(release):
    """The Makefile's $B, from the root."""
    mode = "release" if release else os.environ.get("MODE", "debug")
    return os.environ.get("B", f"build/{mode}-{os.environ.get('CC_KIND', 'gcc')}"), mode


def build(*targets):
    """Make @targets. One build at a time."""
    os.makedirs(os.path.join(ROOT, "build"), exist_ok=True)
    # Called from make we are no part of it: its job server and its variables are not for us.
    environment = {k: v for k, v in os.environ.items()
                   if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES")}
    command = ["make", "-s", f"-j{os.cpu_count() or 1}", "-C", ROOT, *targets]
    with open(os.path.join(ROOT, "build", ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", check=False)
    if done.returncode:
        raise Wrong("the build failed:\n" + done.stdout.rstrip())


def build_all(release):
    """Make the image and the guests; returns the image's path."""
    directory, mode = build_directory(release)
    build(f"B={directory}", f"MODE={mode}", "image", "guests")
    return os.path.join(ROOT, directory, "pagoda.elf")


def shipped_guests():
    """(name, path) of the guests that `make guests` has built for the sources there are."""
    sources = os.listdir(os.path.join(ROOT, "guest"))
    names = sorted(file[:-2] for file in sources if file.endswith(".c"))
    return [(name, os.path.join(GUESTS, name)) for name in names]


def image_end(path):
    """The physical address behind the image, its zeroed part included."""
    with open(path, "rb") as file:
        header = file.read(64)
        if header[:5] != b"\x7fELF\x02":
            raise Wrong(f"{path} is no 64-bit ELF file; make clean and build again")
        phoff, = struct.unpack_from("<Q", header, 32)
        phentsize, phnum = struct.unpack_from("<HH", header, 54)
        file.seek(phoff)
        table = file.read(phentsize * phnum)
    end = 0
    for i in range(phnum):
        kind, _, _, _, paddr, _, memsz = struct.unpack_from("<IIQQQQQ", table, i * phentsize)
        if kind == PT_LOAD:
            end = max(end, paddr + memsz)
    return end
