# SPDX-License-Identifier: MIT
"""The launcher alone: QEMU and make are stood for by tests/boot/fake."""
import json
import os
import signal
import struct
import subprocess
import termios
import time

import pexpect
import pytest
from conftest import HERE, ROOT, RUN

FAKES = os.path.join(HERE, "fake")
BASE = 0x80200000
RUN_LIMIT = 60

BATCH = (b"OpenSBI v9\r\nboot log\r\n\x1ebatch 2\npagoda> nodes\r\n\x1ebegin 0\n"
         b"node 0\r\nhalf a \x1eend 0 0\npagoda> check\r\n\x1ebegin 1\nall well\r\n"
         b"\x1eend 1 %d\n\x1edone\n[    1.000000] switched off\r\n")
PANIC = b"boot\r\n[    0.100000] Kernel panic - not syncing: no memory at all\r\n"


def tiny_image(path):
    """An ELF file with one segment, for a launcher that only asks where it ends."""
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header += struct.pack("<HHIQQQIHHHHHH", 2, 243, 1, BASE, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, BASE, BASE, 120, 0x5000, 0x1000)
    path.write_bytes(header + segment)


@pytest.fixture(scope="session", autouse=True)
def guests():
    subprocess.run(["make", "-s", "guests"], cwd=ROOT, check=True, stdin=subprocess.DEVNULL)


@pytest.fixture
def fake(tmp_path):
    """Environment in which the launcher builds nothing and boots a fake."""
    tiny_image(tmp_path / "pagoda.elf")
    return dict(os.environ, B=str(tmp_path), FAKE_COMMAND=str(tmp_path / "command"),
                PATH=FAKES + os.pathsep + os.environ["PATH"])


@pytest.fixture
def launch(tmp_path, fake):
    def go(*words, output=b"", **environment):
        (tmp_path / "output").write_bytes(output)
        env = dict(fake, FAKE_OUTPUT=str(tmp_path / "output"), **environment)
        return subprocess.run([RUN, *words], cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=RUN_LIMIT)
    return go


WRONG = {
    "--bogus": "unrecognized arguments",
    "--nodes x": "invalid int value",
    "--nodes 17": "1 to 16 nodes",
    "--nodes -1": "1 to 16 nodes",
    "--harts 0": "has at least one",
    "--harts 65": "at most 64 harts",
    "--memory 512": "write a unit",
    "--memory many": "is no size",
    "--memory 8M": "at least 16M",
    "--node mem=64M,cpus=none": "no node has a hart",
    "--node mem=64M,cpus=0 --node mem=64M,cpus=0-1": "hart 0 is named twice",
    "--node mem=64M,cpus=3-1": "is no list",
    "--node mem=64M,disks=2": "neither mem nor cpus",
    "--node mem=64M,mem=32M": "given twice",
    "--node 64M": "write it like mem=256M,cpus=0-1",
    "--node mem=64M,cpus=0 --memory 1G": "leave --nodes and --memory out",
    "--node mem=64M,cpus=0-1 --harts 3": "leave --harts out",
    "--node mem=64M@4M,cpus=0": "owns the start of memory",
    "--node mem=64M@0,cpus=0 --node mem=64M@32M": "overlap at offset 0x2000000",
    "--distance 0,1": "write it like 0,1,30",
    "--distance 0,2,20": "the nodes are 0 to 1",
    "--distance 0,1,10": "11 to 254 from others",
    "--distance 0,0,12": "10 from itself",
    "--guest nowhere": "there is no file nowhere",
    "--guest /bin/sh:a/b": "one word without /",
    "--guest /bin/sh:x --guest /bin/ls:x": "two guests are named x",
    "--files nowhere": "there is no folder nowhere",
    "--disk nowhere": "neither a file nor a size",
    "--timeout 0": "above 0",
    "--silence -1": "above 0",
    "--seed -1": "from 0 to",
    "--gdb here": "a port number",
    "--json /nowhere/file": "no such directory",
}


@pytest.mark.parametrize("words", WRONG)
def test_wrong_use(launch, words):
    done = launch(*words.split())
    assert done.returncode == 2
    assert WRONG[words] in done.stderr
    assert done.stderr.startswith("scripts/run: ") and "Traceback" not in done.stderr
    assert done.stdout == ""


def test_wrong_command(launch):
    assert launch("--", "a\nb").returncode == 2
    assert launch("--", " ").returncode == 2


def test_help(launch):
    done = launch("--help")
    assert done.returncode == 0
    for word in ("--nodes", "--node", "--distance", "--guest", "--icount", "124 time-out"):
        assert word in done.stdout


def test_failed_build(launch):
    done = launch("--", "nodes", FAKE_MAKE_STATUS="2")
    assert done.returncode == 2
    assert "the build failed" in done.stderr


def test_batch_output_is_exact(launch):
    done = launch("--", "nodes", "check", output=BATCH % 0)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ("pagoda> nodes\nnode 0\nhalf a pagoda> check\nall well\n"
                           "[    1.000000] switched off\n")


