"""fleet.html: parsed, with a thousand databases, and as a browser lays it out."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from restore_drill.fleet.model import Database
from restore_drill.fleet.report.files import keep_reports
from restore_drill.fleet.report.page import render
from restore_drill.fleet.report.plain import plain_of
from restore_drill.fleet.report.run import Fleet
from restore_drill.watch.history import Drill
from tests.fleet.report.conftest import Make, Real, add
from tests.helpers.histories import FAILED, PASSED
from tests.results.test_html_report import CHROMIUM, Text, run_chromium

STATES = {
    "ok": "passed", "slow": "warned", "shop": "failed", "box": "could-not-run", "old": "lost",
    "big": "left", "sun": "elsewhen", "few": "incomplete",
}  # fmt: skip


def rows_of(page: str) -> dict[str, ET.Element]:
    """Rows of the table by the names of the databases, from above."""
    found = re.findall(r"<tr class=.*?</tr>", page, re.DOTALL)
    rows = [ET.fromstring(each) for each in found]  # noqa: S314 - our own
    return {str(row.findtext("th")).strip(): row for row in rows}


def cell(row: ET.Element, kind: str) -> str:
    """Text of the cell of the class `kind`."""
    found = next(each for each in row if kind in (each.get("class") or "").split())
    return "".join(found.itertext()).strip()


def test_trouble_comes_first(make: Make, tmp_path: Path) -> None:
    """A row each: verdict, drills, numbers and the first problem."""
    fleet = make(**STATES, database=Database("", "", owner="ann", labels={"env": "prod"},
                                             budgets={"max_backup_age": "26h"}))  # fmt: skip
    page = render(fleet, {}, tmp_path)
    rows, text = rows_of(page), Text(page)

    assert list(rows) == ["shop", "box", "old", "big", "few", "slow", "ok", "sun"]
    assert text.title == "Restore drills of 8 databases: FAILED"
    assert "1 failed" in text.text and "2 could not run" in text.text
    assert cell(rows["shop"], "v") == "FAILED"
    assert "shop.sql is damaged" in cell(rows["shop"], "w")
    assert cell(rows["old"], "v") == "COULD NOT RUN after 3 tries"
    assert cell(rows["big"], "w") == "no worker has 2.0 TB of disk for it"
    assert cell(rows["ok"], "v") == "PASSED (plausible)"
    assert cell(rows["ok"], "n") == "297" and cell(rows["ok"], "r").endswith("of 2 min")
    assert cell(rows["ok"], "d").endswith("of 1 d 2 h")
    assert "ann" in "".join(rows["ok"].itertext()) and "env=prod" in "".join(rows["ok"].itertext())
    assert [cell(rows[name], "h") for name in rows] == ["✗", "!", "!", "-", "~", "✓", "✓", "·"]


@pytest.mark.parametrize("is_kept", [True, False])
def test_what_was_not_due_shows_its_last_drill(
    real: Mapping[str, Real],
    tmp_path: Path,
    is_kept: bool,  # noqa: FBT001
) -> None:
    """By its report where that is kept, else by the history; the reason is no problem."""
    fleet, folder = Fleet(Path("fleet.toml"), {"shop": Database("shop", "")}), None
    done = real["passed"].done("shop")
    assert done.result is not None
    last = replace(PASSED, at=datetime.fromisoformat(done.result["started_at"]))
    if is_kept:
        folder = keep_reports(tmp_path, done, fleet.inventory)
    fleet.leave_undue("shop", "its last pass was 40 s ago", last, folder)
    fleet.close()
    row = rows_of(render(fleet, {"shop": [last]}, tmp_path))["shop"]
    plain = plain_of(fleet)["databases"][0]

    assert (cell(row, "v"), cell(row, "w"), cell(row, "h")) == ("NOT DUE", "", "·✓")
    assert cell(row, "n") == ("297" if is_kept else "1,000")
    assert cell(row, "r").endswith("of 2 min") and cell(row, "a")
    assert [each.text for each in row.iterfind("th/small")] == ["its last pass was 40 s ago"]
    assert (row.find(".//a") is not None) == is_kept
    assert (plain["state"], plain["backup"] in ("shop.sql", "shop.dump")) == ("not-due", True)
    assert plain["started_at"] and plain["rows"] and plain["restore_seconds"]


def test_what_failed_before_shows_its_finding(make: Make, tmp_path: Path) -> None:
    """Why it is not drilled again can be read by who asks for it."""
    row = rows_of(render(make(shop="still"), {}, tmp_path))["shop"]
    problem = row.find(".//td[@class='w']/span")

    assert (cell(row, "v"), cell(row, "w")) == ("STILL FAILED", FAILED.findings[0])
    assert problem is not None
    assert problem.get("title") == f"{FAILED.findings[0]}; its last drill failed 2 h ago"
    assert cell(row, "n") == "1,000"


def test_drills_before_are_cells(make: Make, tmp_path: Path) -> None:
    """Newest first, this run's own once, ten at most, each with its day and verdict in words."""
    fleet = make(shop="passed")
    own = replace(PASSED, at=fleet.started + timedelta(seconds=3))
    days = [replace(FAILED if day == 2 else PASSED, at=fleet.started - timedelta(days=day))
            for day in range(20, 0, -1)]  # fmt: skip
    page = render(fleet, {"shop": [*days, own]}, tmp_path)
    row = rows_of(page)["shop"]
    cells = row.findall(".//i")

    assert "".join(str(each.text) for each in cells) == "✓✓✗✓✓✓✓✓✓✓"
    assert cells[2].get("title") == f"{days[-2].at:%Y-%m-%d %H:%M} failed"
    chart = row.find(".//*[@role='img']")
    assert chart is not None and str(chart.get("aria-label")).startswith("Restore time")
    assert "Share of drills that passed" in page


