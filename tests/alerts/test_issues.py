"""One issue from the first red drill to the recovery, on GitHub's API and on GitLab's.

Both are played by a server of our own that keeps issues as they do.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from restore_drill.alerts import announce, issue
from restore_drill.alerts.delivery import Outcome, Undelivered
from restore_drill.alerts.literal import JOINER
from restore_drill.alerts.message import message_of
from restore_drill.alerts.subject import Origin, mark_of, subject_of
from restore_drill.alerts.trackers import WANTED, WHY, GitHub, Issue, tracker_of
from restore_drill.config.alerts import alerts_of
from restore_drill.config.criteria.notify import Notify
from tests.helpers.alerting import EMPTY, ended, result_of
from tests.helpers.inboxes import Forge

KINDS = ["github", "gitlab"]


def environment(forge: Forge, kind: str) -> dict[str, str]:
    """Variables of a machine whose drills keep issues on `forge`."""
    if kind == "github":
        return {
            "DRILL_ISSUES": "github:someone/shop",
            "GITHUB_TOKEN": forge.token,
            "GITHUB_API_URL": forge.url,
        }
    return {
        "DRILL_ISSUES": "gitlab:group/sub/shop",
        "GITLAB_TOKEN": forge.token,
        "CI_API_V4_URL": f"{forge.url}/api/v4",
    }


def drilled(forge: Forge, kind: str, verdict: str, *messages: str, **others: Any) -> Outcome:
    """What became of the issue when a drill ended with `verdict`."""
    alerts = alerts_of(environment(forge, kind), Notify())
    (outcome,) = announce.announce(alerts, ended(verdict, *messages, **others))
    return outcome


@pytest.mark.parametrize("kind", KINDS)
def test_one_issue_from_first_failure_to_recovery(forge: Forge, kind: str) -> None:
    """The first failure opens it, the next ones comment, the pass comments and closes."""
    ends = [
        ("failed", EMPTY),
        ("could-not-run", "no server"),
        ("passed",),
        ("passed",),
        ("failed", EMPTY),
    ]
    done = [drilled(forge, kind, *end).done for end in ends]
    first, second = forge.issues

    assert done == [
        "opened issue #1", "commented on issue #1", "closed issue #1", "no open issue",
        "opened issue #2",
    ]  # fmt: skip
    assert first["title"] == "Restore drill FAILED: db/shop"
    assert "public.cards has 0 rows" in first["body"] and "1. read the log" in first["body"]
    assert len(first["comments"]) == 2 and "no server" in first["comments"][0]
    assert first["comments"][1].startswith("~~~text\nRestore drill passed again")
    assert (first["state"], second["state"]) == ("closed", "open")


@pytest.mark.parametrize("kind", KINDS)
def test_each_database_has_its_own(forge: Forge, kind: str) -> None:
    """The pass of one says nothing about the other, nor about other people's issues."""
    forge.labels.add("restore-drill")
    forge.add("a person's", "<!-- restore-drill -->", ["restore-drill"])
    drilled(forge, kind, "failed", EMPTY)
    drilled(forge, kind, "failed", EMPTY, path="/b/db/other_20261128.dump")
    assert drilled(forge, kind, "passed").done == "closed issue #2"

    assert [each["number"] for each in forge.open] == [1, 3]


def test_a_folder_of_the_same_name_is_another(forge: Forge) -> None:
    """Neither a pass nor a missing backup there is about this one."""
    alerts = alerts_of(environment(forge, "github"), Notify())
    crm, shop = Path("/srv/crm"), Path("/srv/shop")

    def end(verdict: str, folder: Path, *, found: bool = True) -> str:
        path = f"{folder}/db/backup_20261128.dump" if found else None
        ending = replace(
            ended(verdict, EMPTY, path=path), origin=Origin(folder, (f"ops1:{folder}",))
        )
        return announce.announce(alerts, ending)[0].done

    assert end("failed", crm) == "opened issue #1"
    assert end("passed", shop) == "no open issue"
    assert end("failed", Path("/other/crm"), found=False) == "opened issue #2"
    assert end("passed", crm) == "closed issue #1"


def test_pass_closes_what_its_folder_left_open(forge: Forge) -> None:
    """A drill that found no backup may have been of any series; the sample's pass is of none."""
    assert drilled(forge, "github", "could-not-run", path=None).done == "opened issue #1"
    assert forge.issues[0]["title"] == "Restore drill COULD NOT RUN: srv/*"
    alerts = alerts_of(environment(forge, "github"), Notify())
    announce.announce(alerts, ended("sample", sample=True))
    assert forge.open
    assert drilled(forge, "github", "passed").done == "closed issue #1"


def test_issue_is_found_behind_a_hundred_others(forge: Forge) -> None:
    """All pages are read."""
    drilled(forge, "github", "failed", EMPTY)
    for number in range(130):
        forge.add(f"other {number}", "", ["restore-drill"])

    assert drilled(forge, "github", "failed", EMPTY).done == "commented on issue #1"


