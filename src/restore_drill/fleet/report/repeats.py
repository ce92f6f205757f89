"""A drill that cannot run, for the same reason each time, is told of once a day."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from restore_drill.alerts.missed import is_due, remember, remembered
from restore_drill.alerts.subject import comment, mark_of
from restore_drill.core.user_folders import user_state
from restore_drill.fleet.report.issues import DATABASE, Place
from restore_drill.fleet.report.messages import event_of
from restore_drill.fleet.report.outcome import Outcome
from restore_drill.fleet.report.run import Fleet

NAME = "repeats.json"
"""When it was told last that a drill cannot run, by database and reason."""
NUMBER = re.compile(r"\d+")


def repeated(fleet: Fleet, place: Place) -> frozenset[str]:
    """Databases whose drill could not run, as people have been told within the last day."""
    known, now = remembered(memory()), datetime.now(UTC)
    return frozenset(
        each.name
        for each in fleet.rows
        if event_of(each, fleet, {}) == "could-not-run"
        and not is_due(known.get(key_of(each, place)), now)
    )


def note_told(fleet: Fleet, place: Place, quiet: Collection[str], *, is_told: bool) -> None:
    """Remember what was told, if it `is_told`; what was not is `quiet`.

    What became of a database by now makes all other reasons past: the next one is told at once.
    """
    known = remembered(memory())
    rows = [each for each in fleet.rows if each.state != "not-due" and each.name not in quiet]
    past = {mark_in(each, place) for each in rows}
    times = {key: when for key, when in known.items() if key.partition(" ")[0] not in past}
    if is_told:
        could_not = [each for each in rows if event_of(each, fleet, {}) == "could-not-run"]
        now = datetime.now(UTC).isoformat()
        times |= dict.fromkeys((key_of(each, place) for each in could_not), now)
    if times != known:
        remember(memory(), times)


def key_of(row: Outcome, place: Place) -> str:
    """What the database in `row` and its reason are remembered by; numbers in it may change."""
    return f"{mark_in(row, place)} {comment(NUMBER.sub('0', row.why))}"


def mark_in(row: Outcome, place: Place) -> str:
    """What the database in `row` is remembered by, whatever the reason: without a blank."""
    return mark_of(DATABASE + row.name, place.inventory).replace(" ", "")


def memory() -> Path:
    """The file, of this user on this machine."""
    return user_state() / NAME
