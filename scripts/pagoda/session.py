# SPDX-License-Identifier: MIT
"""The running emulator: bytes in, bytes out, and how it ended.

      keyboard --> [keys] --> QEMU's stdin        QEMU's stdout --> [sink] --> screen, files

The launcher stands between terminal and emulator, so that it can see a panic, keep a transcript
and end both cleanly. The terminal is raw but for Ctrl-C, which ends the machine; Ctrl-\\ goes to
the machine as the Ctrl-C that it then cannot be sent.
"""
import ctypes
import os
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time

GRACE = 3.0  # seconds that QEMU has to end when it is asked to
CHUNK = 65536
KEY_INTERRUPT = b"\x03"
KEY_QUIT = b"\x1c"
PR_SET_PDEATHSIG = 1

PROMPT = b"pagoda> "

EXITED = "exited"
TIMED_OUT = "timed out"
INTERRUPTED = "interrupted"


class Interrupt(Exception):
    """A signal asked the launcher to end."""


def _die_with_parent():
    """QEMU does not outlive the launcher, even one that was killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _on_signal(_number, _frame):
    for number in SIGNALS:  # the first ends us; a second must not end the ending
        signal.signal(number, signal.SIG_IGN)
    raise Interrupt


class Terminal:
    """The terminal in raw mode for as long as the `with` lasts; nothing when it is none."""

    def __init__(self, fd):
        self.fd = fd
        self.saved = None

    def __enter__(self):
        if os.isatty(self.fd):
            self.saved = termios.tcgetattr(self.fd)
            raw = termios.tcgetattr(self.fd)
            raw[0] &= ~(termios.IXON | termios.ICRNL | termios.INLCR | termios.IGNCR)
            raw[1] &= ~termios.OPOST
            raw[3] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
            raw[6][termios.VMIN], raw[6][termios.VTIME] = 1, 0
            for key in (termios.VQUIT, termios.VSUSP):
                raw[6][key] = b"\0"
            termios.tcsetattr(self.fd, termios.TCSADRAIN, raw)
        return self

    def __exit__(self, *_):
        if self.saved:
            termios.tcsetattr(self.fd, termios.TCSADRAIN, self.saved)


class Session:
    """One run of @command. @sink.feed(bytes) sees all output; @keyboard is a descriptor or None.

    Keys wait until the machine has printed @prompt: whoever listens before that, the firmware
    perhaps, would take them for its own.

    @sink.deadline, when not None, is a moment of time.monotonic() after which to stop; the sink
    may move it while the machine runs. @timeout counts from the start, @silence from the last
    output; None is no limit.
    """

    def __init__(self, command, sink, keyboard, timeout, silence, prompt=b""):
        self.command = command
        self.sink = sink
        self.keyboard = keyboard
        self.prompt = prompt
        self.limit = time.monotonic() + timeout if timeout else None
        self.silence = silence
        self.last_output = time.monotonic()
        self.process = None
        self.code = None
        self.complaints = tempfile.TemporaryFile()

    def run(self):
        """Boot, and stay until the machine ends; returns EXITED, TIMED_OUT or INTERRUPTED."""
        for number in SIGNALS:
            signal.signal(number, _on_signal)
        try:
            return self._boot()
        except Interrupt:
            return INTERRUPTED

    def _boot(self):
        with Terminal(sys.stdin.fileno() if self.keyboard is not None else -1):
            try:
                self.process = subprocess.Popen(
                    self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=self.complaints, start_new_session=True,
                    preexec_fn=_die_with_parent, bufsize=0)
                return self._pump()
            finally:
                self._end()

    def _wait_time(self):
        limits = [x for x in (self.limit, self.sink.deadline) if x is not None]
        if self.silence:
            limits.append(self.last_output + self.silence)
        return max(0.0, min(limits) - time.monotonic()) if limits else None

    def _pump(self):
        output = self.process.stdout.fileno()
        typing, said = self.keyboard is not None, b""
        while True:
            listens = typing and self.prompt in said
            ready, _, _ = select.select([output, self.keyboard] if listens else [output], [], [],
                                        self._wait_time())
            if not ready:
                return TIMED_OUT
            if output in ready:
                data = os.read(output, CHUNK)
                if not data:
                    self.code = self.process.wait()
                    return EXITED
                self.last_output = time.monotonic()
                self.sink.feed(data)
                if not listens:
                    said = (said + data)[-CHUNK:]
            if self.keyboard in ready:
                typing = self._type(os.read(self.keyboard, CHUNK))
            if self._wait_time() == 0:
                return TIMED_OUT  # a machine that prints for ever is late all the same

    def _type(self, data):
        """Send keys on; False at the end of the input."""
        if os.isatty(self.keyboard):
            data = data.replace(KEY_QUIT, KEY_INTERRUPT)
        try:
            self.process.stdin.write(data)
        except BrokenPipeError:
            pass  # the machine just ended; its output says so next
        return bool(data)

    def complaint(self):
        """What QEMU wrote to stderr, but for its good-bye when we ended it."""
        self.complaints.seek(0)
        lines = self.complaints.read().decode(errors="replace").splitlines()
        return "\n".join(line for line in lines if "terminating on signal" not in line)

    def _end(self):
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
