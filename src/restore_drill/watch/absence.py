"""`status --notify`: people hear of a drill that did not come, on the channels of the drill."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from restore_drill.alerts.delivery import Outcome
from restore_drill.alerts.subject import folder_name
from restore_drill.config.alerts import alerts_here
from restore_drill.config.settings import Settings
from restore_drill.core.printable import printable
from restore_drill.core.remedies import remedy_for
from restore_drill.watch.history import history_path
from restore_drill.watch.judgement import Series

ABSENT = ("not_run", "skipped")
"""Causes of a problem that mean that a drill did not come; a red one has alerted by itself."""


def announce_absent(judged: Sequence[Series], settings: Settings) -> None:
    """Announce each series of `judged` whose drill did not come, once a day.

    What cannot be delivered is named on standard error, and changes no exit code.
    """
    from restore_drill.alerts.missed import announce_missed  # noqa: PLC0415 - few ask for it

    absent = {
        each.name or folder_name(settings.backup_path): each.what
        for each in judged
        if each.problem and each.problem.cause in ABSENT
    }
    remedy = remedy_for("status", "not_run")
    path = history_path(settings)
    alerts = alerts_here(settings.root)
    show(announce_missed(alerts, absent, remedy, path and path.parent))


def announce_unreadable(error: Exception, root: Path) -> None:
    """Announce that `error` keeps the status from being known: then nobody would notice a miss.

    Not what was typed wrong where a terminal shows it.
    """
    if sys.stdout.isatty():
        return
    from restore_drill.alerts.missed import announce_missed  # noqa: PLC0415 - see above

    what = f"Whether drills still come is not known: {str(error).splitlines()[0]}"
    show(announce_missed(alerts_here(root), {"status": what}, [], None))


def show(outcomes: Sequence[Outcome]) -> None:
    """A line on standard error for each alert."""
    for each in outcomes:
        text = f"not alerted: {each.line}" if each.problem else f"alerted: {each.line}"
        sys.stderr.write(printable(text) + "\n")
