"""A criterion as the reports know it: its description, and the outcome of each phase."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from textwrap import dedent, indent
from typing import Any

from restore_drill.core.errors import FIND

BAD = ("error", "failed")
SEVERITY = ("passed", "skipped", "waived", "error", "failed")
"""Outcomes of a check; of several phases the worst counts."""

COUNTED = ("passed", "failed", "error", "waived", "skipped")


QUERY = re.compile(rf"^ +{FIND}(SELECT .+)$", re.MULTILINE)
"""Line of a message that gives the query for the rows of what stands above it."""


def weight_of(check: Mapping[str, Any]) -> int:
    """How many criteria a check of result.json stands for: one, or one for each table."""
    return int(check.get("count", 1))


def counts_of(
    checks: Iterable[Mapping[str, Any]], *, not_run: int = 0, deselected: int = 0
) -> dict[str, int]:
    """How many criteria had each outcome, the only place where any report has a number from.

    `criteria` is how many were selected; `not_run` of them did not come to an outcome. Those that
    the command line has `deselected` are none of them.
    """
    found: Counter[str] = Counter()
    for check in checks:
        found[check["outcome"]] += weight_of(check)
    number = {outcome: found[outcome] for outcome in COUNTED}
    total = found.total() + not_run
    return {"criteria": total, **number, "not_run": not_run, "deselected": deselected}


@dataclass(frozen=True)
class Criterion:
    """Description of a criterion: its sentence, its stage, whether it reads restored rows.

    `is_beside` means that its failure does not concern the restored copy: age, times, Redis.
    `budget` is `time` or `age` where it asks for that alone, else empty. `count` is for how many
    tables one item asks; None where it is of one, or of none.
    """

    sentence: str = ""
    stage: str = ""
    reads_rows: bool = False
    is_beside: bool = False
    budget: str = ""
    count: int | None = None

    @property
    def weight(self) -> int:
        """How many criteria it stands for."""
        return 1 if self.count is None else self.count


@dataclass(frozen=True)
class Phase:
    """One phase of a criterion, `setup`, `call` or `teardown`, and its `outcome`.

    `known` is why it was known to fail, None where it was not; `waiver` holds the reason and end
    of a waiver that accepts its failure.
    """

    nodeid: str
    when: str
    outcome: str
    message: str
    seconds: float
    known: str | None = None
    waiver: dict[str, str] | None = None


def module_of(nodeid: str) -> str:
    """Test module of a criterion: `drill/test_tables.py`."""
    return nodeid.split("::", maxsplit=1)[0]


def message_in(text: str) -> str:
    """Message of an assertion without pytest's echo and its deeper indentation."""
    head, _, rest = text.split("\nassert ", maxsplit=1)[0].partition("\n")
    return f"{head}\n{indent(dedent(rest), '  ')}".rstrip()
