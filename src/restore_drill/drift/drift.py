"""The drift of one drill: against every measure there is, with what was accepted."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from restore_drill.drift.accepted import Acceptances
from restore_drill.drift.compare import compare_with
from restore_drill.drift.findings import ADDED, Finding
from restore_drill.drift.tolerance import Tolerance
from restore_drill.facts.schema.model import DriftFacts, Measure

MOST_NAMED = 3
"""So many objects are named in a command; without a name it accepts all that was found."""


@dataclass(frozen=True)
class Drift:
    """What has changed in the source: `failing`, `accepted` and `noted` findings.

    `measures` are what it was measured against; `moved` names migration heads that have moved.
    """

    measures: tuple[Measure, ...]
    facts: DriftFacts
    failing: tuple[Finding, ...] = ()
    accepted: tuple[Finding, ...] = ()
    noted: tuple[Finding, ...] = ()
    moved: tuple[str, ...] = ()
    not_compared: tuple[tuple[str, str], ...] = ()
    command: str = ""

    def of(self, *whats: str) -> list[Finding]:
        """Failing findings of these kinds of change."""
        return [each for each in self.failing if each.what in whats]

    def rows_of(self, table: str) -> list[Finding]:
        """The finding about the rows of `table`, if there is one that fails."""
        return self.by_title.get(f"rows of {table}", [])

    @cached_property
    def by_title(self) -> dict[str, list[Finding]]:
        """Failing findings by their titles."""
        found: defaultdict[str, list[Finding]] = defaultdict(list)
        for each in self.failing:
            found[each.title].append(each)
        return dict(found)

    def rest(self, found: Sequence[Finding]) -> list[str]:
        """Lines on all of `found` but what the line of its first one says."""
        first, *others = found
        lines = [line for each in others for line in (each.line, *each.details)]
        return [*self.heads, *first.details, *lines]

    @property
    def against(self) -> str:
        """What it was measured against, in words."""
        return " and ".join(measure.name for measure in self.measures)

    @property
    def heads(self) -> list[str]:
        """Which migration head would have excused what was found, had it moved."""
        known = {name: None for each in self.measures for name in each.facts.heads}
        if not known:
            return ["migration head: none was found (name it by a query: head under [drift])"]
        return [f"migration head {name}: has not moved" for name in known]

    def accept(self, found: Sequence[Finding]) -> str:
        """Command that accepts `found`."""
        titles = [shlex.quote(each.title) for each in found] if len(found) <= MOST_NAMED else []
        return " ".join([f'{self.command} --reason "WHY"', *titles])

    def as_json(self) -> dict[str, Any]:
        """What result.json holds."""
        return {
            "against": [
                {"kind": measure.kind, "description": measure.name} for measure in self.measures
            ],
            "moved": list(self.moved),
            "failing": [each.as_json() for each in self.failing],
            "accepted": [each.as_json() for each in self.accepted],
            "noted": [each.as_json() for each in self.noted],
        }


@dataclass
class Weighing:
    """Collects findings; one that two measures give is reported once."""

    acceptances: Acceptances
    failing: dict[tuple[str, str], Finding] = field(default_factory=dict)
    accepted: dict[tuple[str, str], Finding] = field(default_factory=dict)
    noted: dict[tuple[str, str], Finding] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        """Weigh one finding."""
        key = (finding.what, finding.title)
        if not finding.fails:
            self.noted.setdefault(key, finding)
        elif why := self.acceptances.reason(finding):
            self.accepted.setdefault(key, finding.noted(why))
        else:
            known = self.failing.get(key)
            if known:
                finding = replace(
                    known,
                    against=f"{known.against} and {finding.against}",
                    marks=known.marks + finding.marks,
                    with_it=tuple(dict.fromkeys(known.with_it + finding.with_it)),
                )
            self.failing[key] = finding


def drift_of(
    measures: Iterable[Measure],
    now: DriftFacts,
    tolerance: Tolerance,
    acceptances: Acceptances,
    *,
    restored: frozenset[str] = frozenset(),
    command: str = "",
) -> Drift:
    """Drift of `now` against all `measures`; `restored` names what the restore itself has lost."""
    weighing = Weighing(acceptances)
    moved: list[str] = []
    not_compared: list[tuple[str, str]] = []
    measures = tuple(measures)
    for measure in measures:
        difference = compare_with(measure, now, tolerance)
        moved += difference.moved
        not_compared += difference.not_compared
        for finding in difference.findings:
            if finding.what == ADDED and measure is not measures[0]:
                continue
            if not restored & {finding.name, finding.name.replace('"', "")}:
                weighing.add(finding)
    return Drift(
        measures,
        now,
        failing=tuple(weighing.failing.values()),
        accepted=tuple(weighing.accepted.values()),
        noted=tuple(weighing.noted.values()),
        moved=tuple(dict.fromkeys(moved)),
        not_compared=tuple(dict.fromkeys(not_compared)),
        command=command,
    )
