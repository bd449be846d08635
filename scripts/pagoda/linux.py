# SPDX-License-Identifier: MIT
"""scripts/linux: Debian's riscv64 kernel on the machine that scripts/run would boot Pagoda on.

      Image        the kernel of linux-image-riscv64, fetched once, see debian.py
      archive      /init (guest/linux/init.c), /etc/pagoda.batch, /bin with the same guests
      tree         the same nodes, harts and distances, see devicetree.py

/init speaks Pagoda's batch protocol, so all that comes back over the serial line is read by the
same Screen, and judged in the same way.
"""
import glob
import os
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile

from . import archive, build, debian, devicetree, launcher, qemu
from .machine import RAM_BASE, Wrong, machine_from_options
from .options import EXIT_INTERRUPTED, EXIT_USAGE, parse_options

META_PACKAGE, PREFIX = "linux-image-riscv64", "linux-image-"
INIT = "linux/init"
LARGE_PAGE = 2 << 20  # Linux takes whole ones for itself
IMAGE_AT = RAM_BASE + LARGE_PAGE  # where QEMU puts a kernel: behind the firmware
IMAGE_SIZE_FIELD = 16  # in the header of an Image, Documentation/arch/riscv/boot-image-header.rst
ALWAYS = ["console=ttyS0", "quiet", "panic=-1", "cryptomgr.notests=1"]

HELP = """usage: scripts/linux [options] -- 'NAME args' ...

Runs static riscv64 programs on a real Linux (Debian's kernel), on the machine that scripts/run
describes: --memory, --harts, --nodes, --node, --distance, --guest, --files, --icount, --append,
--seed, --timeout, --silence, --transcript and --json mean the same, see scripts/run --help. A
command is a program of /bin and its words, quoted as in a shell; a shell is
--guest $(scripts/fetch busybox-static)/usr/bin/busybox -- 'busybox sh -c "..."'

Under --icount one CPU goes online (maxcpus=1), since Linux waits for others without yielding.

exit status: 0 all commands succeeded, 1 one failed, 2 wrong use, 3 Linux panicked, 124 time-out
"""


def kernel():
    """The path of Debian's newest kernel, fetched if need be."""
    try:
        folder = debian.fetch(debian.dependency(META_PACKAGE, PREFIX))
    except (OSError, subprocess.CalledProcessError) as error:
        raise Wrong(f"no Linux: {error}; is {debian.mirror()} within reach?") from None
    found = glob.glob(os.path.join(folder, "boot", "vmlinux-*"))
    if not found:
        raise Wrong(f"no kernel in {folder}; remove it and it will be fetched again")
    return found[0]


def image_end(path):
    """The physical address behind the kernel, its zeroed part included."""
    with open(path, "rb") as file:
        size, = struct.unpack_from("<Q", file.read(64), IMAGE_SIZE_FIELD)
    return IMAGE_AT + -(-size // LARGE_PAGE) * LARGE_PAGE


def batch(commands):
    """The file of commands: a line each, NUL behind each word."""
    try:
        return "".join("".join(word + "\0" for word in shlex.split(command)) + "\n"
                       for command in commands)
    except ValueError as error:
        raise Wrong(f"a command: {error}") from None


def initramfs(options, commands):
    """The archive that the kernel unpacks into its root."""
    content = archive.Archive(align=1)  # Linux reads no name longer than a path
    for directory in archive.DIRECTORIES:
        content.directory(directory)
    for folder in options.files:
        content.tree(folder)
    with open(os.path.join(build.GUESTS, INIT), "rb") as file:
        content.file("init", file.read(), 0o755)
    content.file(archive.BATCH, batch(commands).encode())
    for name, program in launcher.read_guests(options):
        content.file(f"bin/{name}", program, 0o755)
    return content.finish()


def boot_arguments(options):
    return " ".join(ALWAYS + (["maxcpus=1"] if options.icount else []) + options.append)


def main(argv):
    if not argv or {"-h", "--help"} & set(argv):
        print(HELP, end="")
        return EXIT_USAGE if not argv else 0
    directory = tempfile.mkdtemp(prefix="pagoda-")
    try:
        options = parse_options(argv)
        if not options.batch:
            raise Wrong("nothing to run; put commands behind --")
        machine = machine_from_options(options)
        image = kernel()
        build.build("guests", "linux-init")
        commands = launcher.batch_commands(options)
        content = initramfs(options, commands)
        command = launcher.prepare(options, machine, directory, image, image_end(image), content,
                                   boot_arguments(options))
        return launcher.play(options, machine, command, commands, b"")
    except Wrong as wrong:
        launcher.say(str(wrong))
        return EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    finally:
        shutil.rmtree(directory, ignore_errors=True)
