# SPDX-License-Identifier: MIT
"""Host tests of a lab: run its programs under sanitizers, believe signed lines only."""
import re

from . import sandbox
from .evidence import Evidence
from .sign import test_signature
from .work import host_binary

LINE = re.compile(r"^(ok|not ok) \d+ - (\S+) # sig ([0-9a-f]{16})$")
NOT_EQUAL = re.compile(r"^(.+?) != (.+)$")
ENDLESS = "did not come to an end"  # as runner.c says it
TOLD_MOST = 12  # lines
ERROR = re.compile(r"^(\[ +ERROR +\] --- )?(ERROR: )?")
NOISE = re.compile(r"^(\[[=\- A-Z]+\]|Could not run test|Subtest:| *\d+ FAILED TEST|$)")
# A crash is told by the sanitizer, with its place, and not by cmocka, which knows only the signal.
CRASHES = ":".join(f"handle_{signal}=2" for signal in ("segv", "sigbus", "sigfpe", "sigill"))


def parse(output, key):
    """{test: (ok, what it printed)} of a runner's output; lines that are not signed say nothing."""
    found, said = {}, []
    for line in output.split("\n"):
        match = LINE.match(line)
        if match and test_signature(key, match.group(2), match.group(1) == "ok") == match.group(3):
            found[match.group(2)] = (match.group(1) == "ok", said)
            said = []
        elif line.startswith("# "):
            said.append(line[2:])
    return found


def explain(said):
    """(expected, got, text) of what a failed test printed."""
    useful = [line for line in (ERROR.sub("", s) for s in said) if not NOISE.match(line)]
    expected = got = ""
    for line in useful:
        match = NOT_EQUAL.match(line.strip())
        if match:
            got, expected = match.groups()
            useful.remove(line)
            break
    shown = useful if len(useful) <= TOLD_MOST else useful[:TOLD_MOST - 1] + useful[-1:]
    return expected, got, "\n".join(shown)  # the last line is how its process ended


def run_program(work, program, tests, seed, endless):
    """Evidence of the wanted @tests of one program; @endless tests before did not end."""
    env = {"LAB_ENDLESS": str(endless), "LAB_ONLY": ",".join(tests),
           "LAB_SECONDS": str(program.seconds), "LAB_SEED": str(seed),
           "RANDOM_SEED": str(seed), "LSAN_OPTIONS": "detect_leaks=0",
           "ASAN_OPTIONS": f"detect_leaks=0:{CRASHES}", "UBSAN_OPTIONS": "print_stacktrace=1",
           **{k: str(v) for k, v in program.env.items()}}
    limits = sandbox.Limits(cpu=program.seconds * len(tests) + 5, wall=600, memory=3000)
    done = sandbox.run([work.path(host_binary(program.source))], work.scratch, limits, env)
    found = parse(done.output, work.key)
    evidence = []
    for test in tests:
        name = f"{program.program}.{test}"
        ok, said = found.get(test, (False, [done.stopped or "the program ended before this test"]))
        expected, got, text = ("", "", "") if ok else explain(said)
        evidence.append(Evidence(name, ok, expected, got, text, program.why.get(test, ""),
                                 "\n".join(said)))
    return evidence


def run_all(work, wanted, seed, progress):
    """{"program.test": Evidence} of all tests in @wanted."""
    found = {}
    for program in work.lab.programs.values():
        tests = [name.split(".", 1)[1] for name in wanted
                 if name.split(".", 1)[0] == program.program]
        if tests:
            progress(f"host tests: {program.program}")
            endless = sum(ENDLESS in e.text for e in found.values())
            found.update({e.name: e for e in run_program(work, program, tests, seed, endless)})
    return found
