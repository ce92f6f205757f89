"""`status --notify`: people hear of a drill that did not come, on the channels of the drill."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from restore_drill.alerts.subject import folder_name
from restore_drill.config.alerts import alerts_of
from restore_drill.config.environment import read_environment
from restore_drill.config.own import own_drill_near
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

    here, own = Path.cwd(), own_drill_near(Path.cwd())
    environment = read_environment(here, own.parent if own else settings.root)
    alerts = alerts_of(environment, settings.criteria.notify)
    absent = {
        each.name or folder_name(settings.backup_path): each.what
        for each in judged
        if each.problem and each.problem.cause in ABSENT
    }
    remedy = remedy_for("status", "not_run")
    path = history_path(settings)
    outcomes = announce_missed(alerts, absent, remedy, path and path.parent)
    for each in outcomes:
        text = f"not alerted: {each.line}" if each.problem else f"alerted: {each.line}"
        sys.stderr.write(printable(text) + "\n")
