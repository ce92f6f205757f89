"""Issues of a run, kept at a real server with the API of GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.alerts import delivery
from restore_drill.config.alerts import Alerts, alerts_of
from restore_drill.config.criteria.notify import Notify
from restore_drill.fleet.known import Known
from restore_drill.fleet.report.issues import MOST_ISSUES, Run, keep_issues
from restore_drill.fleet.report.run import Fleet
from restore_drill.watch.history import History
from tests.fleet.report.conftest import Make
from tests.helpers.histories import FAILED
from tests.helpers.inboxes import Forge, forge

EVIL = "evil\x1b[31m --> @someone <script>~~~\n#1"


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[Forge]:
    """A server that keeps issues; no pauses between tries."""
    monkeypatch.setattr(delivery, "PAUSES", [0.01])
    with forge() as found:
        yield found


def alerts_at(kept: Forge) -> Alerts:
    """Alerts that keep issues there alone."""
    own = {"DRILL_ISSUES": "github:someone/shop", "GITHUB_TOKEN": kept.token}
    return alerts_of({**own, "GITHUB_API_URL": kept.url}, Notify())


def run_of(
    fleet: Fleet, *, red: tuple[str, ...] = (), problem: str = "", is_whole: bool = True
) -> Run:
    """A run that has ended; nothing was known before it, but of `red` that they had failed."""
    failed = History(Path("h"), [FAILED])
    known = {name: Known(each) for name, each in fleet.databases.items()}
    known |= {name: replace(known[name], history=failed) for name in red}
    return Run(fleet, known, problem, is_whole)


def test_a_storm_is_no_hundred_issues(make: Make, kept: Forge) -> None:
    """The worst have one each, the rest share one; a second run adds none."""
    states = {f"db{number:02}": "failed" if number < 5 else "left" for number in range(40)}
    alerts = alerts_at(kept)
    outcomes, closed = keep_issues(run_of(make(**states)), alerts)
    keep_issues(run_of(make(**states)), alerts)

    assert len(kept.issues) == len(outcomes) == MOST_ISSUES + 1 and not closed
    assert [each["title"] for each in kept.issues[:5]] == [
        f"Restore drill FAILED: db{number:02}" for number in range(5)
    ]
    assert "20 more are in trouble" in kept.issues[-1]["body"]
    assert [len(each["comments"]) for each in kept.issues] == [1] * (MOST_ISSUES + 1)

    outcomes, closed = keep_issues(run_of(make(**dict.fromkeys(states, "passed"))), alerts)
    assert kept.open == [] and closed == {*list(states)[:MOST_ISSUES], "the other databases"}


def test_what_is_not_drilled_keeps_its_issue(make: Make, kept: Forge) -> None:
    """Not due, or left out of the run: neither is a pass."""
    alerts = alerts_at(kept)
    states = {f"db{number:02}": "failed" for number in range(MOST_ISSUES + 2)}
    keep_issues(run_of(make(**states)), alerts)
    quiet = make(**dict.fromkeys(states, "elsewhen"))
    keep_issues(run_of(quiet, red=tuple(states)), alerts)
    keep_issues(run_of(make(db00="passed"), is_whole=False), alerts)

    assert [each["number"] for each in kept.issues if each["state"] == "closed"] == [1]


def test_a_run_without_a_scheduler_has_one(make: Make, kept: Forge) -> None:
    """Whatever ails the whole run is one matter; that of a database stays its own."""
    alerts, problem = alerts_at(kept), "no worker has 2.0 TB"
    fleet = make(a="left", b="left", c="failed")
    outcomes, _ = keep_issues(run_of(fleet, problem=problem), alerts)

    assert [each.line for each in outcomes] == [
        "issue of c: opened issue #1", "issue of the fleet: opened issue #2",
    ]  # fmt: skip
    assert "COULD NOT RUN: fleet in " in kept.issues[1]["title"]
    keep_issues(run_of(make(a="passed", b="failed", c="failed")), alerts)
    assert [each["title"].rpartition(" ")[2] for each in kept.open] == ["c", "b"]


def test_a_tracker_that_refuses_is_told_once(make: Make, kept: Forge) -> None:
    """Without the token."""
    alerts = alerts_at(kept)
    kept.token = "another"
    outcomes, _ = keep_issues(run_of(make(a="failed", b="failed")), alerts)

    assert [each.line for each in outcomes] == ["issues: HTTP 401: the token is not accepted"]


def test_names_do_nothing(make: Make, kept: Forge) -> None:
    """In the title they call nobody, and in the text they end neither fence nor comment."""
    (outcome,), _ = keep_issues(run_of(make(**{EVIL: "failed"})), alerts_at(kept))
    (issue,) = kept.issues

    assert outcome.done == "opened issue #1"
    assert "\x1b" not in issue["title"] + issue["body"] and "@someone" not in issue["title"]
    assert issue["body"].count("~~~") == 2 and issue["body"].count("<!--") == 1