def test_failed_command(launch, tmp_path):
    done = launch("--json", str(tmp_path / "j"), "--transcript", str(tmp_path / "t"), "--",
                  "nodes", "check", output=BATCH % 7)
    assert done.returncode == 1
    report = json.loads((tmp_path / "j").read_text())
    assert report["status"] == 1 and report["panic"] is None
    assert [c["status"] for c in report["commands"]] == [0, 7]
    assert report["commands"][0]["output"] == "node 0\nhalf a "
    assert report["boot"] == "OpenSBI v9\nboot log\n"
    assert report["machine"]["harts"] == 4 and report["machine"]["memory"] == 512 << 20
    transcript = (tmp_path / "t").read_text()
    assert transcript.startswith("OpenSBI v9\n") and "\x1e" not in transcript
    assert "\r" not in transcript


def test_poweroff_as_last_command(launch):
    output = b"\x1ebatch 1\npagoda> poweroff\r\n\x1ebegin 0\n"
    assert launch("--", "poweroff", output=output).returncode == 0
    assert launch("--", "poweroff", "nodes", output=output).returncode == 1


def test_panic(launch):
    done = launch("--", "nodes", output=PANIC)
    assert done.returncode == 3
    assert "no memory at all" in done.stderr


def test_panic_without_end(launch):
    """A monitor that cannot even switch off is ended."""
    begun = time.monotonic()
    assert launch("--", "nodes", output=PANIC, FAKE_SECONDS="50").returncode == 3
    assert time.monotonic() - begun < 20


def test_panic_that_a_guest_wrote(launch):
    output = (BATCH % 0).replace(b"node 0\r\n", b"node 0\r\nKernel panic - not really\r\n")
    assert launch("--", "nodes", "check", output=output).returncode == 0


def test_no_batch_at_all(launch):
    done = launch("--", "nodes", output=b"last words\r\n")
    assert done.returncode == 3
    assert "last words" in done.stderr


@pytest.mark.parametrize("limit", ["--timeout", "--silence"])
def test_timeout_shows_last_lines(launch, limit):
    done = launch(limit, "0.5", "--", "nodes", output=b"one\r\ntwo", FAKE_SECONDS="50")
    assert done.returncode == 124
    assert "    one\n    two" in done.stderr


def command_of(tmp_path):
    return (tmp_path / "command").read_text().split("\n")


def test_qemu_command(launch, tmp_path):
    launch("--harts", "8", "--memory", "64M", "--icount", "--seed", "5", "--disk", "1M",
           "--gdb", "4321", "--", "nodes", output=BATCH % 0)
    words = command_of(tmp_path)
    for option, value in (("-smp", "8"), ("-m", f"{64 << 20}B"), ("-bios", "default"),
                          ("-icount", "shift=0,sleep=off"), ("-seed", "5"),
                          ("-gdb", "tcp:127.0.0.1:4321"), ("-serial", "stdio")):
        assert words[words.index(option) + 1] == value
    assert "-S" in words and "-no-reboot" in words
    assert "-numa" not in words


def test_guest_is_named_by_its_path(launch, tmp_path):
    """A command that is the path of a --guest means that guest."""
    path = str(tmp_path / "pagoda.elf")
    done = launch("--guest", path, "--", path + " 1 2", output=BATCH % 0)
    assert done.returncode != 2, done.stderr
    done = launch("--guest", path + ":renamed", "--json", str(tmp_path / "j"), "--", path,
                  output=b"\x1ebatch 1\n\x1ebegin 0\n\x1eend 0 0\n\x1edone\n")
    assert done.returncode == 0
    assert json.loads((tmp_path / "j").read_text())["commands"][0]["command"] == "renamed"


def test_ctrl_c_ends_and_restores(fake):
    """Ctrl-C ends the machine, and the terminal is as it was."""
    child = pexpect.spawn(RUN, [], cwd=ROOT, env=dict(fake, FAKE_SECONDS="50"), timeout=RUN_LIMIT)
    before = termios.tcgetattr(child.child_fd)
    while termios.tcgetattr(child.child_fd)[3] & termios.ICANON:
        time.sleep(0.05)
    child.send("\x03")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    terminal = pexpect.spawn("cat", timeout=RUN_LIMIT)
    assert before[3] & (termios.ICANON | termios.ECHO) == \
        termios.tcgetattr(terminal.child_fd)[3] & (termios.ICANON | termios.ECHO)
    terminal.close()


def test_keys_pass(fake, tmp_path):
    """All keys go to the machine, Ctrl-\\ as Ctrl-C."""
    typed, said = tmp_path / "typed", tmp_path / "said"
    said.write_bytes(b"hello\r\npagoda> ")
    env = dict(fake, FAKE_SECONDS="2", FAKE_TYPED=str(typed), FAKE_OUTPUT=str(said))
    child = pexpect.spawn(RUN, [], cwd=ROOT, env=env, timeout=RUN_LIMIT)
    while termios.tcgetattr(child.child_fd)[3] & termios.ICANON:
        time.sleep(0.05)
    child.send("a\t\x1a\x13\x1c\r")
    child.expect(pexpect.EOF)
    child.close()
    assert typed.read_bytes() == b"a\t\x1a\x13\x03\r"
    assert child.exitstatus == 0


def test_signal_ends_qemu(fake):
    """SIGTERM to the launcher leaves no machine behind."""
    env = dict(fake, FAKE_SECONDS="50")
    with subprocess.Popen([RUN, "--", "nodes"], cwd=ROOT, env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        while not os.path.exists(env["FAKE_COMMAND"]):
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(RUN_LIMIT) == 130
