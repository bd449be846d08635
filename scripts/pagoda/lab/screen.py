# SPDX-License-Identifier: MIT
"""What a handed-in file may not do: looked at before it is linked to anything.

It is a part of one floor, so it may use what that floor and the floors below it have, and nothing
else: no system call, no console, no name of the grader's. A guest's file may use what the other
files of its folder have, and not the C library, which could print or end the program. It has no
assembly, no sections or constructors of its own, and adds no global name to those that the file
had.
"""
import os
import re
import stat
import subprocess

from ..build import ROOT
from ..machine import Wrong

IMAGE, RELEASE, HOST = "build/debug-gcc", "build/release-gcc", "build/host/asan"
FILE_MOST = 256 << 10  # bytes
CROSS = os.environ.get("CROSS", "riscv64-linux-gnu-")
FLOORS = ("base", "arch", "kern", "phys", "slab", "virt", "fault", "pressure", "file", "task")
# Never, whatever the floor: they speak to the outside, or end the machine.
DENIED = re.compile(r"^(sbi_|serial_|uart_|batch_|console_|selftest_|log_sink|siphash_|_start)")
# The sanitizers' own, and what a compiler calls by itself.
IMPLIED = re.compile(r"^(__asan_|__ubsan_|__tsan_|__sanitizer_|_GLOBAL_OFFSET_TABLE_$|"
                     r"(pagoda_)?(memcpy|memmove|memset|memcmp)$|__stack_chk_fail$|host_hart$|"
                     r"__(clz|ctz|popcount)[sd]i2$|lab_missing_at$)")
WORDS = re.compile(r"\b(asm|__asm|__asm__|_Pragma|__has_\w+)\b|"
                   r"\b_*(constructor|destructor|ifunc|weakref|naked)_*\b|"
                   r"\b_*no_(sanitize|address_safety|instrument|profile)\w*|"
                   r"__builtin_return_address|__builtin_frame_address")
# Words that are refused as attributes only. No pattern here may go over a text more than once.
ATTRIBUTE = re.compile(r"__attribute(?:__)?\s*\(\([^)]*")
ATTRIBUTE_WORDS = re.compile(r"\b_*(section|alias|cleanup)_*\b")
# What a compiler takes as one: a raw string, a comment, a string, a character; each as a group.
LEXEMES = re.compile(r"""(?P<raw>\b(?:u8?|U|L)?R")|(?P<comment>//[^\n]*|/\*.*?\*/)|"""
                     r"""(?P<string>"(?:\\.|[^"\\\n])*")|(?P<char>'(?:\\.|[^'\\\n])*')""",
                     re.DOTALL)
# What is nowhere else: quotes and comments without an end, where we and a compiler could read on
# differently, escapes, and bytes that look like nothing.
STRAY = re.compile(r"""["'\\]|/\*|[^\t\n -~]""")
FREESTANDING = ("stddef", "stdint", "stdbool", "limits", "string")  # headers that do nothing


class Refused(Exception):
    """What was handed in breaks a rule; the message says which."""


def is_inside(name, directory):
    """Is @name really in @directory, with no symbolic link on the way that leads elsewhere?"""
    inner = os.path.relpath(name, directory)
    return os.path.realpath(name) == os.path.join(os.path.realpath(directory), inner)


def read_handed_in(directory, path):
    """The text of a handed-in file: at its path, or by its name alone in a flat folder."""
    for name in (path, os.path.basename(path)):
        full = os.path.join(directory, name)
        try:
            info = os.lstat(full)
        except OSError:
            continue
        if not stat.S_ISREG(info.st_mode) or not is_inside(full, directory):
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


def plain(path, text):
    """
    (code, directives): the code without comments, with all strings empty; and the same with its
    strings. Refused when there is a doubt where one of these ends, as a compiler could differ.
    """
    def code_of(match):
        if match["raw"]:
            raise Refused(f"{path}: a raw string is not allowed in a lab")
        return " " if match["comment"] else '""' if match["string"] else "0"

    text = text.replace("\r\n", "\n").replace("\r", "\n")  # each of them ends a line
    text = re.sub(r"\\[ \t\f\v]*\n", "", text)  # lines are joined though blanks are between
    code = LEXEMES.sub(code_of, text)
    stray = STRAY.search(code.replace('""', ""))
    if stray:
        line = next(line for line in code.splitlines() if STRAY.search(line.replace('""', "")))
        raise Refused(f"{path}: {stray.group()!r} in '{line.strip()[:80]}': a quote or a comment "
                      "that does not end, or a character that is not of C")
    return code, LEXEMES.sub(lambda m: " " if m["comment"] else m.group(), text)


def is_guests(path):
    """Is it a file of a guest, and not one of the monitor's?"""
    return path.startswith("guest/")


def strange_directives(path):
    """A pattern for directives that this file may not have."""
    headers = rf"\"(?:{'|'.join(FLOORS)})/\w+\.h\""
    if is_guests(path):
        headers = rf"(?:\"(?:lib/lab|{path.split('/')[1]}/\w+)\.h\"|" \
                  rf"<(?:{'|'.join(FREESTANDING)})\.h>)"
    fine = rf"include\s*{headers}|(?:define|undef|if|ifdef|ifndef|elif|else|endif|error)\b"
    return re.compile(rf"^[^\S\n]*#(?![^\S\n]*(?:{fine})|[^\S\n]*$).*$", re.MULTILINE)


def screen_text(path, text):
    """Look at the source itself."""
    code, directives = plain(path, text)
    directive = strange_directives(path).search(directives)
    if directive:
        raise Refused(f"{path}: '{directive.group().strip()}': only headers of the floors below, "
                      "or of a guest's own folder, are included, and no pragmas are used")
    attributes = "\n".join(ATTRIBUTE.findall(code))
    word = WORDS.search(code) or ATTRIBUTE_WORDS.search(attributes)
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


def allowed_symbols(path, lab):
    """Names that a file may use: those of its floor and of the floors below, or of its folder."""
    folders = [os.path.dirname(machine_object(path))]
    if not is_guests(path):
        above, floor = os.path.split(folders[0])
        folders = [os.path.join(above, f) for f in FLOORS[:FLOORS.index(floor) + 1]]
    objects = [os.path.join(ROOT, folder, name) for folder in folders
               for name in sorted(os.listdir(os.path.join(ROOT, folder))) if name.endswith(".o")]
    names = _nm(["-g", "--defined-only"], objects)
    return {n for n in names if not DENIED.match(n)} | set(lab.allow)


def screen_object(path, built, reference, allowed):
    """Look at what the compiler made of it."""
    used = {n for n in _nm(["-u"], [built]) if not IMPLIED.match(n)}
    strange = sorted(n for n in used if n not in allowed and n.removeprefix("pagoda_")
                     not in allowed)
    if strange:
        below = "its folder" if is_guests(path) else "its floor or of the floors below"
        raise Refused(f"{path} uses {', '.join(strange[:5])}, which is nothing of {below}")
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


def machine_object(path):
    """Where a tree has what the machine runs of a source: a part of the image, or of a guest."""
    return f"build/{path[:-2]}.o" if is_guests(path) else f"{IMAGE}/{path}.o"


def host_object(path):
    """Where a tree has what this host runs of it."""
    return f"{HOST}/{path[:-2]}.o"
