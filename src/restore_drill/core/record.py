"""The record of one run: result.json while it is being written, filled stage by stage."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from restore_drill.core.deadline import Deadline
from restore_drill.core.units import show_duration

MOST_NAMED, LONG = 5, 1.0
"""So many parts are named where the verification took too long, each of so many seconds."""


@dataclass
class Record:
    """What this run has found so far, in the shape of result.json (schema 2).

    `stages` holds one `{"name", "started", "seconds"}` a stage, in seconds since the start;
    the dictionaries are those of result.json, None or empty until their stage has run. `basis` is
    what the data is measured against, `strength` what a pass is worth: `proven` or `plausible`;
    `drift` what the source has lost since, and against what that was measured.
    `candidates` are what the backup was chosen from; `identity` says which database was dumped
    (`source`) and which was verified (`target`), `tools` the version of the pg_dump and pg_restore
    that the drill ran.
    `run_of` are all series that the same run drills, each by itself; `series` the one that
    was to be drilled where no backup of it was found.
    `bypass` is that drills were to be skipped, see `watch/skips.py`; `history` where the chain of
    earlier drills ended.
    `budgets` holds the seconds allowed for restore, verify and total, None where none is set.
    `parts` holds the seconds of each query of the team's own criteria, by what it is of.
    `warnings` do not fail the drill and stand beside its verdict; `notes` are for the reports.
    """

    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock: float = field(default_factory=time.monotonic)
    sample: bool = False
    backup: dict[str, Any] | None = None
    target: dict[str, Any] | None = None
    snapshot: dict[str, Any] | None = None
    promotion: dict[str, Any] | None = None
    recovery: dict[str, Any] | None = None
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    redis: dict[str, Any] | None = None
    redis_backup: dict[str, Any] | None = None
    coherence: dict[str, Any] | None = None
    stages: list[dict[str, Any]] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    proof: list[dict[str, Any]] = field(default_factory=list)
    basis: str = ""
    strength: str = ""
    drift: dict[str, Any] | None = None
    bypass: dict[str, Any] | None = None
    history: dict[str, Any] | None = None
    budgets: dict[str, float | None] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    not_checked: list[dict[str, Any]] = field(default_factory=list)
    parts: dict[str, float] = field(default_factory=dict)
    candidates: dict[str, Any] | None = None
    identity: dict[str, dict[str, Any]] = field(default_factory=dict)
    tools: str = ""
    run_of: list[str] = field(default_factory=list)
    series: str = ""
    deadline: Deadline | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the start of the run."""
        return time.monotonic() - self.clock

    @contextmanager
    def stage(self, name: str, part: str = "") -> Iterator[None]:
        """Time what runs inside as the stage `name`, also when it fails; its limit ends it.

        `part` is what of it is timed by itself too.
        """
        started = self.elapsed
        limited = self.deadline.stage(name, f"the stage {name}") if self.deadline else nullcontext()
        try:
            with limited:
                yield
        finally:
            seconds = self.elapsed - started
            self.stages.append({"name": name, "started": started, "seconds": seconds})
            if part:
                self.parts[part] = seconds

    @property
    def slowest(self) -> list[str]:
        """What of `parts` took long, the longest first: `[facts.revenue]: 12 s`."""
        longest = sorted(self.parts.items(), key=lambda each: -each[1])[:MOST_NAMED]
        return [f"{part}: {show_duration(seconds)}" for part, seconds in longest if seconds >= LONG]

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Forget what is written inside: it is not about this run's backup."""
        notes, not_checked = list(self.notes), list(self.not_checked)
        warnings = list(self.warnings)
        tables, facts = dict(self.tables), dict(self.facts)
        try:
            yield
        finally:
            self.notes[:], self.not_checked[:] = notes, not_checked
            self.warnings[:] = warnings
            self.tables, self.facts = tables, facts

    def seconds(self, name: str) -> float:
        """Seconds spent in the stage `name` so far; 0 when it has not run."""
        return float(sum(stage["seconds"] for stage in self.stages if stage["name"] == name))

    def skip(self, what: str, why: str, *, criteria: int = 0) -> None:
        """Say that `what` was not checked, so that nothing is silently green.

        `criteria` is how many `what` stands for, where it is a number of them and no more.
        """
        entry: dict[str, Any] = {"what": what, "why": why}
        entry |= {"criteria": criteria} if criteria else {}
        if entry not in self.not_checked:
            self.not_checked.append(entry)