@pytest.mark.parametrize("kind", KINDS)
def test_two_drills_at_once_leave_one_issue(forge: Forge, kind: str) -> None:
    """Both have seen none and open one: the older stays open, and has both messages."""
    both = Barrier(2)
    real = tracker_of(environment(forge, kind)["DRILL_ISSUES"], environment(forge, kind))

    class Late(type(real)):  # type: ignore[misc]
        """Creates when the other one is about to as well."""

        def create(self, title: str, body: str) -> Issue:
            both.wait(5)
            made: Issue = super().create(title, body)
            both.wait(5)
            return made

    result = result_of("failed", EMPTY)
    subject = subject_of(result, "", Origin())
    message = message_of(result, "failed", subject, "here")

    def keep() -> None:
        tracker = tracker_of(environment(forge, kind)["DRILL_ISSUES"], environment(forge, kind))
        tracker.__class__ = Late
        issue.keep(tracker, message, subject)

    threads = [Thread(target=keep) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (left,) = forge.open
    assert left["number"] == 1 and len(forge.issues) == 2
    assert "public.cards" in left["comments"][0]
    assert forge.issues[1]["comments"] == ["Another drill has opened #1 for this."]


def test_pass_that_closes_an_issue_is_a_recovery(forge: Forge) -> None:
    """Also on a machine that has no history."""
    drilled(forge, "github", "failed", EMPTY)
    alerts = alerts_of(environment(forge, "github") | {"DRILL_NOTIFY": "nonsense://x"}, Notify())
    outcomes = announce.announce(alerts, ended("passed"))

    assert outcomes[0].done == "closed issue #1"
    assert outcomes[1].name == "channel 1", "recovered is sent, passed would not be"


def test_names_out_of_a_dump_stay_in_the_fence(forge: Forge) -> None:
    """None ends it, mentions people, commands GitLab, or marks another database's issue."""
    other = mark_of("db/other", "ops1:/srv")
    drilled(forge, "gitlab", "failed", f"~~~ @team\n/close {other}\n  1. ~~~~ {other}")
    body = forge.issues[0]["body"]

    outside, fence, rest = body.split("~~~")
    assert outside == "" and "@team" in fence and "@team" not in rest
    assert other not in body
    assert drilled(forge, "gitlab", "passed", path="/b/db/other.dump").done == "no open issue"


def test_a_long_name_is_no_reason_to_open_none(forge: Forge) -> None:
    """Trackers refuse a longer title; the text has the name in full."""
    alerts = alerts_of(environment(forge, "gitlab"), Notify(name="@shop " * 60))
    (outcome,) = announce.announce(alerts, ended("failed", EMPTY))

    assert outcome.done == "opened issue #1"
    assert forge.open[0]["title"].endswith("…") and "@shop " * 30 in forge.open[0]["body"]


def test_the_title_of_an_issue_calls_nobody(forge: Forge) -> None:
    """GitLab finds people and references in titles, too; the next drill finds the issue."""
    called = {"path": "/b/db/x.dump", "series": "db/@team_#one"}
    red = ended("failed", EMPTY)
    red.result["backup"].update(called)
    alerts = alerts_of(environment(forge, "gitlab"), Notify())
    done = [announce.announce(alerts, red)[0].done for _ in range(2)]

    assert done == ["opened issue #1", "commented on issue #1"]
    assert forge.issues[0]["title"].endswith(f": db/@{JOINER}team_#{JOINER}one")


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"GITHUB_TOKEN": "ghp_wrong"}, "HTTP 401: the token is not accepted"),
        ({"GITHUB_TOKEN": ""}, "no token: set GITHUB_TOKEN"),
        ({"GITHUB_TOKEN": "ghp_hidden\nX-Evil: 1"}, "GITHUB_TOKEN is not a token (not shown)"),
        ({"DRILL_ISSUES": "github:someone/else"}, f"HTTP 404: {WHY['HTTP 404']}"),
        ({"DRILL_ISSUES": "https://hidden@h/a/b"}, f"DRILL_ISSUES names no project; {WANTED}"),
        ({"GITHUB_API_URL": "ftp://hidden"}, "its URL begins with neither https:// nor http://"),
        ({"GITHUB_API_URL": "http://127.0.0.1:1"}, "no connection: Connection refused"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("no_pauses")
def test_issue_that_cannot_be_kept_says_why(
    forge: Forge, variables: dict[str, str], problem: str
) -> None:
    """In words, without the token, the URL or what the server says."""
    given = environment(forge, "github") | variables
    (outcome,) = announce.announce(alerts_of(given, Notify()), ended("failed", EMPTY))

    assert outcome.line == f"issue: {problem}"


def test_token_is_sent_to_no_other_server(forge: Forge) -> None:
    """A redirect elsewhere is an error."""
    github = GitHub("someone/shop", forge.token, forge.url)
    assert github.issues() == []
    elsewhere = GitHub("someone/moved", forge.token, forge.url)
    with pytest.raises(Undelivered, match="HTTP 302"):
        elsewhere.issues()
