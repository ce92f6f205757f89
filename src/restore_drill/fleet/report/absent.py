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
from restore_drill.core.calling import COMMAND
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count, some
from restore_drill.fleet.report.issues import Place
from restore_drill.fleet.report.judged import Judged
from restore_drill.fleet.report.message_lines import MOST_NAMED
from restore_drill.watch.absence import absence_of, memory, show

MISSED, STATUS = "\0fleet missed", "\0fleet status"
"""In place of a series: drills that did not come, and a status that cannot be known."""
MOST_STEPS = 3
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
    alerts, remedy = alerts_of(environment, Notify()), remedy_of(late)
    name, subject = missed_in(place, chosen)
    key, unknown = unknown_in(place)
    known = remembered(folder / NAME)
    settled, over = {key: unknown}, {key: Over("known", f"{KNOWN}.", is_quiet=True)}
    missed: dict[str, Miss] = {}
    if late:
        what = words_of(late, len(found))
        if key in known:
            what = f"{what}. {KNOWN}"
            forget(folder / NAME, name)
        event = "unknown" if all(map(is_unknown, late)) else "missed"
        missed = {name: Miss(subject, what, event)}
    else:
        settled |= {name: subject}
        over |= {name if name in known else key: over_with(found)}
    show(announce_missed(alerts, missed, remedy, folder, settled, over=over))


def is_unknown(each: Judged) -> bool:
    """Whether nothing is known of its drills: they may well run."""
    return each.state == "unknown"


def words_of(late: Sequence[Judged], total: int) -> str:
    """`2 of 9 databases not drilled in time: a, b; ...`, and why of others nothing is known."""
    missing = [each.database.name for each in late if not is_unknown(each)]
    of = show_count(total, "database")
    words = [f"{len(missing):,} of {of} not drilled in time: {some(missing, MOST_NAMED)}"]
    unknown = [f"{each.database.name}: {each.series.what}" for each in late if is_unknown(each)]
    return "; ".join([*words[: len(missing)], *unknown[:MOST_NAMED], *more(unknown)])


def more(unknown: Sequence[str]) -> list[str]:
    """How many are not named."""
    left = len(unknown) - MOST_NAMED
    return [f"and {left:,} more"] if left > 0 else []


def remedy_of(late: Sequence[Judged]) -> list[str]:
    """What to do: the job of the fleet may run, and a history be out of reach."""
    kinds = dict.fromkeys(map(is_unknown, late))
    found = (remedy_for("fleet", "unreadable" if each else "absent") for each in kinds)
    return [step for steps in found for step in steps][:MOST_STEPS]


def over_with(found: Sequence[Judged]) -> Over:
    """How it is told that no drill of `found` is missing: in order is what has no other problem."""
    bad = [each.database.name for each in found if each.series.problem]
    words = "No drill is missing any more"
    if not bad:
        return Over("settled", f"{words}, and all databases are in order.")
    others = f"Other problems: {some(bad, MOST_NAMED)} (see {COMMAND} fleet status)."
    return Over("back", f"{words}. {others}")


def announce_unknown(text: str, environment: Mapping[str, str]) -> None:
    """Announce that an error, `text`, keeps the status from being known; not on a terminal."""
    if sys.stdout.isatty():
        return
    key, subject = unknown_in(Place.of(Path.cwd(), environment))
    what = f"Cannot tell whether drills still run: {text.splitlines()[0]}"
    miss = Miss(subject, what, "unknown")
    show(announce_missed(alerts_of(environment, Notify()), {key: miss}, [], memory(None)))


def missed_in(place: Place, chosen: str) -> tuple[str, Subject]:
    """Drills of the `chosen` that did not come: as `unknown_in`."""
    name = f"fleet of {place.inventory}" + (f" ({chosen})" if chosen else "")
    return name, Subject(name, (mark_of(MISSED + chosen, place.inventory),))


def unknown_in(place: Place) -> tuple[str, Subject]:
    """A status that cannot be known: what it is remembered by, and what its issue is about."""
    name = f"status of the fleet in {place.here}"
    return name, Subject(name, (mark_of(STATUS, place.here),))
