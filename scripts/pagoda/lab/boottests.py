# SPDX-License-Identifier: MIT
"""Boots of a lab: machines, batches of commands, and what must come of them.

Every boot runs under -icount, so that it repeats to the instruction and has a time of its own. A
hang is noticed in that time: when it went on by the machine's `quiet` seconds and the machine
neither printed nor finished a command, or when it stands still. A busy host changes neither.
"""
import os
import random
import re
import shutil
import subprocess

from .. import launcher
from ..batch import Screen
from ..build import ROOT
from ..machine import machine_from_options
from ..options import parse_options
from . import sandbox
from .evidence import Evidence
from .qmp import Watch
from .sign import command_signatures

OUTPUT_MOST = 2 << 20
HANG = "a hang"
BOOT_SHARE = 0.2  # of the time that a command may be quiet for; a boot is a matter of milliseconds


def draw_machine(seed):
    """Options of a machine drawn from a seed: 1 to 4 nodes, uneven, some without memory."""
    rng = random.Random(f"machine {seed}")
    words, hart = [], 0
    for nid in range(rng.randint(1, 4)):
        size = rng.choice([0, 12, 24, 40]) if nid else rng.choice([40, 56, 72])
        odd = rng.choice(["", "+4K", "+508K"]) if size else ""
        count = rng.choice([0, 1]) if nid else 1
        words += ["--node", f"mem={size}M{odd},cpus={hart if count else 'none'}"]
        hart += count
    return words


def commands_of(machine, seed):
    """The batch, {seed} filled in; `check` is always the last."""
    commands = [command.replace("{seed}", str(seed & 0xffff)) for command in machine.commands]
    return commands + ["check"]


def qemu_command(machine, image, guests, seed, directory):
    """(command line of QEMU, the batch) for one machine of the manifest."""
    options = machine.options + (draw_machine(seed) if machine.draw else [])
    batch = commands_of(machine, seed)
    parsed = parse_options([*options, *guests, "--icount", "--seed", str(seed & 0xffffffff), "--",
                            *batch])
    described = machine_from_options(parsed)
    commands = launcher.batch_commands(parsed)
    command = launcher.prepare_monitor(parsed, described, directory, image, commands)
    return command, commands, options


def watch_machine(process, screen, watch, quiet):
    """Feed @screen until the machine ends; returns why it was stopped, or nothing."""
    received = 0
    while True:
        data = watch.wait_output(process.stdout)
        if data == b"":
            return ""
        if data:
            received += len(data)
            screen.feed(data)
            watch.progress()
        if received > OUTPUT_MOST:
            return f"it printed more than {OUTPUT_MOST >> 20} MiB"
        why = watch.hang(quiet if screen.boot_seconds is not None else quiet * BOOT_SHARE)
        if why:
            return why


def boot(work, machine, image, guests, seed):
    """Boot once; returns (screen, why it was stopped, exit status, options)."""
    directory = os.path.join(work.scratch, "boot")
    os.makedirs(directory)
    command, commands, options = qemu_command(machine, image, guests, seed, directory)
    socket_path = os.path.join(directory, "qmp")
    if os.geteuid() == 0:
        for name in os.listdir(directory):
            os.chown(os.path.join(directory, name), sandbox.user(), -1)
        os.chown(directory, sandbox.user(), -1)
    screen = Screen(commands, lambda data: None, lambda data: None)
    limits = sandbox.Limits(cpu=900, memory=2500)
    process = sandbox.start([*command, "-qmp", f"unix:{socket_path},server=on,wait=off"],
                            work.folder, limits, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL)
    stopped = watch_machine(process, screen, Watch(socket_path), machine.quiet)
    if stopped:
        sandbox.end(process)
    status = process.wait()
    process.stdout.close()
    shutil.rmtree(directory, ignore_errors=True)
    return screen, stopped, status, options


