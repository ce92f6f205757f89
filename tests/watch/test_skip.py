"""`restore-drill skip`: recorded with its reason, shown everywhere, and it ends by itself."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from restore_drill.watch.entry import note
from restore_drill.watch.history import load_history
from restore_drill.watch.skips import Skip
from restore_drill.watch.verify import verify
from tests.helpers.drills import run_drill
from tests.helpers.histories import FAILED, NOW, PASSED, Call, caller, loaded, write
from tests.helpers.shop import Shops

TODAY = NOW.date()
WHO = ("--reason=the machine is moved", "--approved-by=ann")


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Runs a command on the history of `tmp_path`."""
    return caller(tmp_path, monkeypatch, capsys)


def skip(days: int, until: date | None, series: str | None = None) -> Skip:
    """A skip that was recorded so many `days` ago."""
    return Skip(NOW - timedelta(days=days), "moved", "ann", "bob", until, series)


def test_a_skip_excuses_a_drill_that_does_not_come(tmp_path: Path, call: Call) -> None:
    """What is too old without it is well with it, and everybody reads why."""
    path = write(tmp_path, replace(PASSED, at=NOW - timedelta(days=20)))
    assert call("status")[0] == 1
    until = TODAY + timedelta(days=7)

    code, told = call("skip", *WHO, f"--until={until}")
    assert code == 0, told
    assert f"All series: skipped until {until}: the machine is moved (approved by ann" in told

    code, told = call("status")
    assert code == 0, told
    assert f"! Skipped until {until}: the machine is moved (approved by ann" in told
    found = loaded(call("status", "--json")[1])
    assert found["series"][0]["skip"]["until"] == str(until) == found["skips"][0]["until"]
    assert call("status", "--nagios")[0] == 1
    assert call("status", "--verify")[0] == 0
    (noted,) = load_history(path).skips
    assert noted.by and noted.series is None and noted.until == until


def test_a_skip_ends_by_itself(tmp_path: Path, call: Call) -> None:
    """A makeup drill that does not come turns the status red, though the last pass is young."""
    over = skip(3, TODAY - timedelta(days=1))
    write(tmp_path, replace(PASSED, at=NOW - timedelta(days=4)), over)

    code, told = call("status")

    assert code == 1
    assert f"PROBLEM: no drill has run since the skip that ended on {over.until}" in told
    assert "drill now: " in told
    write(tmp_path, PASSED)
    assert call("status")[0] == 0


def test_a_drill_before_its_end_makes_up_for_it(tmp_path: Path, call: Call) -> None:
    """What ran although it was skipped is no less a drill."""
    write(tmp_path, skip(3, TODAY - timedelta(days=1)), replace(PASSED, at=NOW - timedelta(days=2)))

    assert call("status")[0] == 0


def test_a_skip_hides_no_failure(tmp_path: Path, call: Call) -> None:
    """It is about drills that do not come, and not about those that failed."""
    report = tmp_path / "report"
    write(tmp_path, replace(FAILED, report=str(report)), skip(0, TODAY + timedelta(days=7)))

    for is_here in (False, True):  # that of a drill of a fleet is gone
        code, told = call("status")
        assert code == 1 and "PROBLEM: the last drill failed" in told
        assert (f"report: {report}" in told) is is_here
        report.mkdir(exist_ok=True)


def test_a_skip_of_one_series_excuses_no_other(tmp_path: Path, call: Call) -> None:
    """And a series that is retired is not expected, until there is a drill of it again."""
    old = replace(PASSED, at=NOW - timedelta(days=30))
    crm = replace(old, series="db/crm")
    twice = [replace(each, at=each.at - timedelta(days=7)) for each in (old, crm)]
    write(tmp_path, *twice, old, crm)

    code, told = call("skip", *WHO, "--series=db/crm", "--retire")
    assert code == 0 and "No drill of it is expected" in told
    code, told = call("status")
    assert code == 1
    assert "Series db/crm: retired" in told and "Series db/shop: PROBLEM" in told
    write(tmp_path, PASSED)
    assert call("status")[0] == 0
    write(tmp_path, replace(FAILED, series="db/crm", at=NOW + timedelta(hours=1)))
    assert call("status")[0] == 1


