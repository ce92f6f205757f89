"""What the report says of budgets, of waived findings, and of partitioned tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from restore_drill.results.listed import tables_of
from restore_drill.results.meaning import failure_of
from restore_drill.results.past import Background, Past
from restore_drill.results.tiles import Tile, tiles_of, total_of
from restore_drill.results.trends import times_of
from tests.helpers.alerting import result_of

CASES: dict[str, tuple[dict[str, float | None], dict[str, float | None], bool, str]] = {
    "within both": ({"restore": 100, "verify": 20}, {"restore": 120, "verify": 60}, False, "3 min"),
    "restore alone over": (
        {"restore": 150, "verify": 0.2}, {"restore": 120, "verify": 60}, True, "3 min",
    ),
    "verify alone over": (
        {"restore": 10, "verify": 70}, {"restore": 120, "verify": 60}, True, "3 min",
    ),
    "verify without a budget": (
        {"restore": 2400, "verify": 1800}, {"restore": 3600, "verify": None}, False, "1 h",
    ),
    "no budget": ({"restore": 9000, "verify": 9000}, {}, False, "no budget is set"),
}  # fmt: skip


def time_tile(times: dict[str, float | None], budgets: dict[str, float | None]) -> Tile:
    """The tile of the times."""
    result: Any = result_of("passed")
    result |= {"timings": result["timings"] | times, "budgets": budgets}
    return next(each for each in tiles_of(result, Background()) if "RTO" in each.title)


@pytest.mark.parametrize("case", CASES)
def test_a_budget_that_is_exceeded_is_never_green(case: str) -> None:
    """Each of the two times is measured against its own."""
    times, budgets, is_over, shown = CASES[case]

    tile = time_tile(times, budgets)

    assert (tile.is_bad, "over its budget" in tile.against) == (is_over, is_over)
    assert shown in tile.against
    assert ('class="bad"' in tile.bar) == is_over


def test_a_backup_with_waived_findings_is_not_called_good() -> None:
    """It is too old all the same, and more is wrong with it."""
    result: Any = result_of("failed", "too old") | {"rows_read": True, "selection": ""}
    result["checks"][0]["outcome"] = "passed"
    assert "the backup is good" in failure_of(result)

    result["checks"][0]["outcome"] = "waived"
    assert "good" not in failure_of(result)


def test_rows_of_partitions_count_once() -> None:
    """A partitioned table has none of its own: in the tile, and over the list of tables."""
    part = {"rows": 75, "bytes": 8192, "expected": "", "ok": True}
    tables = {"public.part1": part, "public.part2": part}
    tables["public.part"] = part | {"rows": 150, "partitioned": True}

    result = result_of("passed") | {"tables": tables}
    assert total_of(result, "rows") == 150
    assert "3 tables, 150 rows" in tables_of(result, [])["summary"]


@pytest.mark.parametrize(
    ("budgets", "title", "told"),
    [
        ({"restore": 120.0, "verify": 60.0}, "Time to restore and verify", "budget 3 min"),
        ({"restore": 120.0, "verify": None}, "Time to restore", "budget 2 min"),
        ({"restore": None, "verify": 60.0}, "Time to verify", "budget 1 min"),
        ({}, "Time to restore and verify", "most"),
    ],
)
def test_the_trend_shows_the_budget_that_there_is(
    budgets: dict[str, float | None], title: str, told: str
) -> None:
    """Where only one of the two times has one, the line is of that."""
    drills = [
        Past(datetime(2026, 11, day, tzinfo=UTC), "passed", restore=10.0, verify=1.0)
        for day in (1, 8)
    ]

    line = times_of(drills, budgets)

    assert line is not None and line.title == title
    assert told in line.highest and ("budget" in line.highest) == bool(budgets)
