"""The block of the verdict that says what a live database holds after a drill in place."""

from __future__ import annotations

from typing import cast

import pytest

from restore_drill.results.banner import MOST_LOST, snapshot_lines
from restore_drill.results.result import Result


def block(**snapshot: object) -> list[tuple[str, str]]:
    """Lines on a `snapshot`."""
    result = {"snapshot": {"database": "shop", "path": "s.dump", "rolled_back": None, **snapshot}}
    return list(snapshot_lines(cast("Result", result), "database"))


@pytest.mark.parametrize(
    ("live", "kind"),
    [
        ("not touched", "ok"),
        ("holds the backup", "ok"),
        ("as it was before the drill, as --after rollback asks (the copy was proved)", "ok"),
        ("reset, no verdict yet; only the drill may write into it", "bad"),
        ("not touched; the database is still shut\n  1. open it", "bad"),
        ("holds the backup; the database is still shut\n  1. open it", "bad"),
    ],
)
def test_only_what_is_settled_has_a_check_mark(live: str, kind: str) -> None:
    """An interrupted drill, or a database that is still shut, has none."""
    assert block(live_database=live)[0] == (kind, f"The live database shop: {live.splitlines()[0]}")


def test_a_database_that_stayed_shut_has_its_block_without_a_snapshot() -> None:
    """Its place says that none was taken."""
    assert ("note", "  Safety snapshot: none was taken") in block(live_database="x", path=None)


def test_what_the_backup_lacks_is_listed() -> None:
    """Up to a number of lines; that there is nothing is said too, and nothing is said unasked."""
    assert not [text for _, text in block(live_database="x") if "before the drill" in text]
    lines = block(live_database="holds the backup", lost=[])
    assert (
        "note",
        "  Compared with its state before the drill: nothing is missing",
    ) in lines
    many = block(live_database="holds the backup", lost=[f"t{n}" for n in range(MOST_LOST + 2)])
    assert ("warn", "  Not as before the drill (22 differences):") in many
    assert ("note", "    t19") in many and ("note", "    and 2 more, in result.json") in many
