"""`fleet dashboard` and `fleet status --json`: all databases as their histories have them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from restore_drill.core.units import show_count
from restore_drill.fleet.model import Database, Inventory
from restore_drill.fleet.report.board import pages_of_fleet
from restore_drill.fleet.report.judged import Judged, judged
from restore_drill.watch.history import Drill, History
from restore_drill.watch.skips import Skip
from tests.fleet.report.test_page import MEASURE, OUTER, cell, rows_of
from tests.helpers.fleet_runs import fleet
from tests.helpers.histories import FAILED, NOW, PASSED, write
from tests.results.test_html_report import CHROMIUM, Text, run_chromium

DAY = 86400.0
EVIL = "<script>alert(1)</script> '\"&amp; é 漢字 " + "and on " * 30


def ago(days: float, drill: Drill = PASSED) -> Drill:
    """`drill` as of `days` before now."""
    return replace(drill, at=NOW - timedelta(days=days))


def judged_as(name: str, *drills: Drill, skip: Skip | None = None) -> Judged:
    """The database `name`, drilled each day, with these drills."""
    database = Database(name, "", every=DAY, owner="ann", labels={"env": "prod"})
    return judged(database, History(Path("h"), list(drills), [skip] if skip else []), NOW)


def all_kinds() -> list[Judged]:
    """A database in each state."""
    cannot = replace(FAILED, verdict="could-not-run")
    skip = Skip(NOW - timedelta(days=1), "moved", "ann", "bob", (NOW + timedelta(days=3)).date())
    found = [
        judged_as("good", *(ago(day) for day in range(30, 0, -1))),
        judged_as("red", ago(2), ago(0.1, FAILED)),
        judged_as("stuck", ago(0.1, cannot)),
        judged_as("late", ago(9)),
        judged_as("new"),
        judged_as("shaky", ago(3, FAILED), ago(2), ago(1, FAILED), ago(0.1)),
        judged_as("moved", ago(5), skip=skip),
        judged_as(EVIL, ago(0.5)),
    ]
    return sorted(found, key=lambda each: each.rank)


def site_of(found: list[Judged], folder: Path) -> dict[str, str]:
    """Its files."""
    inventory = Inventory(
        Path("fleet.toml"), {each.database.name: each.database for each in found}, ("new<b>",)
    )
    return pages_of_fleet(found, inventory, NOW, folder)


def test_each_database_has_its_state(tmp_path: Path) -> None:
    """Trouble first; last drills, times and problem; a page and a badge of its own."""
    site = site_of(all_kinds(), tmp_path)
    rows, text = rows_of(site["index.html"]), Text(site["index.html"])
    states = {name: cell(row, "v") for name, row in rows.items()}

    assert list(states.items())[:7] == [
        ("red", "FAILED"), ("stuck", "COULD NOT RUN"), ("late", "OVERDUE"),
        ("new", "NEVER DRILLED"), ("shaky", "UNSTEADY"), ("moved", "SKIPPED"),
        (EVIL.strip(), "IN ORDER"),
    ]  # fmt: skip
    assert text.title == "Restore drills: 5 of 8 databases have a problem"
    assert (
        "3 of 7 databases passed in time, 1 of them unsteady; 1 not expected to" in text.text
        and "Share of databases" in text.text
    )
    assert cell(rows["red"], "h") == "✗✓"
    assert "2 of 602 rows are missing" in cell(rows["red"], "w")
    assert "no drill has been recorded" in cell(rows["new"], "w")
    assert cell(rows["new"], "a") == "never"
    assert cell(rows["good"], "a") == f"{ago(1).at:%Y-%m-%d %H:%M}"
    links = set(re.findall(r'href="([^"]+)"', site["index.html"]))
    assert links <= set(site) and len([each for each in site if each.endswith(".svg")]) == 8
    plain = json.loads(site["status.json"])
    assert [each["state"] for each in plain["databases"]][:2] == ["failed", "could-not-run"]
    assert plain["undecided"] == ["new<b>"] and not plain["ok"]


def test_names_do_nothing(tmp_path: Path) -> None:
    """In pages, in their file names, in attributes."""
    for path, text in site_of(all_kinds(), tmp_path).items():
        assert re.fullmatch(r"[a-z0-9./-]+", path), path
        assert "alert(1)</script>" not in text or path == "status.json"


def test_three_hundred_databases_fit(tmp_path: Path) -> None:
    """The page of all stays below a megabyte."""
    drills = [ago(day) for day in range(60, 0, -1)]
    site = site_of([judged_as(f"database-{n:03}", *drills) for n in range(300)], tmp_path)

    assert len(site["index.html"].encode()) < 1_000_000
    assert "All databases are in order" in site["index.html"]
    assert show_count(300, "database") in site["index.html"]


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [360, 800, 1400])
def test_nothing_is_cut_off(tmp_path: Path, width: int) -> None:
    """A browser lays it out, and picks one state."""
    page = site_of(all_kinds(), tmp_path)["index.html"]
    (tmp_path / "page.html").write_text(page.replace("</body>", MEASURE), encoding="utf-8")
    (tmp_path / "outer.html").write_text(OUTER.replace("WIDTH", str(width)), encoding="utf-8")
    options = ("--window-size=1500,900", "--virtual-time-budget=3000", "--dump-dom")
    title = Text(run_chromium(tmp_path / "profile", tmp_path / "outer.html", *options)).title

    assert title == f'[[],["failed"],{width}]'


def test_the_commands(tmp_path: Path) -> None:
    """`fleet dashboard` writes the site, `fleet status --json` the same for programs."""
    for name, drill in (("good", ago(0.1)), ("bad", ago(0.1, FAILED))):
        (tmp_path / name).mkdir()
        write(tmp_path / name, drill)
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / ".drill").write_text("no folder")
    (tmp_path / "weekly.toml").write_text('[schedule]\nevery = "7d"\n')
    (tmp_path / "weekly").mkdir()
    write(tmp_path / "weekly", ago(9))
    (tmp_path / "fleet.toml").write_text(
        "".join(f"[databases.{name}]\nbackups = '{name}'\n" for name in ("good", "bad", "gone"))
        + "[databases.weekly]\nbackups = 'weekly'\ncriteria = 'weekly.toml'\n"
    )
    done = fleet(tmp_path, "dashboard", "--out", "site")
    plain = fleet(tmp_path, "status", "--json")
    lines = fleet(tmp_path, "status", "--metrics-file", "fleet.prom").stdout
    metrics = (tmp_path / "fleet.prom").read_text()
    unwritable = fleet(tmp_path, "status", "--metrics-file", "/proc/no/fleet.prom")
    wrong = fleet(tmp_path, "dashboard", "--out", "fleet.toml")

    assert done.returncode == 0, done.stderr
    assert f"4 databases, 3 with a problem: {tmp_path}/site/index.html" in done.stdout
    assert (tmp_path / "site" / "index.html").read_text().count("<tr class=") == 4
    assert (plain.returncode, wrong.returncode) == (1, 4)
    assert json.loads(plain.stdout) == json.loads((tmp_path / "site" / "status.json").read_text())
    assert re.search(r"^gone +PROBLEM: nothing is known of its drills: ", lines, re.MULTILINE)
    assert "the limit is 8 d" in lines, "by [schedule] of its criteria file"
    assert 'restore_drill_in_order{database="good",series="db/shop"} 1' in metrics
    assert 'restore_drill_in_order{database="gone",series=""} 0' in metrics
    assert 'restore_drill_verdict{database="bad",series="db/shop",verdict="failed"} 1' in metrics
    assert metrics.count("# TYPE restore_drill_verdict gauge") == 1
    assert (
        'restore_drill_budget_seconds{database="bad",series="db/shop",stage="total"} 300' in metrics
    )
    assert (unwritable.returncode, unwritable.stdout) == (6, ""), unwritable.stderr
    assert "--metrics-file" in unwritable.stderr
