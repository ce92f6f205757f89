"""A drill has ended: what becomes of issues, messages and pings, and what went wrong with them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from restore_drill.alerts import channels, issue, pings
from restore_drill.alerts.delivery import (
    INTERRUPTED,
    LIMIT,
    SHORT_LIMIT,
    Outcome,
    Undelivered,
    deliver,
)
from restore_drill.alerts.message import Message, message_of, place_of
from restore_drill.alerts.subject import START, Origin, Subject, mark_of, subject_of
from restore_drill.config.alerts import Alerts
from restore_drill.core.errors import EXIT_INTERRUPTED, EXIT_NOTHING, EXIT_USAGE_ERROR
from restore_drill.core.interrupt import ENDED_BY
from restore_drill.results.result import Result

RED = ("failed", "could-not-run")


@dataclass(frozen=True)
class Ending:
    """How a drill ended: its result, its exit code, and where the page of its report lies.

    `before` is the verdict of the drill before it of this series, empty where none is known;
    `has_begun` says whether its settings were read, so that it is known what it is about.
    """

    result: Result
    code: int
    report: Path | None = None
    before: str = ""
    origin: Origin = field(default_factory=Origin)
    note: str = ""
    has_begun: bool = True

    @property
    def was_ended(self) -> bool:
        """Whether a signal ended it that is no Ctrl-C: without a terminal nobody presses keys."""
        by_other = any(str(each).startswith(ENDED_BY) for each in self.result["reasons"])
        return by_other or (self.code == EXIT_INTERRUPTED and not has_terminal())

    @property
    def is_green(self) -> bool:
        """Whether all that was to be shown holds, of a backup or of the sample."""
        return self.result["verdict"] in ("passed", "sample") and not self.result["selection"]

    @property
    def event(self) -> str:
        """What people hear of it: empty for what is a person's own doing, or only of the sample.

        That is Ctrl-C, and on a terminal an error in what was typed and a drill of picked criteria,
        which nowhere is a recovery.
        """
        typed = self.code in (EXIT_USAGE_ERROR, EXIT_NOTHING) or self.result["selection"]
        if (typed and sys.stdout.isatty()) or (
            self.code == EXIT_INTERRUPTED and not self.was_ended
        ):
            return ""
        verdict: str = self.result["verdict"]
        if verdict in RED:
            return verdict
        if verdict != "passed" or not self.is_green:
            return ""
        return "recovered" if self.before in RED else "passed"


def has_terminal() -> bool:
    """Whether somebody may sit before this process; a scheduler's SIGINT is no key."""
    opened = (each for each in (sys.stdin, sys.stdout, sys.stderr) if each and not each.closed)
    return any(each.isatty() for each in opened)


def announce(alerts: Alerts, ending: Ending, start: pings.Start | None = None) -> list[Outcome]:
    """Keep the issue, send messages, ping; what became of each.

    The issue comes first: where a pass closes one, that is a recovery, whatever the history knows.
    """
    limit = SHORT_LIMIT if ending.was_ended else LIMIT
    subject = subject_of(
        ending.result, alerts.notify.name, ending.origin, has_begun=ending.has_begun
    )
    place = place_of(alerts.environment, ending.report)

    def message(event: str) -> Message:
        return message_of(ending.result, event, subject, place, ending.note)

    event, outcomes = ending.event, []
    if alerts.issues and (event or ending.is_green):
        about = message("recovered" if ending.is_green else event)
        outcomes = deliver({"issue": partial(keep, alerts, about, subject)}, limit / 2)
        if outcomes[0].problem == INTERRUPTED:
            limit = SHORT_LIMIT  # people are to hear of it all the same
        event = "recovered" if outcomes[0].done.startswith(issue.CLOSED) else event
    event = with_start(alerts, ending, event)
    tasks: dict[str, Callable[[], str]] = {}
    if event in alerts.notify.events:
        tasks |= messages(alerts, message(event))
    if start is not None:
        text = message(event or ending.result["verdict"]).text
        is_pass = ending.result["verdict"] == "passed" and ending.code == 0
        tasks |= pings.ending(alerts.pings, start, ending.code, text, is_pass=is_pass)
    return outcomes + (deliver(tasks, limit) if tasks else [])


def with_start(alerts: Alerts, ending: Ending, event: str) -> str:
    """The `event`, a pass being a recovery after a drill here that could not begin.

    Of such a drill no history tells. Only where people hear of either.
    """
    if not event or not (alerts.channels or alerts.unset):
        return event
    from restore_drill.alerts.unbegun import forget_unbegun, note_unbegun  # noqa: PLC0415

    mark = mark_of(START, ending.origin.here)
    if not ending.has_begun:
        note_unbegun(mark)
    elif event not in RED and forget_unbegun(mark):
        return "recovered"
    return event


def announce_pings(alerts: Alerts, code: int, text: str, start: pings.Start) -> list[Outcome]:
    """Ping that a run of several drills has ended with `code`; `text` says how."""
    return deliver(pings.ending(alerts.pings, start, code, text, is_pass=code == 0), LIMIT)


def messages(alerts: Alerts, message: Message) -> Mapping[str, Callable[[], str]]:
    """A task for each channel, also for one whose variable nobody has set."""
    unset = {f"channel of {name}": partial(refuse, name) for name in alerts.unset}
    return {**channels.sending(alerts.channels, message), **unset}


def refuse(name: str) -> str:
    """Stands for a channel whose variable is not set."""
    raise Undelivered(f"the criteria file names {name}, which is unset", is_final=True)


def keep(alerts: Alerts, message: Message, subject: Subject) -> str:
    """Keep the issue where DRILL_ISSUES has it."""
    from restore_drill.alerts.trackers import tracker_of  # noqa: PLC0415 - brings urllib, 60 ms

    return issue.keep(tracker_of(alerts.issues, alerts.environment), message, subject)
