# SPDX-License-Identifier: MIT
"""What a lab consists of: docs/labs/NN-name/lab.toml.

      name, title, hours, files, needs           the lab; files are what a student hands in
      guests                                     programs of ours that such files are linked into
      [[step]]     number, title                 the marked regions with that number
      [[item]]     id, title, points, paragraph  what earns points:
                   host = ["program.test", ...]    tests on this host
                   boot = ["machine", ...]         whole batches on machines
                   bench = "row"                   a cost; full and none are thresholds, unit
                                                   says of what, if not of instructions
                   after                           the paragraph is `step 3`, but its tests need
                                                   the steps up to this one
      [[host]]     program, source               a cmocka program; env for its environment
      [[machine]]  name, options, commands       what is booted; a drawn one has draw = true
"""
import os
import tomllib
from dataclasses import dataclass, field

from ..build import ROOT
from ..machine import Wrong

LABS = os.path.join("docs", "labs")


@dataclass
class Step:
    number: int
    title: str


@dataclass
class Item:
    """What earns points; its evidence counts in equal parts."""
    id: str
    title: str
    points: float
    paragraph: str
    host: list = field(default_factory=list)
    boot: list = field(default_factory=list)
    bench: str = ""
    full: float = 0  # a cost up to this earns all points
    none: float = 0  # from this on it earns none
    unit: str = "instructions"
    after: int = 0


@dataclass
class HostProgram:
    program: str
    source: str
    sanitizer: str = "asan"
    env: dict = field(default_factory=dict)
    seconds: int = 10  # of CPU time, for one test
    why: dict = field(default_factory=dict)  # test -> the invariant that it looks at


@dataclass
class BootMachine:
    name: str
    commands: list
    options: list = field(default_factory=list)
    draw: bool = False
    release: bool = False
    expect: dict = field(default_factory=dict)  # command -> what its output must match
    quiet: float = 0.5  # virtual seconds without progress that are a hang


@dataclass
class Lab:
    directory: str  # docs/labs/NN-name
    name: str
    title: str
    hours: list
    files: list
    needs: list
    steps: list
    items: list
    programs: dict
    machines: dict
    allow: list
    guests: list

    @property
    def points(self):
        return sum(item.points for item in self.items)

    @property
    def tests(self):
        """Where the teacher's material of this lab is."""
        return os.path.join("tests", "labs", os.path.basename(self.directory))


def load_lab(path, root=ROOT):
    """The Lab of one lab.toml."""
    with open(os.path.join(root, path), "rb") as file:
        data = tomllib.load(file)
    try:
        programs = [HostProgram(**entry) for entry in data.get("host", [])]
        machines = [BootMachine(**entry) for entry in data.get("machine", [])]
        lab = Lab(os.path.dirname(path), data["name"], data["title"], data["hours"],
                  data["files"], data.get("needs", []),
                  [Step(**entry) for entry in data["step"]],
                  [Item(**entry) for entry in data["item"]],
                  {p.program: p for p in programs}, {m.name: m for m in machines},
                  data.get("allow", []), data.get("guests", []))
    except (KeyError, TypeError) as error:
        raise Wrong(f"{path}: {error}") from None
    check(lab, path)
    return lab


def check(lab, path):
    """Refuse what refers to nothing."""
    for item in lab.items:
        for test in item.host:
            if test.split(".")[0] not in lab.programs:
                raise Wrong(f"{path}: item {item.id} names {test}, and no [[host]] is that program")
        for name in item.boot + ([lab_bench(lab)] if item.bench else []):
            if name not in lab.machines:
                raise Wrong(f"{path}: item {item.id} names the machine {name}, which is not there")
        if not (item.host or item.boot or item.bench):
            raise Wrong(f"{path}: item {item.id} looks at nothing")


def lab_bench(lab):
    """The name of the machine on which costs are measured: the one of that name."""
    return "bench" if "bench" in lab.machines else ""


def load_labs(root=ROOT):
    """All labs, in the order of their numbers: {name: Lab}."""
    folder = os.path.join(root, LABS)
    found = {}
    for entry in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        path = os.path.join(LABS, entry, "lab.toml")
        if os.path.exists(os.path.join(root, path)):
            lab = load_lab(path, root)
            found[lab.name] = lab
    return found


def choose(words, labs):
    """The labs that a list like 'buddy,cow' or 'all' names."""
    if words == "all":
        return list(labs.values())
    chosen = []
    for word in words.split(","):
        if word not in labs:
            raise Wrong(f"no lab '{word}'; there are {' '.join(labs)}")
        chosen.append(labs[word])
    return chosen
