# SPDX-License-Identifier: MIT
"""What a handed-in file may not do: looked at before it is linked to anything.

It is a part of one floor, so it may use what that floor and the floors below it have, and nothing
else: no system call, no console, no name of the grader's. It has no assembly, no sections or
constructors of its own, and adds no global name to those that the file had.
"""
import os
import re
import stat
import subprocess

from ..build import ROOT
from ..machine import Wrong

FILE_MOST = 256 << 10  # bytes
CROSS = os.environ.get("CROSS", "riscv64-linux-gnu-")
FLOORS = ("base", "arch", "kern", "phys", "slab", "virt", "fault", "pressure", "file", "task")
# Never, whatever the floor: they speak to the outside, or end the machine.
DENIED = re.compile(r"^(sbi_|serial_|uart_|batch_|console_|selftest_|log_sink|siphash_|_start)")
# The sanitizers' own, and what a compiler calls by itself.
IMPLIED = re.compile(r"^(__asan_|__ubsan_|__tsan_|__sanitizer_|_GLOBAL_OFFSET_TABLE_$|"
                     r"(pagoda_)?(memcpy|memmove|memset|memcmp)$|__stack_chk_fail$|host_hart$)")
WORDS = re.compile(r"\b(asm|__asm|__asm__)\b|__attribute__\s*\(\(\s*[^)]*\b_*(constructor|"
                   r"destructor|section|alias|ifunc|weakref|cleanup)_*\b|__builtin_return_address|"
                   r"__builtin_frame_address")
DIRECTIVES = re.compile(r"^\s*#\s*(include\s+(?!\"(?:" + "|".join(FLOORS) + r")/\w+\.h\")|"
                        r"pragma|line\b|\d).*$", re.MULTILINE)


class Refused(Exception):
    """What was handed in breaks a rule; the message says which."""


def read_handed_in(directory, path):
    """The text of a handed-in file: at its path, or by its name alone in a flat folder."""
    for name in (path, os.path.basename(path)):
        full = os.path.join(directory, name)
        try:
            info = os.lstat(full)
        except OSError:
            continue
        if not stat.S_ISREG(info.st_mode):
            raise Refused(f"{name} is no ordinary file")
        if info.st_size > FILE_MOST:
            raise Refused(f"{name} has {info.st_size} bytes; at most {FILE_MOST} are read")
        with open(full, "rb") as file:
            data = file.read(FILE_MOST)
        try:
            text = data.decode()
        except UnicodeDecodeError:
            raise Refused(f"{name} is no text") from None
        if "\0" in text:
            raise Refused(f"{name} is no text")
        return text
    raise Refused(f"{path} was not handed in")


def without_comments(text):
    """C without comments, strings and joined lines."""
    text = text.replace("\\\n", "")
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, lambda m: m.group() if m.group()[0] in "\"'" else " ", text,
                  flags=re.DOTALL)


def screen_text(path, text):
    """Look at the source itself."""
    code = without_comments(text)
    directive = DIRECTIVES.search(code)
    if directive:
        raise Refused(f"{path}: '{directive.group().strip()}': only headers of the floors below "
                      "are included, and no pragmas are used")
    code = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', code)
    word = WORDS.search(code)
    if word:
        raise Refused(f"{path}: '{word.group()}' is not allowed in a lab")
    if "##" in code or "%:" in code or "??" in code:
        raise Refused(f"{path}: pasted tokens are not allowed in a lab")


def _nm(words, objects):
    listing = subprocess.run([CROSS + "nm", *words, *objects], capture_output=True, text=True,
                             check=False)
    if listing.returncode:
        raise Wrong("nm: " + listing.stderr.strip())
    return {line.split()[-1] for line in listing.stdout.splitlines()
            if len(line.split()) >= 2 and not line.endswith(":")}


def allowed_symbols(path, image_build, lab):
    """Names that a file of this floor may use: those of its floor and of the floors below."""
    floor = path.split("/")[1]
    objects = []
    for name in FLOORS[:FLOORS.index(floor) + 1]:
        folder = os.path.join(image_build, "src", name)
        objects += [os.path.join(folder, o) for o in sorted(os.listdir(folder))
                    if o.endswith(".o")]
    names = _nm(["-g", "--defined-only"], objects)
    return {n for n in names if not DENIED.match(n)} | set(lab.allow)


def screen_object(path, built, reference, allowed):
    """Look at what the compiler made of it."""
    used = {n for n in _nm(["-u"], [built]) if not IMPLIED.match(n)}
    strange = sorted(n for n in used if n not in allowed and n.removeprefix("pagoda_")
                     not in allowed)
    if strange:
        raise Refused(f"{path} uses {', '.join(strange[:5])}, which is nothing of its floor or "
                      "of the floors below")
    added = _nm(["-g", "--defined-only"], [built]) - _nm(["-g", "--defined-only"], [reference])
    if added:
        raise Refused(f"{path} defines {', '.join(sorted(added)[:5])}, which the file did not "
                      "have; make helpers static")


def screen_sections(path, built):
    """No section of a plain object but those that plain C makes."""
    listing = subprocess.run([CROSS + "objdump", "-h", built], capture_output=True, text=True,
                             check=True).stdout
    for name in re.findall(r"^ *\d+ (\S+)", listing, re.MULTILINE):
        if not re.match(r"\.(text|s?rodata|s?data|s?bss|debug|comment|note|eh_frame|riscv)", name):
            raise Refused(f"{path} has a section {name} of its own")


def root_object(kind, path):
    """Where the trusted tree has the object of a source."""
    folder = {"debug": "build/debug-gcc", "asan": "build/host/asan"}[kind]
    return os.path.join(ROOT, folder, path + ".o" if kind == "debug" else path[:-2] + ".o")