def panic_report(screen, image):
    """What the machine printed last, with files and lines put to its addresses."""
    lines = screen.tail_lines()
    first = next((i for i, line in enumerate(lines) if "Kernel panic" in line), 0)
    text = "\n".join(lines[first:first + 24])
    done = subprocess.run([os.path.join(ROOT, "scripts", "symbolize"), "-e", image], text=True,
                          input=text + "\n", capture_output=True, check=False)
    where = done.stdout if done.returncode == 0 else text
    return re.sub(r"\S*/tree/", "", where).rstrip()


def judge_command(machine, screen, index, key):
    """(fault, expected, got) of one command; nothing, if it did what it should."""
    command = screen.commands[index]
    if command.status is None:
        return f"'{command.text}' did not end", "status 0", "no end"
    output = bytes(command.output)
    status_sig, output_sig = command_signatures(key, index, command.status, output)
    if command.signatures[:1] != [status_sig]:
        return f"'{command.text}': its end is not signed by the monitor", "a signature", "none"
    if command.status:
        return (f"'{command.text}' failed:\n" + output.decode(errors="replace")[-800:].rstrip(),
                "status 0", f"status {command.status}")
    pattern = machine.expect.get(command.text.split()[0]) or machine.expect.get(command.text)
    if pattern:
        if command.signatures[1:] != [output_sig]:
            return f"'{command.text}': not all it printed is the monitor's", "signed output", ""
        if not re.search(pattern, output.decode(errors="replace"), re.MULTILINE):
            return (f"'{command.text}' printed\n{output.decode(errors='replace')[-800:].rstrip()}",
                    f"a line like {pattern}", "none")
    return "", "", ""


def judge(machine, screen, stopped, status, image, key):
    """(fault, expected, got) of a boot."""
    if screen.panic and not screen.done:
        return panic_report(screen, image), "no panic", screen.panic.split("] ")[-1]
    for index in range(len(screen.commands)):
        fault, expected, got = judge_command(machine, screen, index, key)
        if fault and not stopped:
            return fault, expected, got
    if stopped:
        left = next((c.text for c in screen.commands if c.status is None), "")
        during = f"in '{left}'" if left and screen.boot_seconds is not None else "in its boot"
        return (f"{stopped}, {during}; the last lines were:\n{screen.tail()}",
                "all commands end, then the machine does", HANG)
    if not screen.done or status:
        return f"the machine did not switch itself off; QEMU ended with {status}", "an end", ""
    return "", "", ""


def run_machine(work, machine, image, guests, seed):
    """(Evidence, {command: output}) of one machine of the manifest."""
    screen, stopped, status, options = boot(work, machine, image, guests, seed)
    fault, expected, got = judge(machine, screen, stopped, status, image, work.key)
    if fault and machine.draw:
        fault += f"\n(the machine was drawn: {' '.join(options)})"
    outputs = {}
    for index, command in enumerate(screen.commands):
        good = command_signatures(work.key, index, command.status or 0, bytes(command.output))
        if command.status == 0 and command.signatures == list(good):
            outputs[command.text] = command.output.decode(errors="replace")
    whole = screen.boot.decode(errors="replace") + "".join(
        f"pagoda> {c.text}\n{c.output.decode(errors='replace')}" for c in screen.commands)
    return Evidence(f"boot.{machine.name}", not fault, expected, got, fault, "", whole), outputs


def measure(item, outputs):
    """Evidence of an item's cost, from what the monitor's bench or a guest's printed there."""
    for text in outputs.values():
        match = re.search(rf"^(?:bench )?{re.escape(item.bench)} +(\d+)", text, re.MULTILINE)
        if match:
            cost = int(match.group(1))
            share = min(1.0, max(0.0, (item.none - cost) / (item.none - item.full)))
            text = "" if share == 1 else (f"{item.bench} takes {cost} {item.unit}; up to "
                                          f"{item.full:g} earn all points, {item.none:g} none")
            return Evidence(f"bench.{item.bench}", share == 1, f"at most {item.full:g}", str(cost),
                            text, share=share)
    return Evidence(f"bench.{item.bench}", False, f"at most {item.full:g}", "no figure",
                    "the machine did not get as far as measuring")
