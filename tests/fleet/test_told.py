"""Whom a run tells: an issue for each database in trouble, and of a run that could not begin."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.helpers.fleet_runs import called, fleet
from tests.helpers.histories import FAILED, PASSED, write
from tests.helpers.inboxes import Forge, Inbox, forge, inbox
from tests.helpers.shop import USUAL, Shops
from tests.helpers.warm import run_module


@pytest.fixture
def folder(shops: Shops, tmp_path: Path) -> Path:
    """Backups of two databases, one damaged."""
    for name in ("good", "torn"):
        (tmp_path / name).mkdir()
        shutil.copy(shops.dump(USUAL, "plain.sql"), tmp_path / name / "shop.sql")
    path = tmp_path / "torn" / "shop.sql"
    path.write_bytes(path.read_bytes().partition(b"COPY public.cards")[0])
    (tmp_path / "fleet.toml").write_text(
        "[databases.good]\nbackups = 'good'\n[databases.torn]\nbackups = 'torn'\nowner = 'ann'\n"
    )
    return tmp_path


def variables(kept: Forge, box: Inbox) -> dict[str, str]:
    """Variables that name both servers."""
    return {
        "DRILL_ISSUES": "github:someone/shop", "GITHUB_TOKEN": kept.token,
        "GITHUB_API_URL": kept.url, "DRILL_NOTIFY": box.hook, "DRILL_PING": f"{box.url}/ping",
    }  # fmt: skip


def test_an_issue_from_the_failure_to_the_pass(folder: Path, shops: Shops) -> None:
    """One for the database that failed, none for the other; its next pass closes it."""
    with forge() as kept, inbox() as box:
        red = fleet(folder, "run", "--workers", "2", **variables(kept, box))
        (opened,) = kept.issues
        again = fleet(folder, "run", "--only", "torn", **variables(kept, box))
        comments = len(opened["comments"])
        shutil.copy(shops.dump(USUAL, "plain.sql"), folder / "torn" / "shop.sql")
        green = fleet(folder, "run", "--only", "torn", **variables(kept, box))

    assert (red.returncode, again.returncode, green.returncode) == (1, 1, 0), green.stdout
    assert "alerted: issue of torn: opened issue #1" in red.stdout
    assert opened["title"] == "Restore drill FAILED: torn"
    assert "shop.sql is damaged" in opened["body"] and "Owner: ann" in opened["body"]
    assert kept.token not in opened["body"] + red.stdout + red.stderr
    assert comments == 1 and len(kept.issues) == 1 and kept.open == []
    assert [each["title"].partition(":")[0] for each in box.messages] == [
        "Restore drills FAILED", "Restore drills FAILED", "Restore drills passed again",
    ]  # fmt: skip


def test_a_drill_of_the_database_alone_closes_it(folder: Path, shops: Shops) -> None:
    """Whoever mends a backup drills it by hand: the issue is that of its series."""
    with forge() as kept, inbox() as box:
        fleet(folder, "run", "--only", "torn", **variables(kept, box))
        shutil.copy(shops.dump(USUAL, "plain.sql"), folder / "torn" / "shop.sql")
        env = called(folder, BACKUP_PATH=str(folder / "torn"), **variables(kept, box))
        done = run_module(["drill"], cwd=folder, env=env, timeout=60)

    assert done.returncode == 0, done.stdout + done.stderr
    assert (len(kept.issues), kept.open) == (1, [])


@pytest.mark.parametrize(
    ("arguments", "inventory", "code", "words"),
    [
        ((), "[databases.good]\nbackups = 'good\n", 4, "fleet.toml"),
        ((), "[databases.good]\nbackup = '${NOT_SET_ANYWHERE}'\n", 4, "NOT_SET_ANYWHERE"),
        (("--no-such-option",), "", 4, "no-such-option"),
        (("--report-dir", "/proc/x"), "", 6, "the reports of the fleet cannot be written"),
    ],
    ids=["syntax", "variable", "option", "reports"],
)  # fmt: skip
def test_a_run_that_cannot_begin_is_told(
    folder: Path, arguments: tuple[str, ...], inventory: str, code: int, words: str
) -> None:
    """On the channels, in one issue, and to the monitor; other commands tell nobody."""
    if inventory:
        (folder / "fleet.toml").write_text(inventory)
    with forge() as kept, inbox() as box:
        done = fleet(folder, "run", *arguments, **variables(kept, box))
        fleet(folder, "list", "--no-such-option", **variables(kept, box))
    (message,), (opened,) = box.messages, kept.issues

    assert done.returncode == code, done.stdout + done.stderr
    assert message["title"].startswith("Restore drill COULD NOT RUN: fleet in ")
    assert message["message"].startswith("No drill was begun: ") and words in message["message"]
    assert words in opened["body"]
    assert sorted(each for each in box.paths if each != "/hook") == [f"/ping/{code}", "/ping/start"]


def test_the_next_run_that_begins_says_so(folder: Path) -> None:
    """The issue is closed, and those who have heard of the failure hear that it is over."""
    with forge() as kept, inbox() as box:
        wrong = fleet(folder, "run", "--only", "god", **variables(kept, box))
        after = fleet(folder, "run", "--only", "good", **variables(kept, box))
        last = fleet(folder, "run", "--only", "good", **variables(kept, box))

    assert (wrong.returncode, after.returncode, last.returncode) == (4, 0, 0), after.stdout
    assert (len(kept.issues), kept.open) == (1, [])
    assert [each["title"].partition(":")[0] for each in box.messages] == [
        "Restore drill COULD NOT RUN", "Restore drills are running again",
    ]  # fmt: skip


def test_a_scheduler_that_is_gone_has_one_issue(folder: Path) -> None:
    """And one message with one line: not one for each database."""
    with forge() as kept, inbox() as box:
        done = fleet(folder, "run", "--scheduler", "tcp://127.0.0.1:9", **variables(kept, box))
    (opened,), (message,) = kept.issues, box.messages

    assert done.returncode == 6, done.stdout + done.stderr
    assert opened["title"].startswith("Restore drill COULD NOT RUN: fleet in ")
    text = message["message"]
    assert (
        "not begun: the scheduler of the fleet does not answer: tcp://127.0.0.1:9: good, torn"
        in text
    )
    assert "/ping/6" in box.paths


def test_a_disk_that_fills_up_is_told_and_stops_no_drill(folder: Path) -> None:
    """Verdicts, messages and exit code are what they were; a line says that reports are missing."""
    (folder / "drill-report" / "fleet" / "good" / "report.html").mkdir(parents=True)
    (folder / "drill-report" / "fleet" / "torn").write_text("in the way")
    with forge() as kept, inbox() as box:
        done = fleet(folder, "run", **variables(kept, box))

    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.count("the reports of the fleet cannot be written") == 1
    assert "PASSED         good" in done.stdout and "FAILED         torn" in done.stdout
    assert (len(box.messages), len(kept.open)) == (1, 1)


def test_drills_that_do_not_come_are_told_once(folder: Path) -> None:
    """One message and one issue for all of them; so is an inventory that cannot be read."""
    path = folder / "fleet.toml"
    whole = path.read_text()
    with forge() as kept, inbox() as box:
        own = variables(kept, box)
        first, second = (fleet(folder, "status", "--notify", **own) for _ in range(2))
        path.write_text("[databases")
        broken = fleet(folder, "status", "--notify", **own)
        path.write_text(whole)
        for name in ("good", "torn"):
            write(folder / name, PASSED)
        after = fleet(folder, "status", "--notify", **own)
    titles = [each["title"] for each in box.messages]

    assert (first.returncode, second.returncode, broken.returncode, after.returncode) == (
        1,
        1,
        4,
        0,
    )
    assert [each.partition(": ")[0] for each in titles] == [
        "Restore drill MISSED", "Restore drill status UNKNOWN",
    ]  # fmt: skip
    assert "2 of 2 databases not drilled in time: good, torn" in box.messages[0]["message"]
    assert "Cannot tell whether drills still run: " in box.messages[1]["message"]
    assert (len(kept.issues), kept.open) == (2, []), after.stderr


def test_what_is_told_once_the_inventory_can_be_read(folder: Path) -> None:
    """One message a call: what is missing still is, and in order is what has no problem."""
    path = folder / "fleet.toml"
    whole, told = path.read_text(), list[tuple[str, str]]()
    with inbox() as box:
        for text, drill in (
            (whole, None), ("[databases", None), (whole, None), (whole, FAILED),
            ("[databases", None), (whole, PASSED), (whole, None),
        ):  # fmt: skip
            path.write_text(text)
            for name in ("good", "torn"):
                if drill is not None:
                    write(folder / name, replace(drill, at=datetime.now(UTC)))
            fleet(folder, "status", "--notify", DRILL_NOTIFY=box.hook)
            told += [(each["title"], each["message"]) for each in box.messages[len(told) :]]
    titles = [title.partition(": ")[0] for title, _ in told]

    assert titles == [
        "Restore drill MISSED", "Restore drill status UNKNOWN", "Restore drill MISSED",
        "Restore drills are running again", "Restore drill status UNKNOWN",
        "Restore drill in order",
    ]  # fmt: skip
    assert "not drilled in time: good, torn. The inventory can be read again.\n" in told[2][1]
    words = "No drill is missing any more"
    assert told[3][1].startswith(f"{words}. Other problems: good, torn (see ")
    assert told[5][1].startswith(f"{words}, and all databases are in order.")


def test_a_place_that_is_gone_is_no_missed_drill(folder: Path) -> None:
    """The message names what cannot be read: the job of the fleet may well run."""
    (folder / "fleet.toml").write_text("[databases.gone]\nbackups = '/no/such/place'\n")
    with inbox() as box:
        fleet(folder, "status", "--notify", DRILL_NOTIFY=box.hook)
    (message,) = box.messages

    assert message["title"].startswith("Restore drill status UNKNOWN: ")
    assert message["message"].startswith("Gone: nothing is known of its drills: ")
    assert "/no/such/place" in message["message"] and "fix that, then" in message["message"]
    assert "job of the fleet" not in message["message"]


def test_what_cannot_run_each_hour_is_told_once_a_day(folder: Path) -> None:
    """Until the reason is another one; on the channels and in the issue."""
    text = "[databases.gone]\nbackups = 'gone-1'\n"
    (folder / "fleet.toml").write_text(text)
    with forge() as kept, inbox() as box:
        codes = [fleet(folder, "run", "--due", **variables(kept, box)).returncode for _ in "ab"]
        told = len(box.messages), len(kept.issues), len(kept.issues[0]["comments"])
        (folder / "gone-1").mkdir()
        for name in "ab":
            (folder / "gone-1" / f"{name}.sql").write_text("not begun: two series\n")
        fleet(folder, "run", "--due", **variables(kept, box))

    assert (codes, told) == ([6, 6], (1, 1, 0))
    assert (len(box.messages), len(kept.issues[0]["comments"])) == (2, 1)
