# SPDX-License-Identifier: MIT
"""The time of a machine under -icount, read from outside: its timer's register by QMP.

The register counts at 10 MHz of virtual time, which under -icount is instructions. It goes on
while a hart runs in circles and takes no interrupt; when the machine sleeps with no timer set it
leaps to the end of all time, or stands still, by the version of QEMU.
"""
import json
import os
import re
import select
import socket
import time

MTIME = 0x200bff8  # of the first ACLINT of QEMU's virt machine
TICKS = 10_000_000  # a second
LOOK = 0.5  # seconds of ours between two looks
STILL = 20  # looks at a time that does not move, after which the machine is dead
LEAP = 3600  # seconds; with no timer set, time leaps to its end
MUTE = 12  # questions in a row that found no answer, of ten seconds each
LAST_RESORT = 1200.0  # seconds of ours for a machine, however slow the host


class Watch:
    """Looks at one machine's time; tells when it has made no progress for too long."""

    def __init__(self, path):
        self.path = path
        self.stream = None
        self.began = self.looked = time.monotonic()
        self.now = self.last = 0
        self.still = self.mute = 0

    def wait_output(self, pipe):
        """Bytes, b"" at the end, or None when nothing came for a moment."""
        ready, _, _ = select.select([pipe], [], [], LOOK)
        return os.read(pipe.fileno(), 65536) if ready else None

    def progress(self):
        """The machine has done something that can be seen."""
        self.last = self.now

    def _connect(self):
        try:
            link = socket.socket(socket.AF_UNIX)
            link.settimeout(10)
            link.connect(self.path)
            self.stream = link.makefile("rw", encoding="utf-8")
            self.stream.readline()
            self._ask("qmp_capabilities")
        except OSError:
            self.stream = None

    def _ask(self, what, **arguments):
        self.stream.write(json.dumps({"execute": what, "arguments": arguments}) + "\n")
        self.stream.flush()
        while True:
            answer = json.loads(self.stream.readline() or '{"return": ""}')
            if "event" not in answer:
                return answer.get("return", "")

    def _read_time(self):
        if self.stream is None:
            self._connect()
        if self.stream is None:
            return None
        try:
            text = self._ask("human-monitor-command", **{"command-line": f"xp /1gx {MTIME:#x}"})
        except (OSError, ValueError):
            self.stream = None  # a stream that was waited for in vain cannot be read any more
            return None
        match = re.search(r": 0x([0-9a-f]+)", text if isinstance(text, str) else "")
        return int(match.group(1), 16) if match else None

    def hang(self, quiet):
        """Why the machine should be given up, or nothing."""
        moment = time.monotonic()
        if moment - self.began > LAST_RESORT:
            return f"it was given up after {LAST_RESORT:g} s of this host"
        if moment - self.looked < LOOK:
            return ""
        self.looked = moment
        ticks = self._read_time()
        self.mute = self.mute + 1 if ticks is None else 0
        if ticks is None:
            return "the emulator does not answer" if self.mute > MUTE else ""
        self.still = self.still + 1 if ticks == self.now else 0
        self.now = ticks
        if ticks - self.last > LEAP * TICKS:
            return "all harts sleep, and nothing will wake them"
        if ticks - self.last > quiet * TICKS:
            return f"no progress in {(ticks - self.last) * 100 // 10**6} million instructions"
        if self.still > STILL:
            return "all harts sleep, and nothing will wake them"
        return ""
