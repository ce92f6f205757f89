"""`restore-drill notify`: try the channels, alert for another job's drill, watch the schedule."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from restore_drill.alerts import channels, pings
from restore_drill.alerts.announce import RED, Ending, announce, messages
from restore_drill.alerts.delivery import LIMIT, Outcome, deliver
from restore_drill.alerts.handed import JOBS, results_at
from restore_drill.alerts.message import place_of, written
from restore_drill.alerts.subject import Origin, Subject
from restore_drill.config.alerts import ALERTS, Alerts, alerts_here, alerts_of, sources_here
from restore_drill.config.criteria import load_criteria
from restore_drill.config.where import folder_given, machine_given, where_is
from restore_drill.core.calling import installs
from restore_drill.core.errors import UsageError, message
from restore_drill.core.printable import printable, printable_lines
from restore_drill.core.remedies import remedy_for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--test", action="store_true", help="send a test to every channel, and show which work"
    )
    what.add_argument(
        "--result", metavar="FILE", type=Path, help="alert for the drill that left this result.json"
    )
    what.add_argument(
        "--github-schedule",
        action="store_true",
        help="warn before GitHub switches off the schedule of a repository without commits",
    )
    parser.add_argument(
        "--name", default="", help="with --result: what to call it, without a name in [notify]"
    )
    parser.add_argument(
        "--job",
        default="",
        choices=["", *JOBS],
        help="with --result: how GitHub says its job ended",
    )
    parser.add_argument("--note", default="", help="with --result: one more line in the message")


def run(parsed: argparse.Namespace, root: Path) -> int:
    """Do what is asked for; exit code 1 where something was not delivered, 4 for a wrong call."""
    if parsed.test:
        environment, criteria = sources_here(root)
        return show(test(alerts_of(environment, load_criteria(criteria).notify)))
    alerts = alerts_here(root)
    if parsed.github_schedule:
        from restore_drill.alerts.schedule import watch  # noqa: PLC0415 - brings urllib

        return show(watch(alerts))
    return show(handed_over(alerts, parsed))


def test(alerts: Alerts) -> list[Outcome]:
    """Send a test to every channel and monitor, and read the list of issues. Raises UsageError."""
    if not alerts.are_configured:
        raise UsageError(
            f"nothing to test: none of {', '.join(ALERTS)} is set; "
            f"set one, for example {ALERTS[0]}=mailto://user:password@example.com"
        )
    lines = ["If you can read this, you will hear of a failed drill here."]
    text = written("test", Subject(""), lines, place_of(alerts.environment, None))
    tasks: dict[str, Callable[[], str]] = dict(messages(alerts, text))
    if alerts.issues:
        tasks["issues"] = partial(read_issues, alerts)
    tasks |= {
        f"ping {number}": partial(pings.ping, url, "log", text.text)
        for number, url in enumerate(alerts.pings, 1)
    }
    return deliver(tasks, LIMIT)


def read_issues(alerts: Alerts) -> str:
    """Read what issues are open; raises Undelivered. None is opened for a test."""
    from restore_drill.alerts.trackers import tracker_of  # noqa: PLC0415 - brings urllib

    found = tracker_of(alerts.issues, alerts.environment).issues()
    return f"can be read, {len(found)} open; none is opened for a test"


def handed_over(alerts: Alerts, parsed: argparse.Namespace) -> list[Outcome]:
    """Alert for the drills of another job, without a history: a recovery closes an issue."""
    notify = replace(alerts.notify, name=alerts.notify.name or parsed.name)
    folder = folder_given(alerts.environment, Path.cwd())
    places = (where_is(folder, machine_given(alerts.environment)),) if folder else ()
    endings = [
        Ending(
            result,
            code=int(result["verdict"] in RED),
            report=path if path.is_file() else None,
            origin=Origin(folder, places),
            note=parsed.note,
        )
        for path, result in results_at(parsed.result, parsed.job)
    ]
    alerts = replace(alerts, notify=notify)
    return [outcome for ending in endings for outcome in announce(alerts, ending)]


def show(outcomes: Sequence[Outcome]) -> int:
    """Print what became of each; the exit code."""
    failed = [each for each in outcomes if each.problem]
    for each in outcomes:
        mark = (
            "::error title=No alert was sent::" if os.environ.get("GITHUB_ACTIONS") else "FAILED  "
        )
        sys.stdout.write((mark if each.problem else "ok      ") + printable(each.line) + "\n")
    if failed:
        what = f"{len(failed)} of {len(outcomes)} alerts not delivered"
        text = message(what, [each.name for each in failed], remedy_of(failed))
        sys.stderr.write(printable_lines(text) + "\n")
    elif not outcomes:
        sys.stdout.write("nothing to alert\n")
    return 1 if failed else 0


def remedy_of(failed: Sequence[Outcome]) -> list[str]:
    """What to do about the first."""
    problem = failed[0].problem
    if problem == channels.MISSING:
        return remedy_for("notify", "missing", install=installs("alerts"))
    if problem == channels.UNKNOWN:
        return remedy_for("notify", "unknown")
    return remedy_for("notify", "issues" if failed[0].name.startswith("issue") else "other")
