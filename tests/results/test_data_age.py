"""How old the data is: by the newest transaction where WAL was replayed, else by the backup."""

from __future__ import annotations

from typing import Any

import pytest

from restore_drill.results.age import data_age
from restore_drill.results.past import Background
from restore_drill.results.tiles import tiles_of
from tests.helpers.alerting import result_of

DAY = 86400.0
TAKEN, NEWEST = "2026-11-20T00:00:00+00:00", "2026-11-26T23:00:00+00:00"
AGE = 7 * DAY


def recovered(goal: str, last: str | None) -> dict[str, Any]:
    """A result of a base backup that is a week old."""
    result: dict[str, Any] = dict(result_of("passed"))
    result["backup"] = (result["backup"] or {}) | {"taken_at": TAKEN, "age_seconds": AGE}
    last_in = {"xid": 7, "at": last} if last else None
    return result | {"recovery": {"goal": goal, "last_in": last_in}}


@pytest.mark.parametrize(
    ("goal", "last", "age"),
    [
        ("latest", NEWEST, 3600.0),
        ("latest", "2026-11-19T00:00:00+00:00", AGE),
        ("latest", None, AGE),
        ("immediate", NEWEST, AGE),
    ],
)
def test_replayed_wal_makes_the_data_younger(goal: str, last: str | None, age: float) -> None:
    """Only where recovery was to end with the newest."""
    assert data_age(recovered(goal, last)) == age


def test_the_tile_shows_the_age_of_the_data() -> None:
    """A base backup of last week is in order where its WAL is an hour old."""
    result: Any = recovered("latest", NEWEST)

    tile = next(each for each in tiles_of(result, Background(max_age=DAY)) if "RPO" in each.title)

    assert tile.value == "1 h" and not tile.is_bad
