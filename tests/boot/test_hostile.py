# SPDX-License-Identifier: MIT
"""Programs that mean harm, and files that lie: an error, and all memory back."""
import struct
import subprocess

from conftest import ROOT
from machines import ORDINARY
from recorded import assert_as_on_linux

FREE = "cat /proc/meminfo | grep MemFree"
KEPT = 2048  # KiB that slabs may keep for the next

# Offset, format, and what to write there that no loader may believe; of an ELF file's header.
HEADER = {
    "magic": (0, "<I", [0, 0x464C457E]),
    "class": (4, "<B", [0, 1, 3]),
    "byte order": (5, "<B", [0, 2]),
    "type": (16, "<H", [0, 1, 4, 0xFFFF]),
    "machine": (18, "<H", [0, 62, 0xFFFF]),
    "phoff": (32, "<Q", [1 << 63, 0xFFFFFFFFFFFFFFFF, 1 << 40]),
    "phentsize": (54, "<H", [0, 55, 0xFFFF]),
    "phnum": (56, "<H", [0, 0xFFFF]),
}
# The same of the first program header that is to be loaded.
SEGMENT = {
    "offset": (8, "<Q", [1, 1 << 63, 0xFFFFFFFFFFFFF000]),
    "vaddr": (16, "<Q", [1, 1 << 63, 0xFFFFFFFF80200000, 0x3FFFFFF000, 0x4000000000]),
    "filesz": (32, "<Q", [1 << 40, 0xFFFFFFFFFFFFFFFF]),
    "memsz": (40, "<Q", [1 << 40, 0xFFFFFFFFFFFFFFFF]),
}
PT_LOAD = 1


def damaged(good):
    """(what was done, the file) for each field and each value."""
    phoff, = struct.unpack_from("<Q", good, 32)
    size, count = struct.unpack_from("<HH", good, 54)
    load = next(at for at in range(phoff, phoff + size * count, size)
                if struct.unpack_from("<I", good, at)[0] == PT_LOAD)
    for start, fields in ((0, HEADER), (load, SEGMENT)):
        for name, (offset, form, values) in fields.items():
            for value in values:
                bad = bytearray(good)
                struct.pack_into(form, bad, start + offset, value)
                yield f"{name} {value:#x}", bytes(bad)


def returned(result, before, after):
    free = [int(result.output(i).split()[1]) for i in (before, after)]
    assert free[1] > free[0] - KEPT, f"{free[0] - free[1]} kB did not return"


def test_broken_headers(run, tmp_path):
    """Each file is refused, or starts and ends; what was mapped until then is free again."""
    with open(f"{ROOT}/build/guest/hello", "rb") as file:
        cases = list(damaged(file.read()))
    (tmp_path / "bad").mkdir()
    for i, (_, content) in enumerate(cases):
        (tmp_path / "bad" / f"{i}").write_bytes(content)
        (tmp_path / "bad" / f"{i}").chmod(0o755)
    commands = ["hello", FREE, *(f"/bad/{i}" for i in range(len(cases))), FREE, "hello"]
    result = run(ORDINARY, *commands, status=None, options=["--files", str(tmp_path)])
    for i, (what, _) in enumerate(cases):
        assert result.report["commands"][2 + i]["status"] != 0, what
    returned(result, 1, 2 + len(cases))
    assert "hello from" in result.output(3 + len(cases))


def test_hostile(run, tmp_path):
    """tests/abi/hostile.c: bombs, bad pointers for each call, lengths that wrap, the dead."""
    program = tmp_path / "hostile"
    subprocess.run(["riscv64-linux-gnu-gcc", "-O1", "-static", f"-I{ROOT}/tests/abi", "-o",
                    str(program), f"{ROOT}/tests/abi/hostile.c", "-lpthread"], check=True)
    result = run(ORDINARY, "hello", FREE, "hostile", "check", FREE,
                 options=["--guest", str(program), "--append", "loglevel=3"])
    assert_as_on_linux("hostile", result.output(2))
    returned(result, 1, 4)
