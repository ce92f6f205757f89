"""A drill that did not come is announced by whoever notices it: `restore-drill status --notify`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from restore_drill.alerts.announce import keep, messages
from restore_drill.alerts.delivery import LIMIT, Outcome, deliver
from restore_drill.alerts.message import place_of, written
from restore_drill.alerts.subject import Subject
from restore_drill.config.alerts import Alerts
from restore_drill.core.units import capitalised

AGAIN = timedelta(hours=23)
"""What goes on is announced again after so long: status may be asked every minute."""
NAME = "missed.json"
"""When what was missed was announced last."""
RETIRED = "retired"
"""In place of a time: the issue of what was retired is closed."""


class Over(NamedTuple):
    """How it is told that a miss is over, by which no drill's pass has closed an issue.

    `is_quiet`: no message is sent, since another one says it.
    """

    event: str = "settled"
    words: str = "By `restore-drill status` there is nothing missing."
    is_quiet: bool = False


EXPECTED_NO_MORE = Over("retired", "It was retired: `restore-drill status` expects no drill of it.")


class Miss(NamedTuple):
    """A series whose drill did not come, and what is wrong with it.

    `event`: `missed`, or `unknown` where nobody can tell whether it did.
    """

    subject: Subject
    what: str
    event: str = "missed"


def announce_missed(
    alerts: Alerts,
    missed: Mapping[str, Miss],
    remedy: Sequence[str],
    folder: Path | None,
    settled: Mapping[str, Subject] | None = None,
    retired: Mapping[str, Subject] | None = None,
    over: Mapping[str, Over] | None = None,
) -> list[Outcome]:
    """Announce each series in `missed` with what is wrong with it, once a day.

    `folder` remembers when that was; without one, each call announces. What is `settled` was
    looked at and is in order: where it was announced its issue is closed, and its next miss is
    announced at once; `over` says in which words. So is one that nobody has heard of: what could
    not be delivered is announced again. No pass will close the issue of what was `retired`, also of
    a red drill: this does, once.
    """
    path, now = folder and folder / NAME, datetime.now(UTC)
    known = remembered(path)
    due = [key for key in missed if is_due(known.get(key), now)]
    back = {key: each for key, each in (settled or {}).items() if key in known}
    gone = {key: each for key, each in (retired or {}).items() if known.get(key) != RETIRED}
    done = {key: announce_one(alerts, missed[key], remedy) for key in due}
    words = over or {}
    closed = {key: close_one(alerts, each, words.get(key, Over())) for key, each in back.items()}
    closed |= {key: close_one(alerts, each, EXPECTED_NO_MORE) for key, each in gone.items()}
    heard = {key for key, of_it in done.items() if not all(each.problem for each in of_it)}
    ended = {key for key, of_it in closed.items() if not any(each.problem for each in of_it)}
    if path and (due or ended):
        times = {key: known[key] for key in known if key not in (*due, *ended)}
        times |= dict.fromkeys(ended & gone.keys(), RETIRED)
        remember(path, times | dict.fromkeys(heard, now.isoformat()))
    return [each for of_it in (*done.values(), *closed.values()) for each in of_it]


def announce_one(alerts: Alerts, miss: Miss, remedy: Sequence[str]) -> list[Outcome]:
    """Announce one series on the channels and in its issue."""
    lines = [
        sentence(capitalised(miss.what)),
        *(f"{number}. {step}" for number, step in enumerate(remedy, 1)),
    ]
    text = written(miss.event, miss.subject, lines, place_of(alerts.environment, None))
    tasks: dict[str, Callable[[], str]] = {}
    if "missed" in alerts.notify.events:
        tasks |= messages(alerts, text)
    if alerts.issues:
        tasks["issue"] = partial(keep, alerts, text, miss.subject)
    return deliver(tasks, LIMIT) if tasks else []


def sentence(text: str) -> str:
    """`text` with an end, unless it has one."""
    return text if text.endswith((".", "?", "!", ":", "…")) else f"{text}."


def close_one(alerts: Alerts, subject: Subject, over: Over) -> list[Outcome]:
    """Close the issue about what is in order again, or retired; without issues send a message.

    With them the drill that passes sends it: it has closed one.
    """
    text = written(over.event, subject, [over.words], place_of(alerts.environment, None))
    if not alerts.issues:
        is_silent = over.is_quiet or over.event == "retired"
        is_wanted = not is_silent and "recovered" in alerts.notify.events
        return deliver(messages(alerts, text), LIMIT) if is_wanted else []
    return deliver({"issue": partial(keep, alerts, text, subject)}, LIMIT)


def is_due(last: str | None, now: datetime) -> bool:
    """Whether what was announced at `last` is again to be; a time far ahead is of a wrong clock."""
    try:
        return last is None or abs(now - datetime.fromisoformat(last)) > AGAIN
    except (TypeError, ValueError):
        return True


def remembered(path: Path | None) -> dict[str, str]:
    """When each series was announced last; empty where nothing can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def forget(path: Path, key: str) -> None:
    """Have `key` announced at once, whenever it was announced last."""
    remember(path, {each: when for each, when in remembered(path).items() if each != key})


def remember(path: Path, times: Mapping[str, str]) -> None:
    """Write `times` in one step; where that fails, the next call announces again."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(times), encoding="utf-8")
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
