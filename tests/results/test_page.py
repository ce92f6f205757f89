"""The page of a result made here: tiles, trends, groups, and how large it gets."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from restore_drill.core.printable import printable
from restore_drill.core.record import Record
from restore_drill.core.redact import Redactor
from restore_drill.results import listed
from restore_drill.results.charts import STYLE
from restore_drill.results.grouped import MOST
from restore_drill.results.page import HERE, render, template
from restore_drill.results.past import Background, Past, days_of
from restore_drill.results.result import build_result
from restore_drill.results.tiles import tiles_of

AT = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)


def result_of(
    tables: int = 2, *, age: float = 3600.0, bad: str = "", of: str = "of_the_shop"
) -> dict[str, Any]:
    """A drill of `tables` tables with three criteria each, of which one fails for `bad`."""
    record = Record(started_at=AT)
    record.backup = {"path": "/backups/shop_20261128.dump", "bytes": 5000, "age_seconds": age,
                     "database": "shop"}  # fmt: skip
    names = [f"public.table_{of}_{number}" for number in range(tables)]
    record.tables = {
        name: {"rows": 10 * number, "expected": f"{10 * number} (as in the backup)", "ok": True}
        for number, name in enumerate(names)
    }
    record.checks = [
        {"id": f"drill/test_tables.py::{kind}[{name}]", "stage": "verify", "seconds": 0.01,
         "outcome": "failed" if name == bad and kind == "test_rows" else "passed",
         "message": f"{name} has lost rows" if name == bad and kind == "test_rows" else "",
         "sentence": f"A table passes {kind}.", "budget": ""}
        for name in names for kind in ("test_rows", "test_keys", "test_content")
    ]  # fmt: skip
    record.budgets = {"restore": 120.0, "verify": 30.0, "total": 300.0}
    record.stages = [{"name": "restore", "started": 1.0, "seconds": 100.0},
                     {"name": "verify", "started": 101.0, "seconds": 20.0}]  # fmt: skip
    verdict = "failed" if bad else "passed"
    return build_result(record, Redactor(), verdict=verdict, reasons=[], rows_read=True)


def past(days: float, verdict: str = "passed", **values: Any) -> Past:
    """A drill so many days before the one of `result_of`."""
    return Past(AT - timedelta(days=days), verdict, **values)


def text_of(page: str) -> str:
    """What the page says, without its elements."""
    body = page[page.index("<main") : page.index("<script")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", body)))


def test_tiles_stand_against_their_budgets() -> None:
    """Age, time, rows and size, each with its bar; what is over its budget says so in words."""
    page = render(result_of(age=7200.0), Background(max_age=3600.0))

    text = text_of(page)
    assert "database shop · shop_20261128.dump · 2 h old" in text
    assert "Age of the data (RPO) 2 h over budget budget 1 h" in text
    assert "Time to restore and verify (RTO) 2 min restore 1 min 40 s, verify 20 s" in text
    assert "budget 2 min 30 s" in text
    assert "Rows 10 rows" in text
    assert "Size of the backup 5.0 kB" in text
    assert page.count('<svg class="meter"') == 2 + 2
    assert page.count('<section class="tile wrong">') == 1


def test_trends_are_those_of_the_drills_before() -> None:
    """A calendar, four lines, the change since the last drill, and what growth means."""
    drills = [
        past(14, rows=4, size=4000, restore=60.0, verify=10.0, age=900.0),
        past(7, "failed", age=900.0),
        past(1, rows=8, size=5000, restore=80.0, verify=10.0, age=900.0,
             tables={"public.table_of_the_shop_1": 8}),
    ]  # fmt: skip
    page = render(result_of(), Background(drills, ["At this growth it breaks in March"], 86400.0))

    text = text_of(page)
    assert "3 drills of this series, 2 passed" in text
    assert "At this growth it breaks in March" in text
    assert "2026-11-14: 1 min 10 s" in text and "2026-11-27: 1 min 30 s" in text
    assert "Rows 10 rows +25.0% since the last drill" in text
    assert "Size of the backup 5.0 kB unchanged since the last drill" in text
    assert "public.table_of_the_shop_1 10 10 (as in the backup) 8 +25.0% ok" in text
    assert "<title>2026-11-21: failed</title>" in page


def test_a_drill_that_failed_is_marked_in_its_own_trends() -> None:
    """As those before it are: the last dot is no pass."""
    earlier = Background([past(2, rows=10, size=5000), past(1, rows=10, size=5000)])
    for bad, marks in (("", 0), ("public.table_of_the_shop_1", 1)):
        tiles = {each.title: each.trend for each in tiles_of(result_of(bad=bad), earlier)}
        assert [tiles[name].count("bad") for name in ("Rows", "Size of the backup")] == [marks] * 2


def test_sizes_of_tables_stand_beside_their_rows() -> None:
    """A partitioned table has none of its own; the sum stands with the size of the backup."""
    result = result_of(3)
    for number, size in enumerate((None, 8192, 1_500_000)):
        result["tables"][f"public.table_of_the_shop_{number}"]["bytes"] = size

    text = text_of(render(result, Background([past(1, size=5000)])))
    assert "Size of the backup 5.0 kB unchanged since the last drill; restored 1.5 MB" in text
    assert "table found size expected result" in text
    assert "public.table_of_the_shop_2 20 1.5 MB 20 (as in the backup) ok" in text
    assert "public.table_of_the_shop_0 0 0 (as in the backup) ok" in text
    assert "Size of the backup 5.0 kB restored 1.5 MB" in text_of(render(result, Background()))
    assert "table found expected result" in text_of(render(result_of(), Background()))


def test_a_promoted_database_and_its_way_back_have_a_card() -> None:
    """With what was lost, line by line up to a bound, and how to drop the old one."""
    promotion = {
        "promoted": True, "database": "shop", "kept": "shop old", "kept_quoted": '"shop old"',
        "sessions_ended": 2, "seconds": 0.25, "way_back": "restore-drill rollback shop",
        "live_database": "shop is the restored backup", "lost": [f"row {n}" for n in range(14)],
    }  # fmt: skip
    text = text_of(render(result_of() | {"promotion": promotion}, Background()))
    assert "Promotion promoted yes live database shop is the restored backup" in text
    assert "way back restore-drill rollback shop accepted loss row 0 row 1" in text
    assert "row 11 and 2 more, in result.json" in text
    assert 'to drop the old one DROP DATABASE "shop old"' in text

    why = {"promoted": None, "why": "lost", "next": ["connect again", "look"], "kept_quoted": None}
    text = text_of(render(result_of() | {"promotion": promotion | why}, Background()))
    assert "promoted not known" in text
    assert "next connect again look" in text
    assert "accepted loss" not in text and "DROP DATABASE" not in text


def test_where_a_recovery_ended_stands_at_the_top() -> None:
    """Below the tiles, before all else; the headline of a drill to a point in time names it."""
    recovery = {
        "goal": "name:after_one", "reached": True, "end_lsn": "0/4000120", "timeline": 1,
        "last_in": {"xid": 800, "at": "2026-11-27T23:36:49.020000+00:00"},
        "first_out": {"xid": None, "at": "2026-11-27T23:36:49.020001+00:00"},
        "system_identifier": "7", "fetched": 3, "parts": [], "databases": {"shop": 5},
        "database": "shop",
    }  # fmt: skip
    for goal, is_in_headline in (("name:after_one", True), ("latest", False)):
        result = result_of() | {"recovery": recovery | {"goal": goal}, "warnings": ["a warning"]}
        result["backup"]["taken_at"] = "2026-11-27T23:00:00+00:00"
        page = render(result, Background())

        text = text_of(page)
        ended = "ended at 0/4000120 on timeline 1; the last transaction in it: transaction 800"
        assert (f"Recovery to {goal} {ended}, 2026-11-27 23:36:49.020000 UTC" in text) == (
            is_in_headline
        )
        assert "first one not in it 2026-11-27 23:36:49.020001 UTC" in text
        assert page.index("tiles") < page.index('id="recovery"') < page.index('id="warnings"')


def test_a_database_reset_in_place_has_a_card() -> None:
    """What it holds now comes first, in lines of its own; that nothing was lost is written."""
    snapshot = {
        "path": "/b/before.dump", "bytes": 5000, "rolled_back": False, "database": "shop",
        "live_database": "not rolled back; shop is <shut>\n  remedy: 1. open it",
        "way_back": "restore-drill rollback", "lost": [],
    }  # fmt: skip
    page = render(result_of() | {"snapshot": snapshot}, Background())
    assert "not rolled back; shop is &lt;shut&gt;<br>remedy: 1. open it" in page
    assert "rolled back no" in text_of(page)
    assert "not as before the drill nothing" in text_of(page)

    snapshot |= {"path": None, "lost": None}
    text = text_of(render(result_of() | {"snapshot": snapshot}, Background()))
    assert "path no snapshot was taken" in text
    assert "not as before" not in text


@pytest.mark.parametrize("path", [HERE / "style.css", STYLE], ids=lambda path: path.name)
def test_every_rule_of_the_style_is_whole(path: Path) -> None:
    """A brace too many costs the rule that follows it, and no browser reports that."""
    rest = re.sub(r"[^{}]", "", path.read_text(encoding="utf-8"))
    while "{}" in rest:
        rest = rest.replace("{}", "")
    assert not rest


def test_the_first_drill_has_no_trends() -> None:
    """Nothing is drawn of one drill alone, this one among the noted ones."""
    page = render(result_of(), Background([past(0)]))

    assert 'id="trends"' not in page
    assert 'class="chart"' not in page


def test_what_is_wrong_is_unfolded_and_linked() -> None:
    """The finding leads to its criterion, whose table and stage are open; the others are not."""
    page = render(result_of(3, bad="public.table_of_the_shop_1"), Background())

    (link,) = re.findall(r'<h3><a href="#(c\d+)">', page)
    assert f'<li class="failed" id="{link}">' in page
    assert re.findall(r'<details class="group"( open)?><summary>(\S+)', page) == [
        (" open", "public.table_of_the_shop_1"),
        ("", "public.table_of_the_shop_0"),
        ("", "public.table_of_the_shop_2"),
    ]
    assert "public.table_of_the_shop_1 2 passed, 1 failed" in text_of(page)
    assert "A table passes test_keys. (3 times)" in text_of(page)
    assert "A table passes test_rows. (2 of 3)" in text_of(page)


def test_the_page_of_one_series_says_that_there_are_others() -> None:
    """Whoever reads a single page is not to take it for all."""
    result = result_of()
    assert "series.json" not in render(result, Background())

    result["run_of"] = ["db/shop", "db/crm"]
    assert "One of 2 series that the same run drilled" in text_of(render(result, Background()))


@pytest.mark.parametrize("name", ["public.größen", "public.a\\b", "public.tab\tnew\x1b[31m"])
def test_criteria_stand_under_their_table_whatever_it_is_called(name: str) -> None:
    """In an id pytest writes what is no plain ASCII in another way."""
    result = result_of(1)
    result["tables"] = {name: result["tables"].popitem()[1]}
    written = name.encode("unicode_escape").decode()
    for check in result["checks"]:
        check["id"] = f"{check['id'].partition('[')[0]}[{written}]"

    page = render(result, Background())

    assert f"{printable(name)} 3 passed" in text_of(page)
    assert f"[{written}]" not in page and "\x1b" not in page


def test_what_only_warned_is_not_proved() -> None:
    """Its warning stands beside the criterion; those that just passed have none."""
    result = result_of(1)
    result["checks"][0]["message"] = "trend: fewer rows"
    proved, _, criteria = text_of(render(result, Background())).partition(" Criteria ")

    assert "A table passes test_keys." in proved and "A table passes test_rows." not in proved
    assert "A table passes test_rows. trend: fewer rows test_rows" in criteria
    assert "A table passes test_keys. test_keys" in criteria


def test_three_thousand_criteria_make_a_small_page() -> None:
    """A thousand tables, of names as long as they can be, with three criteria each."""
    result = result_of(1000, of="o" * 52)
    for table in result["tables"].values():
        table["bytes"] = 123_456_789
    page = render(result, Background())

    assert page.count("<b>passed</b> <span>A table passes test_") == 3000
    assert len(page.encode()) < 1_000_000


def test_ten_thousand_lost_tables_make_a_small_page() -> None:
    """Where all is lost the first tables stand there, with how many more result.json has."""
    result = result_of(10_000)
    result["verdict"], result["counts"]["failed"] = "failed", 30_000
    for check in result["checks"]:
        check |= {"outcome": "failed", "message": f"{check['id']} is lost\n  1. take a backup"}
    for table in result["tables"].values():
        table["ok"] = False
    names = ", ".join(f"{name}_pkey" for name in result["tables"])
    result["not_checked"] = [{"what": f"each row in {names}", "why": "there are many"}]
    page = render(result, Background())
    text = text_of(page)

    assert len(page.encode()) < 1_500_000
    assert "30,000 of 30,000 criteria failed" in text
    assert text.count(f"{10_000 - MOST:,} more: result.json has all, with their messages") >= 3
    assert (
        f"the next {listed.MOST:,}; result.json has the other {10_000 - 2 * listed.MOST:,}" in text
    )
    assert "_pkey, … (result.json has all)" in text


@pytest.mark.parametrize(
    ("verdicts", "shown"),
    [
        (["passed", "failed", "passed"], "failed"),
        (["could-not-run", "passed"], "could-not-run"),
        (["passed", "new verdict"], "passed"),
    ],
)
def test_the_worst_drill_of_a_day_counts(verdicts: list[str], shown: str) -> None:
    """A pass does not hide a failure of the same day."""
    assert list(days_of([past(0, each) for each in verdicts]).values()) == [shown]


def test_compiled_templates_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second drill compiles no template; where none can be kept or read, it does without."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    result = result_of()  # once: it holds how long its drill took

    def rendered() -> tuple[str, dict[Path, int]]:
        template.cache_clear()
        page = render(result, Background())
        kept = (tmp_path / "cache").rglob("*.cache")
        return page, {path: path.stat().st_mtime_ns for path in kept}

    first, kept = rendered()
    assert len(kept) == 3
    assert rendered() == (first, kept)
    for path in kept:
        path.write_bytes(b"damaged")
    page, mended = rendered()
    assert page == first and set(mended) == set(kept) and mended != kept
    monkeypatch.setenv("XDG_CACHE_HOME", str(next(iter(kept))))  # no folder, and so no cache
    assert rendered() == (first, mended)
    template.cache_clear()
