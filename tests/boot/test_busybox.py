# SPDX-License-Identifier: MIT
"""A shell that we did not write, Debian's static busybox: by a script and by fingers."""
import shutil
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from machines import ORDINARY

SCRIPT = f"{ROOT}/tests/busybox/script.sh"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder for --files: busybox in /bin, a link for each of its applets, the script in /."""
    fetch = subprocess.run([sys.executable, f"{ROOT}/scripts/fetch", "busybox-static"], text=True,
                           capture_output=True, check=False)
    if fetch.returncode:
        pytest.skip(f"no busybox: {fetch.stderr.strip().splitlines()[-1]}")
    folder = tmp_path_factory.mktemp("files")
    (folder / "bin").mkdir()
    busybox = shutil.copy(f"{fetch.stdout.strip()}/usr/bin/busybox", folder / "bin")
    applets = subprocess.run(["qemu-riscv64", busybox, "--list"], check=True, text=True,
                             capture_output=True).stdout.split()
    for applet in applets:
        if applet != "busybox":
            (folder / "bin" / applet).symlink_to("busybox")
    shutil.copy(SCRIPT, folder / "script.sh")
    return str(folder)


def test_script(run, files):
    """What a shell script may expect; nothing of it stays in memory but what lies in /tmp."""
    result = run(ORDINARY, "sh /script.sh", "unimplemented", options=["--files", files])
    assert " 0 failed" in result.output(0), result.output(0)
    checks = int(result.output(0).splitlines()[-1].split()[0])
    assert checks > 100


class Shell:
    """busybox's sh at the console of a machine."""

    PROMPT = r"\n[~/] # "

    def __init__(self, console):
        self.console = console
        console.type("sh\r")
        self.prompt()

    def prompt(self):
        self.console.child.expect(self.PROMPT)

    def run(self, line):
        """Type @line, return what it printed."""
        self.console.type(line + "\r")
        self.console.expect(line)
        self.prompt()
        return self.console.child.before.replace("\r\n", "\n").strip()


def test_fingers(console, files):
    c = console("--nodes", "2", "--harts", "2", "--memory", "256M", "--files", files)
    shell = Shell(c)
    assert shell.run("seq 1 1000 | grep 99 | sort -rn | head -n 1") == "999"
    assert shell.run("x=41; echo $((x + 1))") == "42"
    c.type("sleep 1000\r")
    c.expect("sleep 1000")
    time.sleep(1)  # until it sleeps: an interrupt before would be the shell's
    c.type("\x1c")
    shell.prompt()
    assert shell.run("echo $?") == "130"
    shell.run("sleep 100 &")
    assert "sleep 100" in shell.run("jobs")
    assert "sleep 100" in shell.run("ps")
    assert "status 143" in shell.run("kill %1; wait %1; echo status $?")
    assert "sleep" not in shell.run("jobs")
    c.type("exit 3\r")
    c.expect("pagoda> ")
    assert c.command("echo $?").strip() == "3"
    c.command("check")
    assert c.command("echo $?").strip() == "0"
