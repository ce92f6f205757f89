"""Waivers, the criteria and constraints that they name, and those that do nothing."""

from __future__ import annotations

import difflib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from restore_drill.config.criteria import Waiver
from restore_drill.facts.model import Facts
from restore_drill.facts.records import Constraint, ForeignKey

Waivable = Constraint | ForeignKey

CONSTRAINT_CRITERIA = (
    "test_foreign_keys_hold", "test_constraints_hold", "test_unlisted_tables_hold",
)  # fmt: skip
"""Criteria of which a waiver may name one constraint: `test_constraints_hold[public.t.name]`."""


@dataclass
class Waivers:
    """The waivers of a run by day `today`, and what became of the criteria that they name.

    Those `of_constraints` name no criterion, but may name a constraint of one that was `asked`.
    """

    waivers: tuple[Waiver, ...]
    today: date
    used: defaultdict[Waiver, set[str]] = field(default_factory=lambda: defaultdict(set))
    unmatched: dict[Waiver, str] = field(default_factory=dict)
    of_constraints: dict[Waiver, str] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    def of(self, nodeid: str) -> Waiver | None:
        """Waiver of the criterion `nodeid`: one that is in force, else one that has expired."""
        found = [waiver for waiver in self.waivers if waiver.names(nodeid)]
        return min(found, key=lambda waiver: waiver.has_expired(self.today), default=None)

    def in_force(self, waiver: Waiver) -> bool:
        """Whether `waiver` has not expired."""
        return not waiver.has_expired(self.today)

    def match(self, nodeids: list[str]) -> None:
        """Find the waivers that name none of `nodeids`, and the name that each may mean."""
        names = [nodeid.split("::", maxsplit=1)[-1] for nodeid in nodeids]
        bases = {name.split("[")[0] for name in names if "[" in name}
        for waiver in self.waivers:
            if any(map(waiver.names, nodeids)):
                continue
            near = difflib.get_close_matches(waiver.criterion.split("::")[-1], names, n=1)
            if "[" in waiver.criterion and base_of(waiver.criterion) in CONSTRAINT_CRITERIA:
                self.of_constraints[waiver] = f"; did you mean {near[0]!r}?" if near else ""
            else:
                near += [f"{waiver.criterion}[*]"] if waiver.criterion in bases else []
                self.unmatched[waiver] = f"; did you mean {near[-1]!r}?" if near else ""

    def lines(self) -> list[str]:
        """A line on each waiver that does nothing: it names no criterion, or one that holds."""
        lines = [
            f"waiver for {waiver.criterion!r} matches no criterion of this drill{hint}"
            for waiver, hint in self.unmatched.items()
        ]
        lines += [
            f"waiver for {waiver.criterion!r} matches no table or constraint of this drill{hint}"
            for waiver, hint in self.of_constraints.items()
            if waiver not in self.used and base_of(waiver.criterion) in self.asked
        ]
        return lines + [
            f"waiver for {waiver.criterion!r} is no longer needed: nothing fails there any more; "
            "remove it"
            for waiver, outcomes in self.used.items()
            if outcomes == {"passed"}
        ]

    def broken_in(
        self, nodeid: str, facts: Facts, table: str, unlisted: list[str] | None
    ) -> list[tuple[Waivable, Waiver]]:
        """Broken constraints that the criterion `nodeid` asks of and a waiver names.

        It asks of those of `table`, or of all tables that are `unlisted`.
        """
        found = []
        criterion = nodeid.split("[", maxsplit=1)[0]
        for fact in constraints_of(base_of(nodeid), facts, table, unlisted):
            waiver = self.of(f"{criterion}[{fact.table}.{fact.name or fact.kind}]")
            if waiver is not None:
                self.used[waiver].add("failed" if fact.is_broken else "passed")
                found += [(fact, waiver)] if fact.is_broken else []
        return found


def constraints_of(
    base: str, facts: Facts, table: str, unlisted: list[str] | None
) -> list[Waivable]:
    """Constraints that the criterion `base` asks of, for `table` or for the `unlisted` tables."""
    if unlisted is not None:
        every: list[Waivable] = [*facts.foreign_keys, *facts.constraints]
        there = frozenset(unlisted)
        return [fact for fact in every if fact.table in there]
    if base == "test_foreign_keys_hold":
        return list(facts.foreign_keys_of(table))
    return [fact for fact in facts.constraints_by_table.get(table, []) if not fact.is_lost]


def base_of(nodeid: str) -> str:
    """Name of a criterion without its module and brackets."""
    return nodeid.split("[", maxsplit=1)[0].rsplit("::", maxsplit=1)[-1]
