# SPDX-License-Identifier: MIT
"""What one test, one boot or one measurement showed, and how items add up from it."""
from dataclasses import asdict, dataclass, field


@dataclass
class Evidence:
    name: str
    ok: bool
    expected: str = ""
    got: str = ""
    text: str = ""  # what a student should read
    why: str = ""  # the invariant, the paragraph
    output: str = ""  # everything, for --verbose
    share: float = -1.0  # part of the points that it earns; -1: all or nothing by ok

    @property
    def earned(self):
        return self.share if self.share >= 0 else float(self.ok)


@dataclass
class Outcome:
    """An item and what was found of it."""
    id: str
    title: str
    paragraph: str
    most: float
    evidence: list = field(default_factory=list)

    @property
    def points(self):
        if not self.evidence:
            return 0.0
        return round(self.most * sum(e.earned for e in self.evidence) / len(self.evidence), 2)

    def describe(self):
        return {"id": self.id, "title": self.title, "paragraph": self.paragraph,
                "most": self.most, "points": self.points,
                "evidence": [{k: v for k, v in asdict(e).items() if k != "output"}
                             for e in self.evidence]}


@dataclass
class Grade:
    """One lab of one submission."""
    lab: str
    title: str
    seed: int
    outcomes: list
    refused: str = ""  # why nothing was run
    seconds: float = 0.0

    @property
    def points(self):
        return round(sum(o.points for o in self.outcomes), 2)

    @property
    def most(self):
        return sum(o.most for o in self.outcomes)

    def describe(self):
        return {"lab": self.lab, "title": self.title, "seed": self.seed, "points": self.points,
                "most": self.most, "refused": self.refused, "seconds": round(self.seconds, 1),
                "items": [o.describe() for o in self.outcomes]}
