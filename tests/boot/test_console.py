# SPDX-License-Identifier: MIT
"""The console, by a person's fingers and in batches."""
import re
import subprocess
import time

import pexpect
from conftest import ROOT, RUN, SILENCE, patience
from machines import ORDINARY

COMMANDS = """help nodes zones buddyinfo pcp page pt vma ps top kill pause resume wait run alloc
free compact reclaim oom sysctl cat ls dmesg memmap trace check selftest bench reboot
poweroff unimplemented""".split()


def test_typing(console):
    c = console("--nodes", "1", "--harts", "2", "--memory", "64M")
    assert "node 0" in c.command("nodes").lower()
    assert c.command("nonsense").startswith("nonsense: ")
    assert c.command("echo $?").strip() != "0"
    c.command("check")
    assert c.command("echo $?").strip() == "0"
    assert c.close() == 0


def test_input_from_a_pipe():
    """What was typed before there was a machine waits for its prompt."""
    done = subprocess.run([RUN, "--memory", "64M"], input="echo one\necho two\npoweroff\n",
                          cwd=ROOT, text=True, capture_output=True, timeout=patience(SILENCE),
                          check=False)
    assert re.search(r"pagoda> echo one\s+one\s+pagoda> echo two\s+two\s", done.stdout), \
        done.stdout
    assert done.returncode == 0


def test_editing_history_completion(console):
    c = console("--nodes", "1", "--harts", "1", "--memory", "64M")
    c.command("echo one")
    c.type("\x1b[A\r")  # the line before
    c.expect("one\r\n")
    c.expect("pagoda> ")
    c.type("echo abc\x1b[D\x1b[DX\r")
    c.expect("\naXbc\r\n")
    c.expect("pagoda> ")
    c.type("buddyi\t\r")
    c.expect("Node 0, zone")
    c.expect("pagoda> ")
    c.type("garbage\x15echo clean\r")
    c.expect("\nclean\r\n")


def test_interrupt_and_background(console):
    c = console("--nodes", "1", "--harts", "2", "--memory", "64M")
    c.type("spin\r")
    c.expect("spin\r\n")
    time.sleep(1)  # until it runs: what is typed before is typed to nobody
    c.type("\x1c")  # the launcher sends it on as Ctrl-C
    c.expect("pagoda> ")
    c.command("spin --seconds 1 &")
    assert "spin" in c.command("ps")
    c.command("wait")
    c.command("check")
    assert c.command("echo $?").strip() == "0"


def test_poweroff_ends_the_launcher(console):
    c = console("--nodes", "1", "--harts", "1", "--memory", "64M")
    c.type("poweroff\r")
    c.child.expect(pexpect.EOF)
    c.child.close()
    assert c.child.exitstatus == 0


def test_reboot_comes_back(console):
    c = console("--nodes", "1", "--harts", "2", "--memory", "64M")
    c.type("reboot\r")
    c.expect("OpenSBI")
    c.expect("pagoda> ")
    c.command("check")


def test_every_command_has_help(run):
    result = run(ORDINARY, "help", *(f"help {command}" for command in COMMANDS))
    for command in COMMANDS:
        assert re.search(rf"^\s*{command}\b", result.output("help"), re.MULTILINE), command
        assert result.status_of(f"help {command}") == 0


def test_script_words(run):
    result = run(ORDINARY, "echo a; echo b", "nonsense; echo $?", "repeat 3 echo x",
                 "time hello", "cat /proc/vmstat | grep nr_free_pages | head -n 1",
                 "help | head -n 2")
    assert result.output(0) == "a\nb\n"
    assert re.match(r"nonsense: .*\n\d+\n", result.output(1))
    assert result.output(2) == "x\n" * 3
    assert result.output(4).startswith("nr_free_pages ")
    assert result.output(5).count("\n") == 2


def test_errors_are_one_line_with_a_name(run):
    lines = ["page", "page 99999999", "pt 4242 0", "alloc 99", "free 1", "cat /nowhere",
             "kill 4242", "sysctl vm.nonsense=1", "echo 1 > /proc/buddyinfo"]
    result = run(ORDINARY, *lines, status=1)
    for i, line in enumerate(lines):
        assert result.report["commands"][i]["status"] != 0, line
        assert re.fullmatch(r"[\w/]+: [^\n]+\n", result.output(i)), (line, result.output(i))


def test_alloc_and_free_by_hand(run):
    result = run(ORDINARY, "buddyinfo", "alloc 3 kernel 1", "buddyinfo", status=0)
    pfn = re.search(r"\b(?:pfn )?(0x[0-9a-f]+|\d+)", result.output(1)).group(1)
    assert result.output(0) != result.output(2)
    assert pfn


def test_page_table_walk(run):
    result = run(ORDINARY, "fragment 1M", "ps", "pt 1 0x10000", "vma 1", "page 0x80000")
    assert "level" in result.output(2).lower() or "L2" in result.output(2)


def test_selftest_speaks_ktap(run):
    result = run(ORDINARY, "selftest")
    assert "KTAP version 1" in result.output("selftest")
    assert not re.search(r"^\s*not ok", result.output("selftest"), re.MULTILINE)


def test_top_ends_by_a_key(console):
    c = console("--nodes", "1", "--harts", "2", "--memory", "64M")
    c.command("spin &")
    c.type("top\r")
    c.child.expect(r"KiB Mem: +\d+ total, +\d+ free")
    c.child.expect(r"PID S HART +%CPU +RSS COMMAND")
    c.child.expect(r" +\d+ R +\d +\d+\.\d +\d+ spin")  # the busiest comes first
    c.type("q")
    c.expect("pagoda> ")
    c.type("kill all\r")
    c.expect("[1] done, status 143: spin\r\n")  # may come before or behind the prompt
    c.type("\r")
    c.expect("pagoda> ")
    assert "spin" not in c.command("top 2")
    assert c.close() == 0
