"""What earlier drills left behind, and who hears of the next one."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from datetime import UTC, datetime

from restore_drill.backups.model import Backup
from restore_drill.config.alerts import ALERTS, PING, alerts_of
from restore_drill.config.settings import Settings
from restore_drill.core.calling import COMMAND
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count, show_duration
from restore_drill.doctor.model import Group
from restore_drill.selection.chosen import Chosen
from restore_drill.selection.series import series_of
from restore_drill.watch.history import Drill, by_series, history_path, read_history
from restore_drill.watch.judgement import in_words

STALE = 8 * 86400.0
"""Seconds after which a pass is old: the default of `status --max-age`."""


def drills_of(settings: Settings, chosen: Chosen | None) -> list[Drill]:
    """Earlier drills of the series of the backup, oldest first; CouldNotRun where unreadable."""
    path = history_path(settings)
    if path is None or not isinstance(chosen, Backup):
        return []
    return by_series(read_history(path)).get(series_of(chosen.path), [])


def examine_history(group: Group, settings: Settings, chosen: Chosen | None) -> None:
    """Whether drills are recorded, and how the last ones of this series went."""
    path = history_path(settings)
    if path is None:
        group.warn("no drill is recorded", *remedy_for("doctor", "no_history"))
        return
    try:
        drills = drills_of(settings, chosen)
    except CouldNotRun as error:
        group.warn(error.what, *error.remedy)
        return
    if not drills:
        group.note(f"no drill of this series is recorded in {path}")
        return
    now = datetime.now(UTC)
    last, passes = drills[-1], [each for each in drills if each.has_passed]
    age = show_duration((now - last.at).total_seconds())
    text = f"the last drill, {age} ago, {in_words(last.verdict)}"
    if last.has_passed:
        group.ok(text)
    else:
        group.warn(text, *remedy_for("doctor", "last_failed"))
    group.note(f"{show_count(len(drills), 'drill')} of this series recorded, {len(passes)} passed")
    if not passes:
        group.warn("none of them has passed")
    elif (since := (now - passes[-1].at).total_seconds()) > STALE:
        what = f"the last pass is {show_duration(since)} ago"
        group.warn(what, *remedy_for("doctor", "stale"))


def examine_alerts(group: Group, settings: Settings, environment: Mapping[str, str]) -> None:
    """Who is to hear of a drill: nothing is sent, and no URL is shown."""
    alerts = alerts_of(environment, settings.criteria.notify)
    if not alerts.are_configured:
        what = f"nobody hears of a red drill: none of {', '.join(ALERTS)} is set"
        group.warn(what, *remedy_for("doctor", "no_channel"))
        return
    if number := len(alerts.channels):
        text = f"{show_count(number, 'channel')} for messages"
        if importlib.util.find_spec("apprise") is None:
            group.warn(f"{text}, and apprise is not installed", *remedy_for("notify", "missing"))
        else:
            group.ok(text)
    for name in alerts.unset:
        group.warn(f"[notify] names the variable {name}, and it is unset")
    if alerts.issues:
        group.ok(f"issues: {alerts.issues.partition(':')[0]}")
    if alerts.pings:
        group.ok(f"{show_count(len(alerts.pings), 'monitor')} to ping ({PING})")
    group.note(f"try them: {COMMAND} notify --test")
