# SPDX-License-Identifier: MIT
"""The signatures of a graded run: SipHash-2-4 with a key made for that run alone.

Made by src/console/batch.c for each command of a batch, and by tests/labs/wire/runner.c for each
test on this host; both are the teacher's files, and get the key when they are compiled, which is
after what is graded was compiled.
"""
import secrets
import struct

MASK = (1 << 64) - 1


class Key:
    """A key of 128 bits: two words."""

    def __init__(self):
        self.words = (secrets.randbits(64), secrets.randbits(64))

    def c_words(self):
        """As a C initialiser."""
        return ",".join(f"{word:#x}UL" for word in self.words)

    def sign(self, data):
        """The signature of bytes, as the wire shows it."""
        return f"{siphash(self.words, data):016x}"


def _rotate(x, n):
    return (x << n | x >> (64 - n)) & MASK


def _round(v):
    a, b, c, d = v
    a = (a + b) & MASK
    c = (c + d) & MASK
    b = _rotate(b, 13) ^ a
    d = _rotate(d, 16) ^ c
    a = _rotate(a, 32)
    c = (c + b) & MASK
    a = (a + d) & MASK
    b = _rotate(b, 17) ^ c
    d = _rotate(d, 21) ^ a
    return [a, b, _rotate(c, 32), d]


def siphash(words, data):
    """SipHash-2-4 of @data."""
    v = [words[0] ^ 0x736f6d6570736575, words[1] ^ 0x646f72616e646f6d,
         words[0] ^ 0x6c7967656e657261, words[1] ^ 0x7465646279746573]
    padded = data + b"\0" * (7 - len(data) % 8) + bytes([len(data) & 0xff])
    for (word,) in struct.iter_unpack("<Q", padded):
        v[3] ^= word
        v = _round(_round(v))
        v[0] ^= word
    v[2] ^= 0xff
    for _ in range(4):
        v = _round(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def test_signature(key, test, ok):
    """What the runner signs for a test on this host."""
    return key.sign((b"ok " if ok else b"not ok ") + test.encode())


def command_signatures(key, index, status, output):
    """What the monitor signs at the end of a command: its status; its output and status."""
    end = struct.pack("<Ii", index, status)
    return key.sign(end), key.sign(output + end)
