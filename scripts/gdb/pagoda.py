# SPDX-License-Identifier: MIT
"""gdb commands that know Pagoda's structures. Loaded by `make debug`.

    pagoda zones               all zones: pages, watermarks
    pagoda freelists [NODE]    free blocks by order and migratetype, counted on the lists
    pagoda page PFN            one struct page, its words spelt out
    pagoda harts               what each hart runs and what waits there
    pagoda threads             every thread, and where it sleeps
    pagoda tasks               the guests: pid, name, address space
    pagoda vmas PID            the areas of a guest's address space
    pagoda walk PID VA         the walk of its page table to VA, each entry spelt out
    pagoda screen              what the machine's console has printed since the last time
    pagoda type LINE           type LINE and Enter at the console

All of them only read memory, so the machine has to be stopped (Ctrl-C), in the monitor or not: a
hart in user mode cannot see the monitor, so another one is asked, and if all are in user mode
stepping into the next trap helps.
"""
import os
import re

import gdb

HERE = os.path.dirname(os.path.abspath(__file__))
CONSOLE = os.path.join(os.path.dirname(os.path.dirname(HERE)), "build", "debug")
PAGE_SHIFT = 12
CALLERS_SHOWN = 6
LIST_MOST = 1 << 20  # a list longer than that is broken

PTE_BITS = "VRWXUGAD"
PTE_SIZE = 8
PTE_LEAF = 0b1110  # R, W or X
LEVELS = 3
INDEX_BITS = 9
PPN_SHIFT = 10
PPN_MASK = (1 << 44) - 1
ADDRESS_BITS = 39


def value(expression):
    return gdb.parse_and_eval(expression)


def number(expression):
    return int(value(expression))


def read_layout():
    """{name: address} of include/arch/layout.h: macros are not in the debug information."""
    path = os.path.join(HERE, "..", "..", "include", "arch", "layout.h")
    with open(path, encoding="utf-8") as file:
        found = re.findall(r"#define (\w+) (?:LAYOUT_UL\()?(0x[0-9a-f]+)", file.read())
    return {name: int(text, 16) for name, text in found}


LAYOUT = read_layout()


def enum_names(name):
    """{value: enumerator} of an enum."""
    return {field.enumval: field.name for field in gdb.lookup_type(f"enum {name}").fields()}


class InMonitor:
    """Selects a hart that can read the monitor's memory, for as long as the `with` lasts."""

    def __enter__(self):
        self.before = gdb.selected_thread()
        if self.before is None:
            raise gdb.GdbError("no machine is connected; `make debug` starts one")
        for thread in [self.before, *gdb.selected_inferior().threads()]:
            thread.switch()
            try:
                value("boot_hart").fetch_lazy()
                return self
            except gdb.error:
                continue
        self.before.switch()
        raise gdb.GdbError("no hart can see the monitor's memory: before the boot has mapped it, "
                           "or all are in user mode; go on a little and try again")

    def __exit__(self, *_):
        self.before.switch()


def list_length(head):
    """How many entries a list_head has, the links checked on the way."""
    count, node, start = 0, head["next"], head.address
    while node != start:
        if node.dereference()["prev"].dereference()["next"] != node:
            raise gdb.GdbError(f"list at {start}: the entry {node} is not linked back")
        node = node.dereference()["next"]
        count += 1
        if count > LIST_MOST:
            raise gdb.GdbError(f"list at {start} has no end")
    return count


def zones():
    """All populated zones."""
    table = value("node_data")
    for nid in range(table.type.range()[1] + 1):
        if not int(table[nid]):
            continue
        node_zones = table[nid].dereference()["node_zones"]
        for index in range(node_zones.type.range()[1] + 1):
            if int(node_zones[index]["present_pages"]):
                yield node_zones[index]


def zone_title(zone):
    return f"Node {int(zone['nid'])}, zone {zone['name'].string():>8}"


def show_zones():
    for zone in zones():
        marks = [int(zone["watermark"][i]) for i in range(3)]
        print(f"{zone_title(zone)}: pfn {int(zone['zone_start_pfn']):#x}, "
              f"spanned {int(zone['spanned_pages'])} present {int(zone['present_pages'])} "
              f"managed {int(zone['managed_pages'])} free {int(zone['nr_free_pages'])}, "
              f"min {marks[0]} low {marks[1]} high {marks[2]}")


