#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Do the tests of a step pass when the steps behind it are not written yet?

    tests/labs/teacher/steps.py [LAB]...

An item whose paragraph is `step 3` must give all its points to a submission that has the steps 1 to
3, unless lab.toml says `after = 5`: then its tests need the steps up to that one, and the handout
says so.
"""
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

from pagoda.lab import faults  # noqa: E402  (the path comes first)
from pagoda.lab.grade import grade  # noqa: E402
from pagoda.lab.manifest import choose, load_labs  # noqa: E402
from pagoda.lab.work import prepare_base  # noqa: E402


def judge(lab, item):
    """What is wrong with an item's tests when only its step and those before are written, or ""."""
    last = max(item.after, *(int(n) for n in re.findall(r"\d+", item.paragraph)))
    with faults.Submission(lab, last=last) as folder:
        result = grade(lab, folder, faults.SEED, items={item.id})
    failed = [f"{e.name}: {e.got} {e.text.splitlines()[:1]}" for o in result.outcomes
              for e in o.evidence if not e.ok]
    return result.refused or "; ".join(failed)


def main(names):
    labs = choose(",".join(names) or "all", load_labs())
    prepare_base(labs)
    chosen = [(lab, item) for lab in labs for item in lab.items
              if item.host and not item.boot and item.paragraph.startswith("step")]
    wrong = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for (lab, item), fault in zip(chosen, pool.map(lambda pair: judge(*pair), chosen)):
            wrong += bool(fault)
            print(f"{lab.name}: {item.id:10} {item.paragraph}: {fault or 'its tests need no more'}",
                  flush=True)
    print(f"{len(chosen) - wrong} passed, {wrong} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
