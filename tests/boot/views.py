# SPDX-License-Identifier: MIT
"""Readers of the views, which have Linux's formats."""
import re

ORDERS = 11


def buddyinfo(text):
    """{(node, zone name): [free blocks of order 0, 1, ...]} of /proc/buddyinfo."""
    found = {}
    for line in text.splitlines():
        match = re.match(r"Node (\d+), zone +(\w+)((?: +\d+)+) *$", line)
        assert match, f"no line of buddyinfo: {line!r}"
        found[int(match.group(1)), match.group(2)] = [int(n) for n in match.group(3).split()]
    return found


def free_pages(blocks):
    return sum(count << order for order, count in enumerate(blocks))


def fields(text):
    """{name: number} of /proc/vmstat, /proc/meminfo and the like; kB stay kB."""
    return {match.group(1): int(match.group(2))
            for match in re.finditer(r"^(?:Node \d+ )?([\w()]+):? +(\d+)(?: kB)?$", text,
                                     re.MULTILINE)}


def zoneinfo(text):
    """{(node, zone name): {field: number}} of /proc/zoneinfo; the pagesets are left out."""
    zones = {}
    for part in re.split(r"^(?=Node \d+, zone)", text, flags=re.MULTILINE)[1:]:
        node, zone = re.match(r"Node (\d+), zone +(\w+)", part).groups()
        part = part.split("pagesets")[0]
        zones[int(node), zone] = {
            match.group(1): int(match.group(2))
            for match in re.finditer(r"^\s+(?:pages )?(\w+) +(\d+)$", part, re.MULTILINE)}
    return zones


def number_list(text):
    """'0-3,5' as a list, as in /sys/devices/system/node/online."""
    found = []
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found
