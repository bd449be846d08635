# SPDX-License-Identifier: MIT
"""What comes over the serial line: text for people, and in a batch the monitor's records.

A record is the byte 0x1e, words, a newline. It may follow an unfinished line; guests cannot
write one, for the console shows their 0x1e as ^^. docs/console.md, "Batch protocol":

      ... the boot's log ...
      <1e>batch 2                     two commands found
      pagoda> nodes                   echo
      <1e>begin 0
      ... output ...
      <1e>end 0 0                     command 0 ended with status 0
      pagoda> check
      <1e>begin 1
      ... output ...
      <1e>end 1 0
      <1e>done                        the machine is switched off next
"""
import re
import time

RECORD = 0x1e
PANIC = re.compile(rb"^(?:\[ *\d+\.\d+\] )?Kernel panic - .*")
PANIC_GRACE = 10.0  # seconds for the rest of a panic's report
POWEROFF_GRACE = 10.0  # seconds from the batch's end to the machine's
TAIL_LINES = 12  # shown when something went wrong
REMEMBERED = 60  # so that a panic's report is among them


class Command:
    def __init__(self, text):
        self.text = text
        self.status = None
        self.signatures = []  # of a graded run: status; status and output
        self.output = bytearray()
        self.began = None
        self.seconds = None

    def describe(self):
        return {"command": self.text, "status": self.status,
                "output": self.output.decode(errors="replace"), "seconds": self.seconds}


class Screen:
    """The sink of a session: sorts bytes into text and records, and remembers what matters.

    @show(bytes) gets the text that the user shall see, @keep(bytes) all text.
    """

    def __init__(self, commands, show, keep):
        self.commands = [Command(text) for text in commands] if commands is not None else None
        self.show = show
        self.keep = keep
        self.deadline = None
        self.started = time.monotonic()
        self.boot_seconds = None
        self.boot = bytearray()
        self.done = False
        self.panic = None
        self._current = None
        self._line = bytearray()  # the unfinished last line
        self._record = None  # the unfinished record
        self._return = False  # a carriage return whose next byte is not here yet
        self.last_lines = []

    @property
    def in_batch(self):
        return self.commands is not None

    def feed(self, data):
        """Take what the serial line sent."""
        if not self.in_batch:
            self._text(data, data.replace(b"\r\n", b"\n"))
            return
        while data:
            if self._record is not None:
                head, newline, data = data.partition(b"\n")
                self._record += head
                if newline:
                    record, self._record = bytes(self._record), None
                    self._obey(record.decode(errors="replace").split())
                continue
            head, mark, data = data.partition(bytes([RECORD]))
            plain = self._plain(head)
            if plain:
                self._text(plain, plain)
            if mark:
                self._record = bytearray()

    def _plain(self, data):
        """@data with \\r\\n as \\n, over the borders of what arrives together."""
        if self._return and data:
            data = b"\r" + data
            self._return = False
        if data.endswith(b"\r"):
            data = data[:-1]
            self._return = True
        return data.replace(b"\r\n", b"\n")

    def _text(self, raw, plain):
        self.keep(plain)
        if not self.in_batch or self.boot_seconds is not None:
            self.show(raw)
        else:
            self.boot += plain
        if self._current is not None:
            self._current.output += plain
        self._watch(plain)

    def _watch(self, plain):
        """Notice a panic, remember the last lines."""
        *lines, rest = (bytes(self._line) + plain).split(b"\n")
        self._line = bytearray(rest)
        for line in lines:
            line = line.rstrip(b"\r")
            if self.panic is None and PANIC.match(line):
                self.panic = line.decode(errors="replace")
                self.deadline = time.monotonic() + PANIC_GRACE
        self.last_lines = (self.last_lines + lines)[-REMEMBERED:]

    def _obey(self, words):
        now = time.monotonic()
        if not self.done:
            self.panic = None  # a monitor that panicked starts no record: a guest wrote that line
            self.deadline = None
        match words:
            case ["batch", _]:
                self.boot_seconds = now - self.started
            case ["begin", index]:
                self._current = self.commands[int(index)]
                self._current.began = now
            case ["end", index, status, *signatures]:
                command = self.commands[int(index)]
                command.signatures = signatures
                command.status = int(status)
                command.seconds = now - command.began
                self._current = None
            case ["done"]:
                self.done = True
                self.deadline = now + POWEROFF_GRACE

    def tail_lines(self):
        """The last lines seen."""
        lines = self.last_lines + ([bytes(self._line)] if self._line else [])
        return [line.rstrip(b"\r").decode(errors="replace") for line in lines]

    def tail(self):
        """The same for a message."""
        return "\n".join("    " + line for line in self.tail_lines()[-TAIL_LINES:])
