"""What earlier drills left behind, and who hears of the next one."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from datetime import UTC, datetime

from restore_drill.backups.model import Backup
from restore_drill.config.alerts import ALERTS, PING, alerts_of
from restore_drill.config.settings import Settings
from restore_drill.core.calling import COMMAND, installs
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.mirrors import as_written
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count, show_duration
from restore_drill.doctor.model import Group
from restore_drill.doctor.writable import can_append
from restore_drill.selection.chosen import Chosen
from restore_drill.watch.entry import drill_to_come
from restore_drill.watch.groups import group_of
from restore_drill.watch.history import Drill, history_path, load_history, read_history
from restore_drill.watch.judgement import Rules, Series, in_words, judge


def drills_of(settings: Settings, chosen: Chosen | None) -> list[Drill]:
    """Earlier drills of the series of the backup, oldest first; CouldNotRun where unreadable."""
    path = history_path(settings)
    if path is None or not isinstance(chosen, Backup):
        return []
    return group_of(read_history(path), to_come(settings, chosen))[1]


def to_come(settings: Settings, backup: Backup) -> Drill:
    """The drill of `backup` that a drill would note now."""
    return drill_to_come(settings, backup.path, backup.among.series)


def examine_history(group: Group, settings: Settings, chosen: Chosen | None) -> None:
    """Whether drills are recorded, how those of this series went, and when the next is due."""
    path = history_path(settings)
    if path is None:
        group.warn("no drill is recorded", *remedy_for("doctor", "no_history"))
        return
    if not can_append(path):
        group.warn(
            f"no drill can be recorded in {as_written(path)}", *remedy_for("doctor", "no_history")
        )
    rules, now = Rules.of(settings.criteria), datetime.now(UTC)
    try:
        history = load_history(path)
    except CouldNotRun as error:
        group.warn(error.what, *error.remedy)
        return
    name = ""
    if isinstance(chosen, Backup):
        name, _ = group_of(history.drills, to_come(settings, chosen))
    found = next((each for each in judge(history, rules, now) if each.name == name), None)
    if found is None or not found.drills:
        group.note(f"no drill of this series is recorded in {as_written(path)}")
    else:
        name_drills(group, found, now)
    if rules.every is None:
        due = "no [schedule] in the criteria file"
    else:
        due = f"scheduled every {show_duration(rules.every)}"
    group.note(f"{due}: the last pass may be {show_duration(rules.limit)} old")
    if history.damaged:
        group.warn(f"{show_count(history.damaged, 'line')} of {as_written(path)} cannot be read")


def name_drills(group: Group, found: Series, now: datetime) -> None:
    """The drills of one series, and the problem with them."""
    last, number = found.drills[-1], show_count(len(found.drills), "drill")
    passed = sum(each.has_passed for each in found.drills)
    age = show_duration((now - last.at).total_seconds())
    group.note(f"{number} of this series recorded, {passed} passed")
    text = f"the last drill, {age} ago, {in_words(last.verdict)}"
    (group.ok if last.has_passed and not found.problem else group.note)(text)
    if found.problem:
        group.warn(found.what, *remedy_for("doctor", "problem"))
    if found.skip:
        group.warn(found.skip.words)


def examine_alerts(group: Group, settings: Settings, environment: Mapping[str, str]) -> None:
    """Who is to hear of a drill: nothing is sent, and no URL is shown."""
    alerts = alerts_of(environment, settings.criteria.notify)
    if not alerts.are_configured:
        what = f"nobody is told of a failed drill: none of {', '.join(ALERTS)} is set"
        group.warn(what, *remedy_for("doctor", "no_channel"))
        return
    if number := len(alerts.channels):
        text = f"{show_count(number, 'channel')} for messages"
        if importlib.util.find_spec("apprise") is None:
            steps = remedy_for("notify", "missing", install=installs("alerts"))
            group.warn(f"{text}, but apprise is not installed", *steps)
        else:
            group.ok(text)
    for name in alerts.unset:
        group.warn(f"[notify] names the variable {name}, which is not set")
    if alerts.issues:
        group.ok(f"issues: {alerts.issues.partition(':')[0]}")
    if alerts.pings:
        group.ok(f"{show_count(len(alerts.pings), 'monitor')} to ping ({PING})")
    group.note(f"try them: {COMMAND} notify --test")