def test_reports_are_linked_where_they_lie(real: Mapping[str, Real], tmp_path: Path) -> None:
    """Relative to the page, so that the folder can be moved."""
    fleet = Fleet(Path("fleet.toml"), {name: Database(name, "") for name in ("a b/ü", "none")})
    done = real["passed"].done("a b/ü")
    fleet.end(done, 1, folder := keep_reports(tmp_path, done, fleet.inventory))
    fleet.close()
    assert folder is not None
    link = rows_of(render(fleet, {}, tmp_path))["a b/ü"].find(".//a")

    assert link is not None and link.get("href") == f"fleet/{folder.name}/report.html"
    assert (tmp_path / str(link.get("href"))).is_file()
    assert rows_of(render(fleet, {}, tmp_path))["none"].find(".//a") is None


def test_the_page_needs_nothing_else(make: Make, tmp_path: Path) -> None:
    """No resource from elsewhere, one script, and all rows are there without it."""
    text = Text(render(make(**STATES), {}, tmp_path))

    assert not [1 for _, found in text.elements if found.get("src")]
    assert [tag for tag, _ in text.elements].count("script") == 1
    assert not [1 for tag, _ in text.elements if tag in ("link", "iframe", "img")]
    assert not [1 for tag, found in text.elements if tag == "tr" and "hidden" in found]


def thousand(real: Mapping[str, Real]) -> tuple[Fleet, dict[str, list[Drill]]]:
    """A run of 1,000 databases with 20 drills before each."""
    names = [f"database-{number:04}" for number in range(1000)]
    kinds = ["passed"] * 17 + ["failed", "could-not-run", "lost"]
    labels = {"env": "prod", "region": "eu-west-1"}
    fleet = Fleet(
        Path("fleet.toml"),
        {name: Database(name, "", owner="platform", labels=labels) for name in names},
    )
    for number, name in enumerate(names):
        add(fleet, name, kinds[number % 20], real)
    fleet.close()
    before = [replace(PASSED if day % 7 else FAILED, at=fleet.started - timedelta(days=day))
              for day in range(20, 0, -1)]  # fmt: skip
    return fleet, dict.fromkeys(names, before)


def test_a_thousand_databases_fit(real: Mapping[str, Real], tmp_path: Path) -> None:
    """Below 2 MB, and built within 3 s of this process's own time."""
    fleet, histories = thousand(real)
    begin = time.process_time()
    page = render(fleet, histories, tmp_path)

    assert time.process_time() - begin < 3
    assert len(page.encode()) < 2_000_000
    assert page.count("<tr class=") == 1000


MEASURE = """<style>#databases tbody tr { content-visibility: visible !important; }</style><script>
const wide = [...document.querySelectorAll("body *")].filter((each) => each.clientWidth
  && each.scrollWidth > each.clientWidth + 1 && !each.closest("svg, select, input"));
const list = document.querySelector("select");
list.value = "failed";
list.onchange();
const shown = [...document.querySelectorAll("tbody tr:not([hidden])")].map((row) => row.className);
parent.postMessage([wide.map((each) => each.className + each.tagName), shown, innerWidth], "*");
</script></body>"""
OUTER = """<title>nothing came</title>
<script>onmessage = (event) => { document.title = JSON.stringify(event.data); };</script>
<iframe src="page.html" style="width: WIDTHpx; border: 0"></iframe>"""
"""A window of a browser may have a least width; a frame has none."""


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [360, 900, 1400])
def test_nothing_is_cut_off_and_filters_work(make: Make, tmp_path: Path, width: int) -> None:
    """A browser lays the page out; one verdict is picked."""
    database = Database("", "", owner="the-team-of-platforms", labels={"env": "prod"})
    states = {**STATES, "a-very-long-name-of-a-database/of-the-eu-west-region": "failed"}
    fleet = make(database=database, **states)
    before = [replace(PASSED, at=fleet.started - timedelta(days=day), rows=10**9)
              for day in range(20, 0, -1)]  # fmt: skip
    page = render(fleet, dict.fromkeys(states, before), tmp_path)
    path = tmp_path / "page.html"
    path.write_text(page.replace("</body>", MEASURE), encoding="utf-8")

    outer = tmp_path / "outer.html"
    outer.write_text(OUTER.replace("WIDTH", str(width)), encoding="utf-8")
    options = ("--window-size=1500,900", "--virtual-time-budget=3000", "--dump-dom")
    title = Text(run_chromium(tmp_path / "profile", outer, *options)).title

    assert title == f'[[],["failed","failed"],{width}]'
