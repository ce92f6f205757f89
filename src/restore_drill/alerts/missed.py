"""A drill that did not come is announced by whoever notices it: `restore-drill status --notify`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from restore_drill.alerts.announce import keep, messages
from restore_drill.alerts.delivery import LIMIT, Outcome, deliver
from restore_drill.alerts.message import place_of, written
from restore_drill.alerts.subject import Subject
from restore_drill.config.alerts import Alerts

AGAIN = timedelta(hours=23)
"""What goes on is announced again after so long: status may be asked every minute."""
NAME = "missed.json"
"""In the folder of the history: when the series in it were announced last."""


def announce_missed(
    alerts: Alerts, missed: Mapping[str, str], remedy: Sequence[str], folder: Path | None
) -> list[Outcome]:
    """Announce each series in `missed` with what is wrong with it, once a day.

    `folder` remembers when that was; without one, each call announces. A series that is not in
    `missed` any more is forgotten: its next miss is announced at once.
    """
    path, now = folder and folder / NAME, datetime.now(UTC)
    known = remembered(path)
    due = {name: what for name, what in missed.items() if is_due(known.get(name), now)}
    outcomes = [each for name in due for each in announce_one(alerts, name, due[name], remedy)]
    if path and (due or known.keys() - missed.keys()):
        times = {name: now.isoformat() if name in due else known[name] for name in missed}
        remember(path, times)
    return outcomes


def announce_one(alerts: Alerts, name: str, what: str, remedy: Sequence[str]) -> list[Outcome]:
    """Announce one series on the channels and in its issue."""
    subject = Subject(alerts.notify.name or name.strip("/"))
    lines = [f"{what}.", *(f"{number}. {step}" for number, step in enumerate(remedy, 1))]
    text = written("missed", subject, lines, place_of(alerts.environment, None))
    tasks = dict(messages(alerts, text)) if "missed" in alerts.notify.events else {}
    if alerts.issues:
        tasks["issue"] = partial(keep, alerts, text, subject)
    return deliver(tasks, LIMIT) if tasks else []


def is_due(last: str | None, now: datetime) -> bool:
    """Whether what was announced at `last` is to be announced again."""
    try:
        return last is None or now - datetime.fromisoformat(last) > AGAIN
    except (TypeError, ValueError):
        return True


def remembered(path: Path | None) -> dict[str, str]:
    """When each series was announced last; empty where nothing can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def remember(path: Path, times: Mapping[str, str]) -> None:
    """Write `times` in one step; where that fails, the next call announces again."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(exist_ok=True)
        part.write_text(json.dumps(times), encoding="utf-8")
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
