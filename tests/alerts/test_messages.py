"""What people read: at most ten lines, of which none holds a secret or does anything."""

from __future__ import annotations

import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.alerts.message import message_of, place_of
from restore_drill.alerts.subject import Origin, subject_of
from tests.helpers.alerting import EMPTY, ended, result_of


def test_red_drill_is_told_in_ten_lines() -> None:
    """Verdict and database, the first finding, its remedy, how many more, the report's place."""
    result = result_of("failed", EMPTY, *["another finding"] * 30)
    subject = subject_of(result, "", Origin())
    text = message_of(result, "failed", subject, "ops1:/srv/report.html").text

    facts = "shop_2026-11-28T030000Z.dump of database shop, 1.2 MB, "
    facts += "taken 2026-11-28 03:00:00 UTC (2 h old)"
    assert text.splitlines() == [
        "Restore drill FAILED: db/shop",
        "31 of 49 criteria failed: do not rely on this backup until every failure is explained.",
        f"Backup: {facts}",
        "test_table_has_rows[0]: public.cards has 0 rows, at least 1 expected",
        "1. read the log",
        "2. go back",
        "and 30 more findings",
        "Report: ops1:/srv/report.html",
    ]


def test_live_database_comes_first() -> None:
    """What it holds now, and the command that brings back what it held."""
    snapshot = {
        "path": "/b/snapshots/x",
        "database": "shop",
        "live_database": "holds the backup, which did not pass",
        "way_back": "restore-drill rollback --confirm shop",
    }
    result = result_of("failed", EMPTY, snapshot=snapshot)
    message = message_of(result, "failed", subject_of(result, "", Origin()), "here")

    assert message.lines[1:3] == (
        "The live database shop: holds the backup, which did not pass",
        "The way back: restore-drill rollback --confirm shop",
    )


def test_longest_message_keeps_its_report() -> None:
    """What does not fit is left out before the place where all of it stands."""
    steps = "".join(f"\n  {number}. do this" for number in range(1, 30))
    result = result_of("failed", f"{'x' * 900}{steps}", "second")
    message = message_of(result, "failed", subject_of(result, "", Origin()), "here", note="by hand")
    lines = message.text.splitlines()

    assert len(lines) == 10 and lines[-1] == "Report: here"
    assert max(map(len, lines)) <= 300


def test_drill_that_could_not_run_gives_its_reason() -> None:
    """Also where it has no criterion and no backup."""
    result = result_of("could-not-run", path=None, reasons=["no server could be had"])
    message = message_of(
        result, "could-not-run", subject_of(result, "", Origin(Path("/b/shop"))), ""
    )

    assert message.title == "Restore drill COULD NOT RUN: shop/*"
    assert "Reason: no server could be had" in message.lines


def test_names_out_of_a_dump_do_nothing() -> None:
    """Control characters are spelled out, and stay on their line."""
    evil = "x\n::error::\x1b[2J\u202e"
    result = result_of("failed", f"{evil}\n  1. {evil}", path=f"/b/{evil}.dump")
    text = message_of(result, "failed", subject_of(result, "", Origin()), evil).text

    assert all(char.isprintable() or char == "\n" for char in text)
    assert not [line for line in text.splitlines() if line.startswith("::")]


@pytest.mark.parametrize(
    ("verdict", "before", "others", "event"),
    [
        ("failed", "", {}, "failed"),
        ("could-not-run", "passed", {}, "could-not-run"),
        ("passed", "failed", {}, "recovered"),
        ("passed", "could-not-run", {}, "recovered"),
        ("passed", "passed", {}, "passed"),
        ("passed", "", {}, "passed"),
        ("passed", "failed", {"selection": "-k redis"}, ""),
        ("failed", "failed", {"selection": "-k redis"}, "failed"),
        ("incomplete", "failed", {"selection": "-k redis"}, ""),
        ("sample", "failed", {"sample": True}, ""),
    ],
)
def test_event_of_a_drill(verdict: str, before: str, others: dict[str, object], event: str) -> None:
    """Red drills, the whole drill that passes after one, and any pass are told apart."""
    messages = ("what",) if verdict in ("failed", "could-not-run") else ()

    assert ended(verdict, *messages, before=before, **others).event == event


def test_report_is_where_people_can_open_it() -> None:
    """The page of a CI run, else machine and path."""
    github = {"GITHUB_RUN_ID": "7", "GITHUB_REPOSITORY": "a/b", "GITHUB_SERVER_URL": "https://g"}
    page = Path("/srv/report.html")

    assert place_of(github, page) == "https://g/a/b/actions/runs/7"
    assert place_of({"CI_JOB_URL": "https://gitlab/j/1"}, page) == "https://gitlab/j/1"
    assert place_of({}, page) == f"{socket.gethostname()}:/srv/report.html"


@pytest.mark.parametrize(
    ("code", "others", "sent"),
    [(4, {}, False), (5, {}, False), (1, {"selection": "-k rows"}, False), (1, {}, True),
     (6, {}, True)],
)  # fmt: skip
def test_terminal_shows_what_was_typed(
    monkeypatch: pytest.MonkeyPatch, code: int, others: dict[str, str], *, sent: bool
) -> None:
    """An error in the command line and a drill of picked criteria are sent where nobody looks."""
    ending = replace(ended("failed", EMPTY, **others), code=code)
    assert ending.event == "failed"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert bool(ending.event) is sent
