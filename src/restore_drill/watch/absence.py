"""`status --notify`: people hear of a drill that did not come, on the channels of the drill."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from restore_drill.alerts.delivery import Outcome
from restore_drill.alerts.subject import folder_name
from restore_drill.config.alerts import alerts_here
from restore_drill.config.settings import Settings
from restore_drill.core.printable import printable
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_duration
from restore_drill.watch.history import Drill, history_path
from restore_drill.watch.judgement import seconds_since
from restore_drill.watch.look import Look, titles_of

ABSENT = ("not_run", "skipped")
"""Causes of a problem that mean that a drill did not come; a red one has alerted by itself."""


def announce_absent(looks: Sequence[Look], settings: Settings, limit: float, now: datetime) -> None:
    """Announce each series of `looks` whose drill did not come, once a day.

    After a red one, too, once that is `limit` seconds old. What cannot be delivered is named on
    standard error, and changes no exit code.
    """
    from restore_drill.alerts.missed import Miss, announce_missed  # noqa: PLC0415 - few ask for it

    absent = {}
    for look, each, title in titles_of(looks):
        what, last = each.what, each.drills[-1] if each.drills else None
        is_old = last is not None and seconds_since(last, now) > limit
        if each.problem is None or not (each.problem.cause in ABSENT or is_old):
            continue
        if last is not None and each.problem.cause not in ABSENT:
            what += (
                f", {show_duration(seconds_since(last, now))} ago, and there has been none since"
            )
        name = title if looks[1:] else each.name.strip("/") or folder_name(settings.backup_path)
        key = f"{look.history.name}: {each.name}"
        absent[key] = Miss(name, what, folder_of(last, look.history.path))
    remedy = remedy_for("status", "not_run")
    own = history_path(settings)
    alerts = alerts_here(settings.root)
    show(announce_missed(alerts, absent, remedy, own and own.parent))


def folder_of(last: Drill | None, history: Path) -> str:
    """Folder of the backups of a drill in `history`: its place, or around the history itself."""
    if last is not None and last.place:
        return last.place.removeprefix(f"{last.machine}:")
    return str(history.parent.parent.absolute()) if history.parent.name == ".drill" else ""


def announce_unreadable(error: Exception, root: Path) -> None:
    """Announce that `error` keeps the status from being known: then nobody would notice a miss.

    Not what was typed wrong where a terminal shows it.
    """
    if sys.stdout.isatty():
        return
    from restore_drill.alerts.missed import Miss, announce_missed  # noqa: PLC0415 - see above

    what = f"Whether drills still run is not known: {str(error).splitlines()[0]}"
    show(announce_missed(alerts_here(root), {"": Miss("status", what)}, [], None))


def show(outcomes: Sequence[Outcome]) -> None:
    """A line on standard error for each alert."""
    for each in outcomes:
        text = f"not alerted: {each.line}" if each.problem else f"alerted: {each.line}"
        sys.stderr.write(printable(text) + "\n")
