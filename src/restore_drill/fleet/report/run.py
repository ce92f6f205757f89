"""The record of a run: what became of each database, and the one verdict of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from restore_drill.core.errors import (
    EXIT_COULD_NOT_RUN,
    EXIT_INTERRUPTED,
    EXIT_NOTHING,
)
from restore_drill.core.units import show_count
from restore_drill.fleet.model import UNKNOWN, Database, Done
from restore_drill.fleet.report.outcome import (
    GREEN,
    OF_BACKUP,
    STATES,
    WORDS,
    Outcome,
    not_begun,
    not_due,
    outcome_of,
    unlisted,
)
from restore_drill.results.several import NOT_BEGUN
from restore_drill.watch.history import Drill

NOTHING_KNOWN = "nothing is known of its drill"
IN_WORDS = {"warnings": "passed with warnings"}
"""Of states, where their name is no words."""


@dataclass
class Fleet:
    """A run over `databases` (by name, in any order) of the inventory at `inventory`.

    `ended` is None while it runs. `outcomes` holds what is known so far; a database that is not in
    it counts as not begun. `undecided` are those that were discovered, and that nobody has named.
    """

    inventory: Path
    databases: Mapping[str, Database]
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: datetime | None = None
    is_interrupted: bool = False
    undecided: Sequence[str] = ()
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def end(self, done: Done, tries: int, folder: Path | None = None) -> Outcome:
        """Note how the last try of a drill ended; KeyError for a database that is not of the run.

        Where two tries of one drill have judged its backup, the worse verdict stays.
        """
        new = outcome_of(self.databases[done.name], done, tries, folder)
        old = self.outcomes.get(done.name)
        self.outcomes[done.name] = new if old is None else counted(old, new)
        return self.outcomes[done.name]

    def leave(self, name: str, why: str) -> Outcome:
        """Note that the drill of `name` was not begun, and why; KeyError as in `end`.

        What is already known of it stays.
        """
        return self.outcomes.setdefault(name, not_begun(self.databases[name], why))

    def leave_undue(
        self, name: str, why: str, drill: Drill | None = None, folder: Path | None = None,
        *, is_red: bool = False,
    ) -> Outcome:  # fmt: skip
        """Note that no drill of `name` was due, and why; what the last `drill` has shown holds.

        The reports of that lie in `folder`, where they still do. `is_red`: it had failed.
        """
        outcome = not_due(self.databases[name], why, drill, folder, is_red=is_red)
        return self.outcomes.setdefault(name, outcome)

    def note_unlisted(self, name: str) -> Outcome:
        """Note that the place `name` cannot be listed, so that nothing of it is drilled."""
        return self.outcomes.setdefault(name, unlisted(self.databases[name]))

    def close(self, *, is_interrupted: bool = False) -> None:
        """Note that the run is over; what was to come still was not begun."""
        self.ended, self.is_interrupted = datetime.now(UTC), is_interrupted
        why = NOT_BEGUN if is_interrupted else NOTHING_KNOWN
        for name in self.databases:
            self.leave(name, why)

    @property
    def rows(self) -> list[Outcome]:
        """Each database, the worst first."""
        known = self.outcomes
        return sorted(
            (known.get(name) or not_begun(each, NOTHING_KNOWN)
             for name, each in self.databases.items()),
            key=lambda each: each.rank,
        )  # fmt: skip

    @property
    def counts(self) -> dict[str, int]:
        """How many databases are in which of STATES, the worst first; none with 0."""
        return counts_of(self.rows)

    @property
    def verdict(self) -> str:
        """`passed`, `failed`, `could-not-run`, `incomplete`, or `not-due` where nothing was due."""
        return verdict_of(self.rows)

    @property
    def code(self) -> int:
        """Exit code: see `code_of`."""
        return code_of(self.rows, is_interrupted=self.is_interrupted)


def counted(old: Outcome, new: Outcome) -> Outcome:
    """Which of two outcomes of one database counts: one of its backup, and of two the worse."""
    if old.state in OF_BACKUP and new.state in OF_BACKUP:
        return min(old, new, key=lambda each: each.rank)
    return old if old.state in OF_BACKUP else new


def counts_of(rows: Iterable[Outcome]) -> dict[str, int]:
    """How many of `rows` are in which of STATES, the worst first; none with 0."""
    found = Counter(each.shown_state for each in rows)
    return {state: found[state] for state in STATES if found[state]}


def verdict_of(rows: Sequence[Outcome]) -> str:
    """One verdict of all: nothing is passed unless a backup is proved and none is in doubt."""
    states = {each.shown_state for each in rows}
    if "failed" in states:
        return "failed"
    if states == {"not-due"}:
        return "not-due"
    if states & {UNKNOWN, "not-begun"} or not states & set(OF_BACKUP):
        return UNKNOWN
    return "passed" if states <= {*GREEN, "not-due"} else "incomplete"


def code_of(rows: Sequence[Outcome], *, is_interrupted: bool) -> int:
    """Exit code by the worst: 1 before 6 before 0. A backup that has failed before is no better.

    2 where an interrupt kept a drill from beginning, 5 where there is no database, 6 where not one
    backup is proved; 0 also where nothing was due. Never 4, which says that no run has begun.
    """
    due = [each for each in rows if each.state != "not-due" or each.is_red]
    codes = {each.exit_code for each in due}
    if is_interrupted and any(each.state in ("not-begun", UNKNOWN) for each in due):
        return EXIT_INTERRUPTED
    if not due:
        return 0 if rows else EXIT_NOTHING
    if 1 in codes:
        return 1
    if codes != {0} or not any(each.is_green for each in due):
        return EXIT_COULD_NOT_RUN
    return 0


def tally(fleet: Fleet) -> str:
    """`40 databases: 2 failed, 1 not begun, 37 passed`."""
    words = [f"{count:,} {in_words(state)}" for state, count in fleet.counts.items()]
    total = show_count(len(fleet.databases), "database")
    return f"{total}: {', '.join(words)}" if words else "no database"


def in_words(state: str) -> str:
    """`could not run`, `passed with warnings`."""
    return IN_WORDS.get(state, state.replace("-", " "))


def headline(fleet: Fleet) -> str:
    """`Restore drills of 40 databases: FAILED`."""
    word = "NOTHING WAS DUE" if fleet.verdict == "not-due" else WORDS[fleet.verdict]
    return f"Restore drills of {show_count(len(fleet.databases), 'database')}: {word}"
