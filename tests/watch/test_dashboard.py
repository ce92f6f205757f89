"""`restore-drill dashboard`: what it shows, that names do nothing in it, and that it is quick."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from restore_drill.watch.skips import Skip
from tests.helpers.histories import FAILED, NOW, PASSED, Call, caller, loaded, weekly, write

EVIL = "db/<script>alert(1)</script>\x1b[2J'\"&"


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Runs a command on the history of `tmp_path`."""
    return caller(tmp_path, monkeypatch, capsys)


def pages(folder: Path) -> dict[str, str]:
    """Text of each file of the site, its blanks as one."""
    return {
        str(path.relative_to(folder)): re.sub(r"\s+", " ", path.read_text())
        for path in folder.rglob("*")
        if path.is_file()
    }


def the(site: dict[str, str], start: str, end: str) -> str:
    """The one file of `site` whose path begins and ends so."""
    (found,) = [
        text for path, text in site.items() if path.startswith(start) and path.endswith(end)
    ]
    return found


def test_what_the_pages_show(tmp_path: Path, call: Call) -> None:
    """State, last pass, findings, a link to each report that is here, and the data itself."""
    report = tmp_path / "reports" / "2026 #1"
    report.mkdir(parents=True)
    (report / "report.html").write_text("<p>report</p>")
    last = replace(FAILED, at=NOW, report=str(report))
    write(tmp_path, *weekly(30), last)

    code, told = call("dashboard", "--out=site")

    assert code == 0, told
    assert f"1 series, 1 with a problem: {tmp_path}/site/index.html" in told
    site = pages(tmp_path / "site")
    page = the(site, "series/", ".html")
    assert "1 of 1 series with a problem: db/shop: the last drill failed" in site["index.html"]
    assert '<span class="state bad">problem</span>' in site["index.html"]
    assert "2 of 602 rows are missing" in site["index.html"] and "2 of 602 rows" in page
    assert 'href="../../reports/2026%20%231/report.html"' in page
    assert (tmp_path / "site" / "series" / "../../reports/2026 #1/report.html").is_file()
    assert "Restore time" in page and "limit 2 min" in page and "11 older drills" in page
    assert "27 drills in 26 weeks, 26 passed" in page
    assert loaded((tmp_path / "site" / "status.json").read_text())["ok"] is False
    assert "restore drill: red" in the(site, "badges/", ".svg")


def test_a_site_over_many_histories(tmp_path: Path, call: Call) -> None:
    """Those with a problem first; what is skipped, missed and retired is shown as that."""
    shop = write(tmp_path / "shop", *weekly(4))
    until = NOW.date() + timedelta(days=3)
    old = replace(PASSED, at=NOW - timedelta(days=40), series="db/crm")
    write(tmp_path / "crm", old, Skip(NOW, "moved", "ann", "bob", until, "db/crm"))
    gone = Skip(NOW, "sold", "ann", "bob", None, "db/old")
    write(tmp_path / "old", replace(old, series="db/old"), gone)
    late = replace(old, series="db/late")
    write(tmp_path / "late", replace(late, at=late.at - timedelta(days=30)), late)
    (tmp_path / "criteria.toml").write_text('[schedule]\nevery = "7d"\n')
    places = [str(shop), *(str(tmp_path / name) for name in ("crm", "old", "late"))]

    code, told = call(
        "dashboard", *places, "--out=site", DRILL_CRITERIA=str(tmp_path / "criteria.toml")
    )

    assert code == 0 and "4 series, 1 with a problem" in told
    site = pages(tmp_path / "site")
    index = site["index.html"]
    assert index.index("/late: ") < index.index("/crm: ") < index.index("/shop: ")
    assert f"skipped until {until}: moved (approved by ann" in index
    assert "retired: sold" in index
    assert re.search(
        r"2 drills in 26 weeks, 1 passed, \d missed", index.replace("2 passed", "1 passed")
    )
    badges = " ".join(text for path, text in site.items() if path.endswith(".svg"))
    for text in (f"passed {PASSED.at:%Y-%m-%d}", f"skipped until {until}", "retired", "overdue"):
        assert f"restore drill: {text}" in badges
    for path, text in site.items():
        for link in re.findall(r'(?:href|src)="([^"]+)"', text):
            assert (tmp_path / "site" / path).parent.joinpath(link).is_file(), f"{path}: {link}"


