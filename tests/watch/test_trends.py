"""Trends: a drill against the passed ones before it, and nothing said of too little history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from restore_drill.config.criteria import Criteria
from restore_drill.watch.history import Drill
from restore_drill.watch.trends import Trends
from restore_drill.watch.usual import breaks_at
from tests.helpers.drills import run_drill
from tests.helpers.histories import NOW, PASSED, weekly, write
from tests.helpers.shop import Shops


def trends(passed: Sequence[Drill], **now: float) -> Trends:
    """Trends of a drill like the others, but for what `now` says."""
    drill = replace(PASSED, at=NOW, **now)  # type: ignore[arg-type]
    return Trends(drill, passed, Criteria(Path("criteria.toml")))


@pytest.mark.parametrize(
    ("name", "now", "finding"),
    [
        ("restore", {"restore": 13.9}, ""),
        ("restore", {"restore": 14.1}, "the restore took 14 s, 41% longer than the 10 s usual on"),
        ("rows", {"rows": 801}, ""),
        ("rows", {"rows": 790}, "all tables together have 790 rows, 21% less than the usual 1,000"),
        ("size", {"size": 810_000}, ""),
        ("size", {"size": 500_000}, "the backup has 500.0 kB, 50% less than the usual 1.0 MB"),
        ("growth", {}, ""),
    ],
)
def test_what_is_unusual(name: str, now: dict[str, float], finding: str) -> None:
    """Against the median of the last five passed drills, with a tolerance."""
    found = trends(weekly(6, restore=[99.0, 10.0, 10.0, 9.0, 11.0, 10.0]), **now)

    assert found.why_open(name) == ""
    assert found.finding(name).startswith(finding) and bool(found.finding(name)) == bool(finding)


def test_too_little_history_says_nothing() -> None:
    """Four drills, drills of another machine or setup, and drills that noted no number."""
    four, six = weekly(4), weekly(6)
    other = [replace(each, machine="db2") for each in six]
    serial = [replace(each, setup="embedded, 1 jobs") for each in six]
    empty = [replace(each, rows=None) for each in six]

    few = "4 passed drills of this series in the history; a trend needs 5"
    assert {trends(four).why_open(name) for name in ("restore", "rows", "growth")} == {few}
    elsewhere = "0 passed drills of this series on db1 (embedded, 2 jobs) in the history; a trend"
    for passed in (other, serial):
        for name in ("restore", "growth"):
            assert trends(passed).why_open(name).startswith(elsewhere)
    assert trends(other).why_open("rows") == "" and trends(empty).why_open("rows")
    hourly = [replace(PASSED, at=NOW - timedelta(hours=n)) for n in range(9, 0, -1)]
    why = "the drills in the history span less than two weeks"
    assert trends(hourly).why_open("growth") == why
    unlimited = replace(trends(six).now, budgets={"age": 3600.0})
    assert replace(trends(six), now=unlimited).why_open("growth") == "no time has a budget"


def test_a_short_restore_is_never_slow() -> None:
    """Half a second more is no trend, whatever share of the time it is."""
    assert trends(weekly(6, restore=[0.2] * 6), restore=1.9).finding("restore") == ""
    assert trends(weekly(6, restore=[0.2] * 6), restore=2.3).finding("restore")


def test_growth_out_of_a_budget_is_foreseen() -> None:
    """Eight seconds a week from 60 s: 120 s is reached three weeks after the last one."""
    times = [60.0, 68.5, 76.0, 83.5, 92.0, 99.5]
    late = trends(weekly(6, restore=times), restore=108.0, verify=1.0, total=14.0)
    slow = trends(weekly(6, restore=[60 + n * 0.8 for n in range(6)]), restore=65.0)
    noisy = trends(weekly(6, restore=[60.0, 99.0, 61.0, 97.0, 60.0, 99.0]), restore=70.0)
    single = trends(weekly(6, restore=[60.0] * 6), restore=119.0)
    falling = trends(weekly(6, restore=times[::-1]), restore=55.0)

    found = late.finding("growth")

    assert found.startswith(
        "At this rate, the restore time will reach its budget of 2 min around 2"
    )
    assert NOW + timedelta(days=3) < late_day(late) < NOW + timedelta(days=21)
    assert not any(each.finding("growth") for each in (slow, noisy, single, falling))


def late_day(found: Trends) -> datetime:
    """The day that is foreseen."""
    day = breaks_at([*found.passed, found.now], "restore", 120.0)
    assert day is not None
    return day


def test_tables_that_have_fallen_are_named() -> None:
    """Against the last passed drill, the largest loss first."""
    found = trends(weekly(5))
    now = replace(found.now, rows=500, tables={"public.cards": 599, "public.new": 5})

    assert replace(found, now=now).fallen_tables() == [
        "public.artists: 400 then, 0 now",
        "public.cards: 600 then, 599 now",
    ]


def test_a_drill_reports_its_trends(shops: Shops, tmp_path: Path, report_dir: Path) -> None:
    """By default as warnings, which make no good backup red; those in `[trend] fail` fail it."""
    (tmp_path / "shop.sql").write_bytes(shops.dump(15, "plain.sql").read_bytes())
    criteria = tmp_path / "criteria.toml"
    criteria.write_text('[trend]\nfail = ["rows"]\n')
    series = f"{tmp_path.name.strip('_')}/shop"
    drills = [replace(each, series=series, rows=10**6, size=10**8) for each in weekly(6)]
    write(tmp_path, *drills)

    drill = run_drill(
        "-m", "not redis", f"--criteria={criteria}", "--machine=db1", "--jobs=2",
        report_dir=report_dir, BACKUP_PATH=str(tmp_path),
    )  # fmt: skip

    assert drill.code == 1, drill.output
    found = {check["id"].split("::")[1]: check["outcome"] for check in drill.result["checks"]}
    assert found["test_rows_have_not_fallen"] == "failed"
    assert found["test_size_has_not_fallen"] == "passed"
    assert "trend: the backup has " in "\n".join(drill.result["warnings"])
    assert "check in the source what removed these rows" in drill.output

    page = (drill.report_dir / "report.html").read_text("utf-8")
    proved = page[page.index('id="proved"') : page.index('id="not-checked"')]
    assert "The restore took no longer than its budget." in proved
    assert "There are about as many rows" not in proved  # it failed
    assert "The backup is about as large as those" not in proved  # it warned
    assert page.count("trend: the backup has ") == 2  # among the warnings, and at its criterion
