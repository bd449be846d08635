# SPDX-License-Identifier: MIT
"""What the boot suites share: the launcher as a fixture, machines, consoles, patience.

Patience is about progress and not about the whole: a run is given up when its console printed
nothing for some time, and the failure shows the last lines. PAGODA_PATIENCE=3 makes all of that
three times as long; a busy host does so by itself.
"""
import json
import os
import shlex
import subprocess
import sys

import pexpect
import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
RUN = os.path.join(ROOT, "scripts", "run")
sys.path.insert(0, os.path.join(ROOT, "scripts"))
sys.path.insert(0, HERE)

from machines import LARGE, MACHINES  # noqa: E402

SILENCE = 40  # seconds without output before a run is given up, on an idle host
WHOLE = 600  # seconds for a run altogether, whatever it prints
PROMPT = "pagoda> "


def patience(seconds):
    """@seconds, stretched for a host that is busy, and by PAGODA_PATIENCE."""
    busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    return seconds * min(busy, 8.0) * float(os.environ.get("PAGODA_PATIENCE", "1"))


class Result:
    """One run of the launcher in batch mode."""

    def __init__(self, words, done, report):
        self.words = words
        self.status = done.returncode
        self.stdout = done.stdout
        self.stderr = done.stderr
        self.report = report or {}

    @property
    def boot(self):
        return self.report["boot"]

    def output(self, command):
        """The output of @command, the first of that text, or of the command with that number."""
        commands = self.report["commands"]
        if isinstance(command, int):
            return commands[command]["output"]
        return next(c["output"] for c in commands if c["command"] == command)

    def status_of(self, command):
        return next(c["status"] for c in self.report["commands"] if c["command"] == command)

    def explain(self):
        """For an assertion's message: how to repeat the run, and what it said."""
        tail = "\n".join((self.stdout + self.stderr).splitlines()[-40:])
        return f"status {self.status} of\n  {shlex.join(['scripts/run'] + self.words)}\n{tail}"


def launch(words, directory, env=None):
    """Run scripts/run with @words as a batch and collect everything about it."""
    report_path = os.path.join(directory, "report.json")
    split = words.index("--") if "--" in words else len(words)
    limits = ["--silence", str(patience(SILENCE)), "--timeout", str(patience(WHOLE))]
    limits = [] if {"--silence", "--timeout"} & set(words[:split]) else limits
    full = words[:split] + limits + ["--json", report_path] + words[split:]
    done = subprocess.run([RUN] + full, cwd=ROOT, stdin=subprocess.DEVNULL, text=True,
                          errors="replace", capture_output=True, check=False,
                          env=dict(os.environ, **(env or {})))
    report = None
    if os.path.exists(report_path):
        with open(report_path, encoding="utf-8") as file:
            report = json.load(file)
    return Result(words, done, report)


@pytest.fixture
def run(tmp_path):
    """run(machine or list of options, command...) -> Result; the last command is always check.

    @status is the exit status that is expected; None: whether commands failed does not matter.
    With check=False nothing is added.
    """
    def boot(machine, *commands, options=(), status=0, check=True):
        words = list(MACHINES[machine] if isinstance(machine, str) else machine) + list(options)
        words += ["--"] + list(commands) + (["check"] if check else [])
        result = launch(words, str(tmp_path))
        assert result.status in ((0, 1) if status is None else (status,)), result.explain()
        if check:
            assert result.status_of("check") == 0, result.explain()
        return result
    return boot


@pytest.fixture(params=list(MACHINES))
def machine(request):
    """The name of each machine of the matrix in turn."""
    return request.param


@pytest.fixture(params=[name for name in MACHINES if name not in LARGE])
def small_machine(request):
    """The same without those that need much memory of the host."""
    return request.param


class Console:
    """A person at the console of a machine, through a terminal of our own."""

    def __init__(self, words):
        self.child = pexpect.spawn(RUN, words, cwd=ROOT, encoding="utf-8", codec_errors="replace",
                                   timeout=patience(SILENCE), echo=False, dimensions=(24, 100))
        self.child.delaybeforesend = None
        self.child.expect_exact(PROMPT)

    def type(self, keys):
        self.child.send(keys)

    def expect(self, text):
        self.child.expect_exact(text)
        return self.child.before

    def command(self, line):
        """Type @line, return what it printed until the next prompt."""
        self.child.send(line + "\r")
        self.child.expect_exact(line)
        self.child.expect_exact(PROMPT)
        return self.child.before.replace("\r\n", "\n").lstrip("\n")

    def close(self):
        """End the machine as a person would, with Ctrl-C; returns the exit status."""
        if self.child.isalive():
            self.child.send("\x03")
            self.child.expect(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus


@pytest.fixture
def console():
    """console(option...) -> Console of a booted machine; ended behind the test."""
    open_consoles = []

    def start(*words):
        open_consoles.append(Console(list(words)))
        return open_consoles[-1]
    yield start
    for one in open_consoles:
        one.close()
