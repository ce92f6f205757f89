"""Who hears of a run: one message for each channel, about the databases that it is told of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from restore_drill.alerts import channels
from restore_drill.alerts.announce import RED, has_terminal
from restore_drill.alerts.delivery import LIMIT, SHORT_LIMIT, Outcome, deliver
from restore_drill.alerts.message import TITLES, Message, place_of, shown
from restore_drill.config.alerts import CHANNELS, split_urls
from restore_drill.config.criteria.notify import Notify
from restore_drill.core.units import show_count, some
from restore_drill.fleet.model import Database
from restore_drill.fleet.report import outcome as outcomes
from restore_drill.fleet.report.message_lines import MOST_NAMED, lines_of, of_names, still_lines
from restore_drill.fleet.report.run import Fleet, counts_of, in_words, tally
from restore_drill.watch.history import Drill

Before = Mapping[str, str]
Events = Callable[[Database], Collection[str]]
Quiet = Mapping[str, Collection[str]]
"""Databases of which a channel, by its URL, has heard the same before."""
NONE_QUIET: Quiet = MappingProxyType({})


def messages(
    fleet: Fleet,
    general: Sequence[str] = (),
    *,
    place: str = "",
    before: Before | None = None,
    events: Events | None = None,
    is_back: bool = False,
    quiet: Quiet = NONE_QUIET,
) -> list[tuple[str, Message]]:
    """The URL of each channel that is to hear of the run, a secret, and the message for it.

    Those in `general` hear of all databases, others of those that have them in `notify`. As with a
    single drill, `events` decides (default: `[notify]` of its criteria file): green databases are
    none by default, unless their drill `before` (verdict by name) was red. A message has `text`;
    `place` is that of the report. `is_back`: the fleet could not do its work the last time, which
    those in `general` have heard. Of those that are `quiet` a channel has heard the same before.
    """
    wanted, found = events or events_of_criteria(), []
    for channel, rows in hearers(fleet, general).items():
        known = quiet.get(channel, ())
        heard = {
            each.name: event
            for each in rows
            if (event := event_of(each, fleet, before or {})) in wanted(each.database)
            and each.name not in known
        }
        if heard:
            undecided = fleet.undecided if channel in general else ()
            found.append((channel, message_of(rows, heard, undecided, place, known)))
        elif is_back and channel in general:
            found.append((channel, message_of_return(fleet, place)))
    return found


def hearers(fleet: Fleet, general: Sequence[str]) -> dict[str, list[outcomes.Outcome]]:
    """The databases that each channel is told of, by its URL, a secret."""
    told: dict[str, list[outcomes.Outcome]] = {channel: [] for channel in general}
    for each in fleet.rows:
        for channel in dict.fromkeys((*general, *each.database.notify)):
            told.setdefault(channel, []).append(each)
    return told


def message_of_return(fleet: Fleet, place: str) -> Message:
    """That a run has done its work, after one that could not."""
    passed = [each for each in fleet.rows if each.is_green]
    lines = [tally(fleet), *of_names("Passed", passed), *still_lines(fleet.rows)]
    lines += [f"Report: {place}"] if place else []
    title = "Restore drills are running again: nothing new to report"
    return Message("recovered", title, tuple(map(shown, lines)))


def events_of_criteria() -> Events:
    """Function that gives the events that are sent of a database."""
    return lambda each: (each.criteria.notify if each.criteria else Notify()).events


def event_of(outcome: outcomes.Outcome, fleet: Fleet, before: Before) -> str:
    """What people hear of a database: `failed`, `could-not-run`, `recovered`, `passed`, or nothing.

    Nothing of what a person before a terminal has interrupted, and of what was not due.
    """
    if outcome.is_green:
        return "recovered" if before.get(outcome.name) in RED else "passed"
    if outcome.state == "failed":
        return "failed"
    is_own_doing = fleet.is_interrupted and has_terminal()
    return "could-not-run" if outcome.is_bad and not is_own_doing else ""


def before_in(histories: Mapping[str, Sequence[Drill]], started: datetime) -> dict[str, str]:
    """Verdict of the last drill of each database that began before a run which `started`."""
    return {
        name: drills[-1].verdict
        for name, noted in histories.items()
        if (drills := [each for each in noted if each.at < started])
    }


def message_of(
    rows: Sequence[outcomes.Outcome],
    heard: Mapping[str, str],
    undecided: Sequence[str],
    place: str,
    quiet: Collection[str] = (),
) -> Message:
    """The message about those of `rows` that are `heard` of, by their event, the worst first.

    The others are named where they are in trouble as before: those that are `quiet`, too.
    """
    found = {event: [each for each in rows if heard.get(each.name) == event]
             for event in ("failed", "could-not-run", "recovered", "passed")}  # fmt: skip
    event = next(each for each in found if found[each])
    bad = [*found["failed"], *found["could-not-run"]]
    count = len(found[event])
    title = TITLES[event].replace("drill", "drills", 1)
    total = show_count(len(rows), "database")
    lines = [
        ", ".join(f"{many:,} {in_words(state)}" for state, many in counts_of(rows).items()),
        *lines_of(bad),
        *(bad[0].measured.remedy if len(bad) == 1 else ()),
        *of_names("Passed again", found["recovered"]),
        *(() if bad else of_names("Passed", found["passed"])),
        *still_lines(rows, quiet),
    ]
    if undecided:
        lines.append(f"Found, and not in the inventory: {some(undecided, MOST_NAMED)}")
    lines += [f"Report: {place}"] if place else []
    return Message(event, shown(f"{title}: {count:,} of {total}"), tuple(map(shown, lines)))


def announce(
    fleet: Fleet,
    environment: Mapping[str, str],
    page: Path | None,
    before: Before | None = None,
    *,
    is_back: bool = False,
    quiet: Quiet = NONE_QUIET,
) -> dict[str, Outcome]:
    """Send the messages of a run that has ended; what became of each, by the URL of its channel.

    DRILL_NOTIFY in `environment` has the URLs of the channels that hear of all databases.
    """
    tasks: dict[str, Callable[[], str]] = {}
    general, place = split_urls(environment.get(CHANNELS, "")), place_of(environment, page)
    found = messages(fleet, general, place=place, before=before, is_back=is_back, quiet=quiet)
    for number, (channel, message) in enumerate(found, start=1):
        for name, task in channels.sending([channel], message).items():
            tasks[name.replace("channel 1", f"channel {number}", 1)] = task
    limit = SHORT_LIMIT if fleet.is_interrupted and not has_terminal() else LIMIT
    sent = deliver(tasks, limit) if tasks else []
    return dict(zip((channel for channel, _ in found), sent, strict=True))
