# SPDX-License-Identifier: MIT
"""The command line of scripts/run."""
import argparse
import os

from .machine import Wrong, parse_size

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_PANIC = 3
EXIT_TIMEOUT = 124
EXIT_INTERRUPTED = 130

EXAMPLES = """
sizes are like 64M, 2G, 100M+4K. Without commands the console is yours: Ctrl-C ends the machine,
Ctrl-\\ interrupts what runs in it. With commands behind -- each is run in turn, then the machine
is switched off.

exit status: 0 all commands succeeded, 1 one failed, 2 wrong use, 3 the monitor panicked,
124 time-out

examples:
  scripts/run
  scripts/run --nodes 4 --harts 8 --memory 512M -- nodes zones check
  scripts/run --node mem=256M,cpus=0-1 --node mem=64M,cpus=none --node mem=0,cpus=2-3
  scripts/run --node mem=64M@0:64M@128M,cpus=0 --node mem=64M@64M,cpus=1   (interleaved)
  scripts/run --guest ./a.out -- 'a.out 1 2 3' check
"""


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Wrong(f"{message}; see scripts/run --help")


def parser():
    p = Parser(prog="scripts/run", add_help=True, allow_abbrev=False,
               usage="scripts/run [options] [-- 'console command'...]",
               formatter_class=argparse.RawDescriptionHelpFormatter,
               description="Builds what is stale and boots Pagoda on the machine described.",
               epilog=EXAMPLES)
    machine = p.add_argument_group("the machine")
    machine.add_argument("--nodes", type=int, metavar="N",
                         help="NUMA nodes that share memory and harts evenly (2); "
                              "0: a machine that tells nothing of nodes")
    machine.add_argument("--harts", type=int, metavar="N", help="harts (4)")
    machine.add_argument("--memory", metavar="SIZE", help="memory of all nodes (512M)")
    machine.add_argument("--node", action="append", default=[],
                         metavar="mem=SIZE[@OFFSET][:...],cpus=LIST",
                         help="one node of an uneven machine; repeat for each. mem=0 and cpus=none "
                              "are possible, harts that no node names are switched off")
    machine.add_argument("--distance", action="append", default=[], metavar="A,B,D",
                         help="distance between nodes A and B (20; a node itself is at 10)")
    machine.add_argument("--disk", action="append", default=[], metavar="FILE|SIZE",
                         help="a disk: a file, or an empty one of that size")
    what = p.add_argument_group("what runs on it")
    what.add_argument("--guest", action="append", default=[], metavar="FILE[:NAME]",
                      help="put a static riscv64 ELF program into /bin")
    what.add_argument("--files", action="append", default=[], metavar="DIR",
                      help="put all that is in the folder into /")
    what.add_argument("--append", action="append", default=[], metavar="ARGS",
                      help="boot arguments, like mem=128M loglevel=7")
    what.add_argument("--release", action="store_true", help="the image without debug checks")
    how = p.add_argument_group("how it runs")
    how.add_argument("--icount", action="store_true",
                     help="one instruction a nanosecond, repeatable")
    how.add_argument("--seed", type=int, metavar="N", help="seed of everything that is random")
    how.add_argument("--gdb", nargs="?", const="1234", metavar="PORT",
                     help="wait for gdb on that port (1234) before the first instruction")
    how.add_argument("--timeout", type=float, metavar="S", help="give up after S seconds")
    how.add_argument("--silence", type=float, metavar="S",
                     help="give up when the console printed nothing for S seconds")
    how.add_argument("--transcript", metavar="FILE", help="keep all that the console printed")
    how.add_argument("--json", metavar="FILE", help="keep machine, commands and results")
    return p


def check_guest(text):
    """(path, name) of one --guest FILE[:NAME]."""
    path, colon, name = text.rpartition(":")
    if not colon or os.path.exists(text):
        path, name = text, os.path.basename(text)
    if not name or "/" in name:
        raise Wrong(f"--guest {text}: a guest's name is one word without /")
    if not os.path.isfile(path):
        raise Wrong(f"--guest {text}: there is no file {path}")
    return path, name


def check_disk(text):
    """(path or None, size) of one --disk."""
    if os.path.exists(text):
        return text, os.path.getsize(text)
    try:
        size = parse_size(text)
    except Wrong:
        raise Wrong(f"--disk {text}: neither a file nor a size like 64M") from None
    if size == 0:
        raise Wrong("--disk 0: a disk has at least a page")
    return None, size


def parse_options(argv):
    """The options, and the batch: a list of commands, or None when the console is wanted."""
    batch = None
    if "--" in argv:
        split = argv.index("--")
        argv, batch = argv[:split], argv[split + 1:]
    options = parser().parse_args(argv)
    options.guest = [check_guest(text) for text in options.guest]
    for folder in options.files:
        if not os.path.isdir(folder):
            raise Wrong(f"--files {folder}: there is no folder {folder}")
    options.disk = [check_disk(text) for text in options.disk]
    names = [name for _, name in options.guest]
    for name in names:
        if names.count(name) > 1:
            raise Wrong(f"--guest: two guests are named {name}; name one FILE:NAME")
    for name in ("timeout", "silence"):
        seconds = getattr(options, name)
        if seconds is not None and not seconds > 0:
            raise Wrong(f"--{name}: a number of seconds above 0")
    if options.seed is not None and not 0 <= options.seed < 1 << 64:
        raise Wrong("--seed: a number from 0 to 2^64 - 1")
    if options.gdb is not None and not options.gdb.isdigit():
        raise Wrong(f"--gdb {options.gdb}: a port number")
    for file in (options.transcript, options.json):
        if file and not os.path.isdir(os.path.dirname(file) or "."):
            raise Wrong(f"{file}: there is no such directory")
    for command in batch or []:
        if "\n" in command or "\r" in command or not command.strip():
            raise Wrong(f"{command!r}: a command is one line and not empty")
    options.batch = batch
    return options
