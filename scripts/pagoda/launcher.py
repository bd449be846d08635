# SPDX-License-Identifier: MIT
"""scripts/run, from the words of its command line to its exit status."""
import json
import os
import shutil
import sys
import tempfile
import time

from . import archive, build, devicetree, qemu
from .batch import Screen
from .machine import Wrong, machine_from_options
from .options import (EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, EXIT_PANIC, EXIT_TIMEOUT,
                      EXIT_USAGE, parse_options)
from .session import EXITED, INTERRUPTED, PROMPT, TIMED_OUT, Session


def say(message):
    print(f"scripts/{os.path.basename(sys.argv[0])}: {message}", file=sys.stderr)


def boot_arguments(options):
    words = list(options.append)
    if options.seed is not None:
        words.append(f"seed={options.seed}")
    return " ".join(words)


def batch_commands(options):
    """The commands for the monitor, which knows a guest by its name: ./a.out is /bin/a.out."""
    if options.batch is None:
        return None
    names = dict(options.guest)
    commands = []
    for command in options.batch:
        first, *rest = command.strip().split(None, 1)
        commands.append(" ".join([names.get(first, first)] + rest))
    return commands


def read_guests(options):
    """(name, content) of the guests we ship and of those given, which come first."""
    given = {name: path for path, name in options.guest}
    guests = dict(build.shipped_guests()) | given
    found = []
    for name, path in sorted(guests.items()):
        with open(path, "rb") as file:
            found.append((name, file.read()))
    return found


def prepare(options, machine, directory, image, image_end, content, arguments):
    """
    Write what QEMU reads into @directory; returns the command line that boots @image. @content is
    the archive, @arguments are the boot's.
    """
    address = machine.place(image_end, len(content))
    archive_path = os.path.join(directory, "guests.cpio")
    with open(archive_path, "wb") as file:
        file.write(content)
    tree = devicetree.dump(qemu.QEMU, machine, directory)
    blob = devicetree.describe_machine(tree, machine, arguments,
                                       (address, address + len(content)), options.seed)
    tree_path = os.path.join(directory, "machine.dtb")
    with open(tree_path, "wb") as file:
        file.write(blob)
    disks = qemu.prepare_disks(options.disk, directory)
    return qemu.command_line(machine, options, image, tree_path, (archive_path, address), disks)


def prepare_monitor(options, machine, directory, image, commands):
    """The same for our own image, with its guests and its batch."""
    batch = None if commands is None else "".join(command + "\n" for command in commands)
    content = archive.guest_archive(read_guests(options), batch, options.files)
    return prepare(options, machine, directory, image, build.image_end(image), content,
                   boot_arguments(options))


def judge(screen, how, code, batch):
    """The exit status of a run that ended @how, QEMU with @code; says what went wrong."""
    if screen.panic:
        say(f"the monitor panicked: {screen.panic}")
        return EXIT_PANIC
    if how == INTERRUPTED:
        return EXIT_INTERRUPTED if batch is not None else EXIT_OK
    if how == TIMED_OUT and not screen.done:
        say("time-out; the last lines were:\n" + screen.tail())
        return EXIT_TIMEOUT
    if how == TIMED_OUT:
        say("the machine did not switch itself off after the batch")
    if how == EXITED and code:
        say(f"QEMU ended with status {code}; the last lines were:\n" + screen.tail())
        return EXIT_USAGE if not screen.boot and not screen.last_lines else EXIT_PANIC
    if batch is None:
        return EXIT_OK
    return judge_batch(screen)


def judge_batch(screen):
    """A command may end the machine itself (poweroff); then none may be left behind it."""
    left = [command for command in screen.commands if command.status is None]
    if screen.boot_seconds is None:
        say("the machine ended before it began the batch; the last lines were:\n" + screen.tail())
        return EXIT_PANIC
    if left and not (left[0].began and len(left) == 1):
        say(f"the machine ended before the command: {left[-1].text}")
        return EXIT_FAILED
    return EXIT_FAILED if any(command.status for command in screen.commands) else EXIT_OK


def write_report(path, machine, screen, status, started):
    report = {
        "machine": machine.describe(),
        "status": status,
        "panic": screen.panic,
        "seconds": time.monotonic() - started,
        "boot_seconds": screen.boot_seconds,
        "boot": screen.boot.decode(errors="replace"),
        "commands": [command.describe() for command in screen.commands or []],
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(report, file, indent=2)
        file.write("\n")


def show(data):
    """Bytes for the user; one who has stopped listening (| head) needs no more."""
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def boot(options, machine, directory):
    """Build, prepare, run, report; returns the exit status."""
    image = build.build_all(options.release)
    commands = batch_commands(options)
    command = prepare_monitor(options, machine, directory, image, commands)
    if options.gdb is not None:
        say(f"waiting for gdb: gdb-multiarch {image} -x scripts/gdb/pagoda.py "
            f"-ex 'target remote :{options.gdb}'")
    return play(options, machine, command, commands)


def play(options, machine, command, commands, prompt=PROMPT):
    """Run the machine that @command starts, report; returns the exit status."""
    transcript = open(options.transcript, "wb") if options.transcript else None
    screen = Screen(commands, show, transcript.write if transcript else lambda data: None)
    keyboard = sys.stdin.fileno() if commands is None else None
    if keyboard is not None and os.isatty(keyboard):
        say("Ctrl-C ends the machine, Ctrl-\\ interrupts what runs in it")
    started = time.monotonic()
    try:
        session = Session(command, screen, keyboard, options.timeout, options.silence, prompt)
        how = session.run()
    finally:
        if transcript:
            transcript.close()
    if session.complaint():
        say(session.complaint())
    status = judge(screen, how, session.code, commands)
    if options.json:
        write_report(options.json, machine, screen, status, started)
    return status


def main(argv):
    directory = tempfile.mkdtemp(prefix="pagoda-")
    try:
        options = parse_options(argv)
        machine = machine_from_options(options)
        return boot(options, machine, directory)
    except Wrong as wrong:
        say(str(wrong))
        return EXIT_USAGE
    except OSError as error:
        say(f"{error.filename or 'the launcher'}: {error.strerror}")
        return EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    finally:
        shutil.rmtree(directory, ignore_errors=True)