def show_freelists(node):
    kinds = enum_names("migratetype")
    for zone in zones():
        if node is not None and int(zone["nid"]) != node:
            continue
        areas = zone["free_area"]
        orders = range(areas.type.range()[1] + 1)
        print(f"{zone_title(zone)}      order " + "".join(f"{order:7}" for order in orders))
        for kind in range(number("(int)MIGRATE_TYPES")):
            counts = [list_length(areas[order]["free_list"][kind]) for order in orders]
            name = kinds[kind].replace("MIGRATE_", "").capitalize()
            print(f"    {name:>30} " + "".join(f"{count:7}" for count in counts))
        print(f"    {'nr_free':>30} " +
              "".join(f"{int(areas[order]['nr_free']):7}" for order in orders))


def page_of(pfn):
    base = gdb.lookup_type("struct page").pointer()
    first = LAYOUT["MEMORY_BASE"] >> PAGE_SHIFT
    return (gdb.Value(LAYOUT["VMEMMAP_BASE"]).cast(base) + (pfn - first)).dereference()


def zone_of(page):
    zone = value("zones")[int(page["zone_id"])]
    return zone.dereference()["name"].string() if int(zone) else "none"


def show_page(pfn):
    page = page_of(pfn)
    flags = [name for bit, name in sorted(enum_names("page_flag").items())
             if name.startswith("PG_") and int(page["flags"]) >> bit & 1]
    kind = enum_names("page_type")[int(page["type"])]
    print(f"page of pfn {pfn:#x}, physical {pfn << PAGE_SHIFT:#x}, struct at {page.address}")
    print(f"  type {kind}, order {int(page['order'])}, node {int(page['nid'])}, "
          f"zone {zone_of(page)}")
    print(f"  refcount {int(page['refcount'])}, mapcount {int(page['mapcount'])}, "
          f"flags {int(page['flags']):#x} {' '.join(flags)}")
    print(f"  mapping {page['mapping']}, index {int(page['index'])}, "
          f"private {int(page['private']):#x}")
    print(f"  links next {page['lru']['next']} prev {page['lru']['prev']}")


