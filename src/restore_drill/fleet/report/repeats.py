"""A drill that cannot run, for the same reason each time, is told of once a day by each way."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from restore_drill.alerts.missed import is_due, remember, remembered
from restore_drill.core.user_folders import user_state
from restore_drill.fleet.report.issues import DATABASE, Place
from restore_drill.fleet.report.messages import Quiet, event_of, events_of_criteria
from restore_drill.fleet.report.outcome import Outcome
from restore_drill.fleet.report.run import Fleet

NAME = "repeats.json"
"""When it was told last that a drill cannot run, by database, way and reason."""
ISSUE = "issue"
"""The way of issues, in place of the URL of a channel."""
Ways = Mapping[str, Sequence[Outcome]]
"""What each channel, by its URL, and the issues tell of."""
UNIT = r"\d[\d.,]*\s?(?:ms|s|min|h|d|[kMGT]?i?B|%)(?![\w-])"
CHANGING = re.compile(
    rf"(?<![\w.-]){UNIT}(?: {UNIT})*|20\d\d-?[01]\d-?[0-3]\d(?:[T _-]?\d\d(?:[:.-]?\d\d)*)?"
)
"""Durations, sizes and times: a reason stays the same when they are others."""


def repeated(fleet: Fleet, place: Place, ways: Ways) -> dict[str, frozenset[str]]:
    """Databases whose drill could not run, by the way that has told so within the last day."""
    known, now = remembered(memory()), datetime.now(UTC)
    return {
        way: frozenset(
            each.name
            for each in rows
            if could_not_run(each, fleet) and not is_due(known.get(key_of(each, way, place)), now)
        )
        for way, rows in ways.items()
    }


def note_told(fleet: Fleet, place: Place, quiet: Quiet, delivered: Ways) -> None:
    """Remember what was `delivered`, by its way; what is `quiet` there was not told now.

    What became of a database by now makes all other reasons past: the next one is told at once.
    """
    known, wanted = remembered(memory()), events_of_criteria()
    ended = {mark_in(each, place) for each in fleet.rows if each.state != "not-due"}
    same = {ends_of(key_of(each, "", place)) for each in fleet.rows if could_not_run(each, fleet)}
    times = {
        key: when
        for key, when in known.items()
        if ends_of(key)[0] not in ended or ends_of(key) in same
    }
    now = datetime.now(UTC).isoformat()
    times |= {
        key_of(each, way, place): now
        for way, rows in delivered.items()
        for each in rows
        if could_not_run(each, fleet)
        and each.name not in quiet.get(way, ())
        and (way == ISSUE or "could-not-run" in wanted(each.database))
    }
    if times != known:
        remember(memory(), times)


def could_not_run(row: Outcome, fleet: Fleet) -> bool:
    """Whether people hear of `row` that its drill could not run."""
    return event_of(row, fleet, {}) == "could-not-run"


def key_of(row: Outcome, way: str, place: Place) -> str:
    """What the database in `row`, the `way` it is told and its reason are remembered by."""
    reason = CHANGING.sub("0", row.why)
    return f"{mark_in(row, place)} {digest(way)} {digest(reason)}"


def ends_of(key: str) -> tuple[str, str]:
    """The database and the reason of a `key`, whatever the way."""
    return key.partition(" ")[0], key.rpartition(" ")[2]


def mark_in(row: Outcome, place: Place) -> str:
    """What the database in `row` is remembered by, whatever the reason."""
    return digest(f"{DATABASE}{row.name}\0{place.inventory}")


def digest(text: str) -> str:
    """Stands for `text`, which may be a secret."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:16]


def memory() -> Path:
    """The file, of this user on this machine."""
    return user_state() / NAME