@pytest.mark.parametrize("hours", [-2, 2])
@pytest.mark.parametrize("until", [None, TODAY + timedelta(days=7)])
def test_a_drill_that_fails_after_a_skip_is_red(
    hours: int, until: date | None, tmp_path: Path, call: Call
) -> None:
    """It may have begun before, or its clock may be wrong: it was noted after it."""
    failed = replace(FAILED, at=NOW + timedelta(hours=hours))
    write(tmp_path, PASSED, skip(0, until, "db/shop"), failed)

    code, told = call("status")

    assert code == 1 and "PROBLEM: the last drill failed" in told


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--reason= ", "--approved-by=ann", "--until=2026-01-01"], "--reason is empty; say why"),
        (["--reason=x", "--approved-by=", "--until=2026-01-01"], "--approved-by is empty; say who"),
        ([*WHO, "--until=2026-01-01"], "--until 2026-01-01 is over; give today's date ("),
        ([*WHO, "--until=friday"], "--until is not a date: 'friday'; write it like"),
        ([*WHO, "--until=9999-01-01"], "is too far ahead; give "),
        (WHO, "give either --until DATE, or --retire"),
        ([*WHO, "--retire"], "--retire needs --series"),
        ([*WHO, f"--until={TODAY}", "--series=shpo"], "'shpo' is not in the history; known: db/sh"),
        (["--until=2026-01-01"], "required: --reason, --approved-by"),
    ],
)
def test_what_a_skip_must_say(given: list[str], told: str, tmp_path: Path, call: Call) -> None:
    """A reason, who approved it, and a day that is near; nothing is recorded otherwise."""
    path = write(tmp_path, PASSED)
    before = path.read_bytes()

    code, output = call("skip", *given)

    assert code == 4 and told in output
    assert path.read_bytes() == before


def test_the_next_drill_shows_that_it_was_skipped(
    shops: Shops, tmp_path: Path, report_dir: Path
) -> None:
    """On its terminal, in its report and in result.json; what nobody noted is not checked."""
    (tmp_path / "shop.sql").write_bytes(shops.dump(15, "plain.sql").read_bytes())
    until = TODAY - timedelta(days=1)
    write(tmp_path, skip(3, until))

    drill = run_drill(report_dir=report_dir, BACKUP_PATH=str(tmp_path))

    words = f"drills were skipped until {until}: moved (approved by ann"
    assert drill.code == 0, drill.output
    assert f"Warning: {words}" in drill.output
    assert drill.result["bypass"]["reason"] == "moved"
    before = verify((tmp_path / ".drill" / "history.jsonl").read_bytes())
    assert before.last is not None and before.last.before == drill.result["history"]["last"]
    assert words in (report_dir / "report.html").read_text()
    assert "0 passed drills of this series in the history; a trend needs 5" in drill.output
    history = load_history(tmp_path / ".drill" / "history.jsonl")
    assert [each.verdict for each in history.drills] == ["passed"] and len(history.skips) == 1


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, "free space or inodes on the disk of"),
        (errno.EAGAIN, "another drill is writing there"),
        (errno.EACCES, "run it as the user who runs the drill"),
    ],
)
def test_the_remedy_fits_what_failed(
    number: int, told: str, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a full disk nobody is told to become another user."""
    write(tmp_path, PASSED)

    def fails(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("restore_drill.watch.skip.append", fails)
    code, output = call("skip", "--reason=moved", "--approved-by=ann", f"--until={TODAY}")

    assert code == 6 and told in output


def test_a_series_of_this_place_is_meant_where_others_have_its_name(
    tmp_path: Path, call: Call
) -> None:
    """As the remedy of a series that is gone prints it."""
    path = tmp_path / "h.jsonl"
    for folder in (tmp_path, tmp_path / "other"):
        note(path, replace(PASSED, series="bk/crm", place=f"m:{folder}"))
    given = {"DRILL_HISTORY": str(path), "DRILL_MACHINE": "m"}
    code, told = call("skip", *WHO, "--retire", "--series", "bk/crm", **given)
    assert code == 0, told
    assert f"bk/crm (m:{tmp_path}): retired" in told


def test_numbered_backups_are_called_as_status_calls_them(tmp_path: Path, call: Call) -> None:
    """One series, though drills of before that was set have noted several."""
    write(tmp_path, *(replace(PASSED, series=f"bk/shop_{n}", backup=f"shop_{n}.sql") for n in "12"))
    criteria = tmp_path / "criteria.toml"
    criteria.write_text("[backup]\nnumbered = true\n")
    until = f"--until={TODAY}"
    code, told = call("skip", *WHO, until, "--series=bk/shop", DRILL_CRITERIA=str(criteria))
    assert code == 0, told
    assert call("status", "--nagios")[0] == 1