def entries(head, type_name, member):
    """The structures of a list, by the member that links them."""
    kind = gdb.lookup_type(type_name)
    offset = next(f.bitpos // 8 for f in kind.fields() if f.name == member)
    node = head["next"]
    while node != head.address:
        yield gdb.Value(int(node) - offset).cast(kind.pointer()).dereference()
        node = node.dereference()["next"]


def show_harts():
    table = value("harts")
    for index in range(number("nr_harts")):
        hart = table[index].dereference()
        current = hart["current"]
        name = current.dereference()["name"].string() if int(current) else "nothing yet"
        print(f"hart {index}: id {int(hart['arch']['hartid'])}, node {int(hart['arch']['nid'])}, "
              f"runs {name}, {int(hart['rq']['nr_queued'])} queued, "
              f"ipi_pending {int(hart['ipi_pending']):#x}, "
              f"in_interrupt {int(hart['in_interrupt'])}")


def show_threads():
    states = enum_names("thread_state")
    for thread in entries(value("all_threads"), "struct thread", "all_node"):
        state = states.get(int(thread["state"]), str(int(thread["state"])))
        print(f"{int(thread['id']):5} {thread['name'].string():16} "
              f"{state.replace('THREAD_', ''):10} hart {int(thread['hart'])}, "
              f"affinity {int(thread['affinity']['bits']):#x}, "
              f"switches {int(thread['switches'])}, in {callers(thread)}")


def callers(thread):
    """The functions that a thread which does not run is in, by its frame pointers."""
    low, frame, names = int(thread["stack"]), int(thread["context"]["s"][0]), []
    while low < frame <= thread.address and len(names) < CALLERS_SHOWN:
        address, frame = read_word(frame - 8), read_word(frame - 16)
        symbol = gdb.execute(f"info symbol {address:#x}", to_string=True)
        if symbol.startswith("No symbol"):
            break
        names.append(symbol.split(" ")[0])
    return " < ".join(names) or "its first function"


def read_word(address):
    data = gdb.selected_inferior().read_memory(address, 8)
    return int.from_bytes(data.tobytes(), "little")


def spaces():
    return entries(value("mm_list"), "struct mm_struct", "mm_list")


def space_of(pid):
    for mm in spaces():
        if int(mm["owner"]["pid"]) == pid:
            return mm
    raise gdb.GdbError(f"no guest has pid {pid}; `pagoda tasks` lists them")


def root_of(mm):
    """The physical address of its root table, which is known by its address in the linear map."""
    return int(mm["pgt"]["root"]) - LAYOUT["LINEAR_BASE"] + LAYOUT["MEMORY_BASE"]


def show_tasks():
    for mm in spaces():
        rss = sum(int(mm["rss"][i]) for i in range(mm["rss"].type.range()[1] + 1))
        print(f"pid {int(mm['owner']['pid']):5}  {mm['owner']['name'].string():16} "
              f"{int(mm['map_count'])} areas, {int(mm['total_vm'])} pages mapped, {rss} resident, "
              f"root table at {root_of(mm):#x}, mm at {mm.address}")


def show_vmas(pid):
    for vma in entries(space_of(pid)["mmap"], "struct vm_area_struct", "list"):
        flags = int(vma["vm_flags"])
        text = "".join(c if flags >> bit & 1 else "-" for bit, c in enumerate("rwx")) + \
            ("s" if flags & 8 else "p")
        name = vma["vm_name"].string() if int(vma["vm_name"]) else ""
        if not name and int(vma["vm_mapping"]):
            name = f"mapping {vma['vm_mapping']}"
        print(f"{int(vma['vm_start']):#012x}-{int(vma['vm_end']):#012x} {text} "
              f"pgoff {int(vma['vm_pgoff']):#x} flags {flags:#x} {name}")


def read_entry(table, index):
    """Entry @index of the page table at physical address @table, by the linear map."""
    address = table - LAYOUT["MEMORY_BASE"] + LAYOUT["LINEAR_BASE"] + index * PTE_SIZE
    return read_word(address)


def show_walk(pid, address):
    table = root_of(space_of(pid))
    if address >> ADDRESS_BITS not in (0, (1 << (64 - ADDRESS_BITS)) - 1):
        raise gdb.GdbError(f"{address:#x} is no Sv39 address: bits 63 to 39 differ from bit 38")
    for level in reversed(range(LEVELS)):
        index = address >> (PAGE_SHIFT + level * INDEX_BITS) & ((1 << INDEX_BITS) - 1)
        pte = read_entry(table, index)
        bits = "".join(PTE_BITS[bit] if pte >> bit & 1 else "-" for bit in reversed(range(8)))
        target = (pte >> PPN_SHIFT & PPN_MASK) << PAGE_SHIFT
        print(f"level {level}: table {table:#x} entry {index:3} = {pte:#018x}  {bits}", end="")
        if not pte & 1:
            print("  nothing" if not pte else f"  not present, names {target:#x}")
            return
        if pte & PTE_LEAF:
            size = 1 << (PAGE_SHIFT + level * INDEX_BITS)
            physical = target + (address & (size - 1))
            print(f"  maps {size >> 10} KiB at {target:#x}; {address:#x} is physical {physical:#x}")
            return
        print(f"  next table {target:#x}")
        table = target


def typed(line):
    with open(os.path.join(CONSOLE, "keys"), "wb", buffering=0) as keys:
        keys.write(line.encode() + b"\r")


class Screen:
    """How much of the console's output has been shown."""
    shown = 0

    @classmethod
    def show(cls):
        with open(os.path.join(CONSOLE, "console"), "rb") as file:
            file.seek(cls.shown)
            data = file.read()
        cls.shown += len(data)
        print(data.decode(errors="replace").replace("\r\n", "\n"), end="")


# {word: (function, how many arguments at least, at most, does it read the monitor's memory)}
COMMANDS = {
    "zones": (show_zones, 0, 0, True),
    "freelists": (lambda node=None: show_freelists(node), 0, 1, True),
    "page": (show_page, 1, 1, True),
    "harts": (show_harts, 0, 0, True),
    "threads": (show_threads, 0, 0, True),
    "tasks": (show_tasks, 0, 0, True),
    "vmas": (show_vmas, 1, 1, True),
    "walk": (show_walk, 2, 2, True),
    "screen": (Screen.show, 0, 0, False),
}


class Pagoda(gdb.Command):
    __doc__ = __doc__

    def __init__(self):
        super().__init__("pagoda", gdb.COMMAND_DATA)

    def invoke(self, argument, _from_tty):
        word, _, rest = argument.strip().partition(" ")
        if word == "type":
            typed(rest)
            return
        if word not in COMMANDS:
            raise gdb.GdbError(f"pagoda {word}: no such command; there are "
                               f"{', '.join(COMMANDS)}, type; `help pagoda` tells of them")
        function, least, most, reads = COMMANDS[word]
        arguments = [number(text) for text in rest.split()]
        if not least <= len(arguments) <= most:
            raise gdb.GdbError(f"pagoda {word}: takes {least} to {most} numbers; see help pagoda")
        if not reads:
            function(*arguments)
            return
        with InMonitor():
            function(*arguments)

    def complete(self, text, _word):
        return [word for word in [*COMMANDS, "type"] if word.startswith(text)]


Pagoda()
