"""GitHub switches off the schedules of a public repository after 60 days without activity.

A workflow that is off raises no alarm, so the weekly one warns while it still runs, by the age of
the newest commit on the default branch. It makes no commit to stay on: whether GitHub allows
activity that is made for that alone is doubtful, and a token that may push is a risk.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from functools import partial
from typing import Any

from restore_drill.alerts import issue
from restore_drill.alerts.announce import messages
from restore_drill.alerts.delivery import LIMIT, Outcome, Undelivered, deliver
from restore_drill.alerts.message import Message, written
from restore_drill.alerts.subject import Subject, comment
from restore_drill.alerts.trackers import GitHub, token_of
from restore_drill.config.alerts import Alerts
from restore_drill.core.errors import UsageError
from restore_drill.core.printable import printable
from restore_drill.core.remedies import remedy_for

DAYS = 60
WARNED = 38
"""Days after which a weekly workflow warns: three times before the end."""


def watch(alerts: Alerts) -> list[Outcome]:
    """Warn where the end is near: in the log, in an issue, on the channels; close the issue else.

    Raises UsageError outside of GitHub's workflows.
    """
    repository = alerts.environment.get("GITHUB_REPOSITORY", "")
    if not repository:
        raise UsageError("GITHUB_REPOSITORY is unset: --github-schedule is for GitHub's workflows")
    github = GitHub(
        repository,
        token_or_error(alerts),
        alerts.environment.get("GITHUB_API_URL") or "https://api.github.com",
    )
    days: list[int | None] = []
    (read,) = deliver({"schedule": lambda: asked(github, days)}, LIMIT)
    if read.problem:
        return [read]
    name = f"schedule of {repository}"
    subject = Subject(name, (comment(f"{name}\0"),))
    text = warning(days[0], subject, f"https://github.com/{repository}/actions")
    outcomes = [read]
    if alerts.issues:
        outcomes += deliver({"issue": partial(issue.keep, github, text, subject)}, LIMIT)
    if text.event == "missed":
        sys.stdout.write(f"::warning title={printable(text.title)}::{printable(text.lines[0])}\n")
        if "missed" in alerts.notify.events:
            outcomes += deliver(messages(alerts, text), LIMIT)
    return outcomes


def token_or_error(alerts: Alerts) -> str:
    """The token in the environment; raises UsageError."""
    try:
        return token_of(alerts.environment, "GITHUB_TOKEN", "GH_TOKEN")
    except Undelivered as error:
        raise UsageError(error.why) from None


def asked(github: GitHub, found: list[int | None]) -> str:
    """Ask how many days old the newest commit is, None in a private repository. See `deliver`."""
    if github.api("GET", github.path).get("private"):
        found[:] = [None]
        return "the repository is private: GitHub leaves its schedules on"
    newest: Any = github.api("GET", f"{github.path}/commits?per_page=1")
    try:
        made = datetime.fromisoformat(newest[0]["commit"]["committer"]["date"])
        found[:] = [(datetime.now(UTC) - made).days]
    except (LookupError, TypeError, ValueError):
        raise Undelivered("the answer holds no commit", is_final=True) from None
    return f"the newest commit is {found[0]} days old"


def warning(days: int | None, subject: Subject, place: str) -> Message:
    """The message: that the schedule is about to be switched off, or that it is not."""
    if days is None or days < WARNED:
        return written("recovered", subject, ["The repository is active again."], place)
    left = max(0, DAYS - days)
    what = (
        f"The newest commit is {days} days old: after {DAYS} GitHub switches off this repository's "
        f"schedules, in {left} days or any time. After that no drill runs, and nothing "
        "raises an alarm."
    )
    steps = enumerate(remedy_for("notify", "switch_off"), start=1)
    lines = [what, *(f"{number}. {step}" for number, step in steps)]
    return written("missed", subject, lines, place)
