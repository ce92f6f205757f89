"""`status --notify`: people hear of a drill that did not come, on the channels of the drill."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from restore_drill.alerts.delivery import Outcome
from restore_drill.alerts.subject import (
    ANY,
    STATUS,
    Subject,
    about_of,
    folder_name,
    mark_of,
    marks_of,
)
from restore_drill.config.alerts import alerts_here
from restore_drill.config.environment import read_environment
from restore_drill.config.own import own_drill_near
from restore_drill.config.settings import Settings
from restore_drill.config.where import machine_given, where_is
from restore_drill.core.errors import UsageError
from restore_drill.core.printable import printable
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_duration
from restore_drill.core.user_folders import user_state
from restore_drill.watch.groups import Key, keys_of
from restore_drill.watch.history import history_path
from restore_drill.watch.judgement import Series, seconds_since
from restore_drill.watch.look import Look, folder_of, titles_of
from restore_drill.watch.origin import places_in

if TYPE_CHECKING:
    from restore_drill.alerts.missed import Miss

ABSENT = ("not_run", "skipped", "lost")
"""Causes of a problem of which no drill has told: it did not come, or what it left is lost."""


def announce_absent(
    looks: Sequence[Look], given: Sequence[str], settings: Settings, limit: float, now: datetime
) -> None:
    """Announce each series of `looks` whose drill did not come, once a day.

    After a red one, too, once that is `limit` seconds old. What cannot be delivered is named on
    standard error, and changes no exit code. That status is known for the histories that were
    `given` settles what `announce_unreadable` has announced.
    """
    from restore_drill.alerts.missed import Miss, Over, announce_missed  # noqa: PLC0415 - few ask

    alerts = alerts_here(settings.root)
    absent: dict[str, Miss] = {}
    settled: dict[str, Subject] = {}
    retired: dict[str, Subject] = {}
    for look, each, title in titles_of(looks):
        name = title if each.name or looks[1:] else name_without(look, given, settings)
        subject = subject_in(look, each, named(alerts.notify.name, name, looks), settings)
        key = key_of(look, subject)
        if each.drills:
            empty = nothing_in(look, look.history.name)
            settled[key_of(look, empty)] = empty
        if what := absence_of(each, limit, now):
            absent[key] = Miss(subject, what)
        elif each.problem is None:
            is_retired = each.skip is not None and each.skip.retires
            (retired if is_retired else settled)[key] = subject
    own = history_path(settings)
    remedy = remedy_for("status", "not_run")
    show(announce_missed(alerts, absent, remedy, memory(own and own.parent), settled, retired))
    key, subject = unknown_status(given, settings.root)
    over = {key: Over("known", "Whether drills still run is known again.")}
    show(announce_missed(alerts, {}, [], memory(None), {key: subject}, over=over))


def name_without(look: Look, given: Sequence[str], settings: Settings) -> str:
    """What the history of `look` is called, of which no series is known."""
    folder = folder_of(look.history) if given else folder_name(settings.backup_path)
    return folder or look.history.name


def absence_of(series: Series, limit: float, now: datetime) -> str:
    """That a drill of `series` did not come, in words; empty where it did."""
    last = series.drills[-1] if series.drills else None
    is_absent = series.problem is not None and series.problem.cause in ABSENT
    if is_absent or series.problem is None or last is None:
        return series.what
    if (age := seconds_since(last, now)) <= limit:
        return ""
    return f"{series.what}, {show_duration(age)} ago, and there has been none since"


def named(name: str, title: str, looks: Sequence[Look]) -> str:
    """What `title` is called where the user's `name` for it is one for several series."""
    is_one = len(looks) == 1 and len(looks[0].series) == 1
    return f"{name}: {title}" if name and not is_one else name or title


def subject_in(look: Look, series: Series, title: str, settings: Settings) -> Subject:
    """What a drill of `series` would have been about: its pass closes the issue of the miss."""
    drills = look.history.drills
    keys = dict(zip(map(id, drills), keys_of(drills), strict=True))
    key = keys[id(series.drills[-1])] if series.drills else Key("", "")
    places = places_in(look.history.path, key.place, settings)
    if not (key.series or places):
        return nothing_in(look, title)
    return Subject(title, marks_of(about_of(key.series) or ANY, places))


def nothing_in(look: Look, title: str) -> Subject:
    """A history without a drill that lies beside no backups: no drill's pass speaks for it."""
    return Subject(title, (mark_of(f"{STATUS}nothing", look.history.name),))


def key_of(look: Look, subject: Subject) -> str:
    """What `subject` is remembered by: its name changes when another place comes to the history."""
    return f"{look.history.name}: {''.join(subject.marks[:1])}"


def memory(folder: Path | None) -> Path:
    """Where it is remembered what was announced: beside the history, else in the user's state."""
    if folder is not None and os.access(folder, os.W_OK):
        return folder
    return user_state()


def announce_unreadable(error: Exception, given: Sequence[str], root: Path) -> None:
    """Announce that `error` keeps the status from being known: then nobody would notice a miss.

    Once a day, and not what was typed wrong where a terminal shows it.
    """
    if sys.stdout.isatty():
        return
    from restore_drill.alerts.missed import Miss, announce_missed  # noqa: PLC0415 - see above

    key, subject = unknown_status(given, root)
    what = f"Cannot tell whether drills still run: {str(error).splitlines()[0]}"
    miss = Miss(subject, what, "unknown")
    show(announce_missed(alerts_here(root), {key: miss}, [], memory(None)))


def unknown_status(given: Sequence[str], root: Path) -> tuple[str, Subject]:
    """A status, of the histories that were `given`, that cannot be known: its key and subject.

    The next pass of a drill that is called here speaks for one of no histories in particular.
    """
    own = own_drill_near(Path.cwd())
    here = own.parent if own else Path.cwd()
    try:
        machine = machine_given(read_environment(here, root))
    except UsageError:
        machine = None
    place, names = where_is(here, machine), " ".join(given)
    title = f"status of {names}" if names else "status"
    return f"{title} in {place}", Subject(title, (mark_of(f"{STATUS}{names}", place),))


def show(outcomes: Sequence[Outcome]) -> None:
    """A line on standard error for each alert."""
    for each in outcomes:
        text = f"not alerted: {each.line}" if each.problem else f"alerted: {each.line}"
        sys.stderr.write(printable(text) + "\n")
