"""`fleet status --notify`: one message, once a day, of all drills that do not come."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from restore_drill.alerts.missed import (
    NAME,
    Miss,
    Over,
    announce_missed,
    forget,
    remembered,
)
from restore_drill.alerts.subject import Subject, mark_of
from restore_drill.config.alerts import alerts_of
from restore_drill.config.criteria.notify import Notify
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count, some
from restore_drill.fleet.report.issues import Place
from restore_drill.fleet.report.judged import Judged
from restore_drill.fleet.report.messages import MOST_NAMED
from restore_drill.watch.absence import absence_of, memory, show

MISSED, STATUS = "\0fleet missed", "\0fleet status"
"""In place of a series: drills that did not come, and a status that cannot be known."""
KNOWN = "The inventory can be read again"


def announce_late(
    found: Sequence[Judged],
    inventory: Path,
    chosen: str,
    environment: Mapping[str, str],
    now: datetime,
) -> None:
    """Announce those of `found` whose drills did not come; `chosen` says which were asked for.

    Of a red drill the run itself has told: it counts once there was none since for its limit. One
    message at most: after a status that was not known it is sent at once, and says so.
    """
    place, folder = Place.of(inventory, environment), memory(None)
    late = [each for each in found if absence_of(each.series, each.rules.limit, now)]
    alerts, remedy = alerts_of(environment, Notify()), remedy_for("fleet", "absent")
    name, subject = missed_in(place, chosen)
    key, unknown = unknown_in(place)
    known = remembered(folder / NAME)
    settled, over = {key: unknown}, {key: Over("known", f"{KNOWN}.", is_quiet=True)}
    missed: dict[str, Miss] = {}
    if late:
        names = some([each.database.name for each in late], MOST_NAMED)
        what = f"{len(late):,} of {show_count(len(found), 'database')} not drilled in time: {names}"
        if key in known:
            what = f"{what}. {KNOWN}"
            forget(folder / NAME, name)
        missed = {name: Miss(subject, what)}
    else:
        settled |= {name: subject}
        over |= {name if name in known else key: over_with(found)}
    show(announce_missed(alerts, missed, remedy, folder, settled, over=over))


def over_with(found: Sequence[Judged]) -> Over:
    """How it is told that no drill of `found` is missing: in order is what has no other problem."""
    bad = [each.database.name for each in found if each.series.problem]
    words = "By `restore-drill fleet status` no drill is missing"
    if not bad:
        return Over("settled", f"{words}, and all databases are in order.")
    return Over("back", f"{words}; with another problem: {some(bad, MOST_NAMED)}.")


def announce_unknown(text: str, environment: Mapping[str, str]) -> None:
    """Announce that an error, `text`, keeps the status from being known; not on a terminal."""
    if sys.stdout.isatty():
        return
    key, subject = unknown_in(Place.of(Path.cwd(), environment))
    miss = Miss(subject, f"Whether drills still run is not known: {text.splitlines()[0]}")
    show(announce_missed(alerts_of(environment, Notify()), {key: miss}, [], memory(None)))


def missed_in(place: Place, chosen: str) -> tuple[str, Subject]:
    """Drills of the `chosen` that did not come: as `unknown_in`."""
    name = f"fleet of {place.inventory}" + (f" ({chosen})" if chosen else "")
    return name, Subject(name, (mark_of(MISSED + chosen, place.inventory),))


def unknown_in(place: Place) -> tuple[str, Subject]:
    """A status that cannot be known: what it is remembered by, and what its issue is about."""
    name = f"status of the fleet in {place.here}"
    return name, Subject(name, (mark_of(STATUS, place.here),))