def test_names_do_nothing(tmp_path: Path, call: Call) -> None:
    """What comes from files and dumps is text: in the pages, in attributes, in file names."""
    evil = replace(
        FAILED, series=EVIL, backup=EVIL, red=(EVIL,), findings=(EVIL,), database=EVIL,
        machine=EVIL, report=EVIL, verdict='x"><script>',
    )  # fmt: skip
    write(tmp_path, *[replace(each, series=EVIL) for each in weekly(3)], evil)

    assert call("dashboard", "--out=site")[0] == 0

    for path, text in pages(tmp_path / "site").items():
        assert "\x1b" not in text, path
        assert re.fullmatch(r"[\w./-]+", path)
        assert path == "status.json" or "<script" not in text.lower(), path
        if path.endswith(".svg"):
            ET.fromstring(text)  # noqa: S314 - written just now


@pytest.mark.parametrize("name", ["\ud800", "caf\udce9"])
def test_names_that_are_no_text_stop_no_other_series(name: str, tmp_path: Path, call: Call) -> None:
    """A file's name may hold any byte, and a line of a history any character."""
    odd = replace(
        FAILED, series=name, backup=name, findings=(name,), machine=name, report=f"/{name}"
    )
    write(tmp_path, *weekly(3), odd)

    for command in (["dashboard", "--out=site"], ["status"], ["status", "--json"]):
        code, told = call(*command)
        assert code in (0, 1) and told.encode(), command

    site = pages(tmp_path / "site")
    assert len([path for path in site if path.startswith("series/")]) == 2
    assert ascii(name).strip("'") in site["index.html"]


def test_an_empty_history_has_a_page(tmp_path: Path, call: Call) -> None:
    """Nothing was drilled: that is a problem, and no error."""
    code, told = call("dashboard", "--out=site")

    assert code == 0 and "1 series, 1 with a problem" in told
    assert "no drill has been recorded" in pages(tmp_path / "site")["index.html"]


def test_a_series_that_is_gone_leaves_no_green_badge(tmp_path: Path, call: Call) -> None:
    """Nor a page; what else lies in the site stays."""
    write(tmp_path, *weekly(3))
    call("dashboard", "--out=site")
    before = set(pages(tmp_path / "site"))
    (tmp_path / "site" / "badges" / "logo.svg").touch()
    (tmp_path / ".drill" / "history.jsonl").unlink()
    write(tmp_path, *(replace(each, series="db/crm") for each in weekly(3)))

    call("dashboard", "--out=site")

    after = set(pages(tmp_path / "site"))
    assert len(before) + 1 == len(after)
    assert {"index.html", "status.json", "badges/logo.svg"} < after
    gone = before - after
    assert len(gone) == 2 and not any("crm" in name for name in gone)


def test_two_hundred_drills_are_quick(tmp_path: Path, call: Call) -> None:
    """Two seconds are allowed on a quiet machine; processor time is what others do not change."""
    tables = {f"public.table_{n:03}": n for n in range(200)}
    drills = [
        replace(each, tables=tables, restore=10.0 + n % 7, verify=1.0 + n / 100)
        for n, each in enumerate(weekly(200))
    ]
    write(tmp_path, *drills)

    began = time.process_time()
    assert call("dashboard", "--out=site")[0] == 0
    assert time.process_time() - began < 2

    sizes = [path.stat().st_size for path in (tmp_path / "site").rglob("*.html")]
    assert len(sizes) == 2 and max(sizes) < 300_000


def test_where_it_cannot_be_written(tmp_path: Path, call: Call) -> None:
    """A file in its place, or a folder that is none: a line, and no traceback."""
    write(tmp_path, PASSED)
    (tmp_path / "site").write_text("")

    code, told = call("dashboard", "--out=site")
    assert code == 4 and "--out names" in told
    code, told = call("dashboard", "--out=/proc/nowhere")
    assert code == 6 and "the dashboard cannot be written" in told and "--out" in told
