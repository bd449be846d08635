# SPDX-License-Identifier: MIT
"""Grading one lab of one submission: host tests, boots, costs, then points by item."""
import re
import secrets
import time

from . import boottests, hosttests
from .evidence import Evidence, Grade, Outcome
from .screen import Refused
from .work import Work

BENCH = "bench"
HANGS_MOST = 3  # machines that hung, after which no other is tried


def wanted_evidence(items, only):
    """(host tests, machines) that the items name, in order; @only keeps names that contain it."""
    def keep(name):
        return not only or only in name

    tests, machines = [], []
    for item in items:
        tests += [t for t in item.host if t not in tests and keep(t)]
        machines += [m for m in item.boot if m not in machines and keep(f"boot.{m}")]
        if item.bench and BENCH not in machines and keep(f"bench.{item.bench}"):
            machines.append(BENCH)
    return tests, machines


def has_any(lab, only):
    """Is @only an item of the lab, or in the name of a test?"""
    return only in {item.id for item in lab.items} or any(wanted_evidence(lab.items, only))


def told_before(evidence, found):
    """A panic of one machine is most often that of the next: say so instead of all of it again."""
    for other in found.values():
        if "panic" in evidence.got and other.got == evidence.got:
            evidence.text = f"as {other.name}"
            return


def boot_all(work, machines, seed, progress):
    """({name: Evidence}, {command: output} of the machine named bench)."""
    found, figures, images, hangs = {}, {}, {}, 0
    guests = work.link_guests() if machines else []
    for name in machines:
        machine = work.lab.machines[name]
        if hangs >= HANGS_MOST:
            found[f"boot.{name}"] = Evidence(f"boot.{name}", False,
                                             text=f"it was not tried: {hangs} machines hung")
            continue
        progress(f"machine: {name}")
        if machine.release not in images:
            images[machine.release] = work.link_image(machine.release)
        evidence, outputs = boottests.run_machine(work, machine, images[machine.release], guests,
                                                  seed)
        told_before(evidence, found)
        found[evidence.name] = evidence
        hangs += evidence.got == boottests.HANG
        if name == BENCH:
            figures = outputs
    return found, figures


def tell_other_labs(evidence, lab):
    """Who graded reached a stub of another lab: that is nothing that is wrong with this one."""
    match = re.search(r"\blab (\w+), step \d+ is missing", evidence.got + "\n" + evidence.text)
    if match and match[1] != lab.name:
        evidence.text += f"\nlab {match[1]} is another lab of the grader's tree: write it first, " \
                         "or have its solution put in; a teacher's tree has them all"


def outcome_of(item, found, figures, only):
    """The points of one item."""
    outcome = Outcome(item.id, item.title, item.paragraph, item.points)
    names = item.host + [f"boot.{m}" for m in item.boot]
    for name in names:
        if name in found:
            outcome.evidence.append(found[name])
        elif not only:
            outcome.evidence.append(Evidence(name, False, text="it was not run"))
    if item.bench and (not only or only in f"bench.{item.bench}"):
        outcome.evidence.append(boottests.measure(item, figures))
    return outcome


def needs_correct(lab, outcomes):
    """A cost counts only when what costs is right for the most part."""
    right = {item.id for item in lab.items if not item.bench}
    most = sum(o.most for o in outcomes if o.id in right) or 1
    share = sum(o.points for o in outcomes if o.id in right) / most
    for outcome in outcomes:
        if outcome.id in right:
            continue
        for evidence in outcome.evidence:
            if share < 0.5:
                evidence.share = 0.0
                evidence.ok = False
                evidence.text = "costs count when at least half of the other points are reached"


def grade(lab, submission, seed=None, only="", progress=lambda text: None, items=None):
    """
    The Grade of @submission, a folder. What is wrong with it costs it points, nothing else.
    @items, a set of ids, leaves all other items out. @only is one such id, or a part of the names
    of the tests to be run.
    """
    if only in {item.id for item in lab.items}:
        only, items = "", {only}
    chosen = [item for item in lab.items if items is None or item.id in items]
    seed = secrets.randbits(32) if seed is None else seed
    began = time.monotonic()
    result = Grade(lab.name, lab.title, seed, [])
    tests, machines = wanted_evidence(chosen, only)
    found, figures = {}, {}
    with Work(lab, submission) as work:
        try:
            progress("compiling")
            work.lay()
            work.compile()
            if tests:
                work.link_host(tests)
                found.update(hosttests.run_all(work, tests, seed, progress))
            booted, figures = boot_all(work, machines, seed, progress)
            found.update(booted)
        except Refused as refused:
            result.refused = str(refused)
    for evidence in found.values():
        tell_other_labs(evidence, lab)
    result.outcomes = [outcome_of(item, found, figures, only) for item in chosen]
    if not only and items is None:
        needs_correct(lab, result.outcomes)
    result.seconds = time.monotonic() - began
    return result


def worst(grades):
    """Of several gradings of the same: the one with the fewest points."""
    return min(grades, key=lambda g: g.points)
