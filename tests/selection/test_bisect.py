"""`restore-drill bisect`: the newest backup that passes, by real drills."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from restore_drill.results.differences import differences
from restore_drill.selection.search import search
from tests.helpers.drills import command
from tests.helpers.shop import Shops


@pytest.mark.parametrize("count", [1, 2, 3, 8, 30, 365])
def test_the_border_is_found_wherever_it_is(count: int) -> None:
    """The newest good one and the bad one after it; by few drills, and none twice."""
    for newest_good in range(count + 1):
        asked: list[int] = []

        def passes(at: int, first: int = newest_good, asked: list[int] = asked) -> bool:
            asked.append(at)
            return at >= first

        found = search(count, passes, linear=False)

        assert found.good == (newest_good if newest_good < count else None)
        assert found.bad == (newest_good - 1 if newest_good else None)
        assert len(set(asked)) == len(asked) <= 2 * count.bit_length() + 1
        assert found.bad_before == []


def test_damage_that_comes_and_goes() -> None:
    """Each one is drilled then, and those that are bad though they are older are named."""
    good = [False, False, True, True, False, True]

    found = search(len(good), good.__getitem__, linear=True)

    assert (found.good, found.bad, found.bad_before) == (2, 1, [4])
    assert len(found.judged) == len(good)


def test_what_differs() -> None:
    """Findings, tables, size and the versions of what has dumped them."""
    check = {"id": "drill/t.py::test_x", "outcome": "failed", "message": "two are gone\nmore"}
    good = {
        "checks": [], "backup": {"bytes": 100, "dumped_by": "15.4"},
        "tables": {"a.b": {"rows": 10}, "a.c": {"rows": 1}},
    }  # fmt: skip
    bad = {
        "checks": [check], "backup": {"bytes": 50, "dumped_by": "15.20"},
        "tables": {"a.b": {"rows": 8}, "a.d": {"rows": 1}},
    }  # fmt: skip

    assert list(differences(good, bad)) == [
        "test_x: two are gone",
        "table a.c: gone, it had 1 row",
        "table a.d: new",
        "table a.b: 10 rows before, 8 after",
        "size: 100 B before, 50 B after (-50%)",
        "pg_dump: 15.4 before, 15.20 after",
    ]


@pytest.fixture(scope="module")
def folder(shops: Shops, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven backups, a day apart, the newest a week old; the last two are cut off."""
    place = tmp_path_factory.mktemp("bisect") / "pg"
    place.mkdir()
    whole = shops.dump(15, "plain.sql").read_bytes()
    for day in range(7):
        when = datetime.now(UTC) - timedelta(days=7 + day)
        content = whole[: len(whole) // 2] if day < 2 else whole
        (place / f"shop_{when:%Y%m%d}_050000.sql").write_bytes(content)
    return place


def bisect(folder: Path, *arguments: str) -> CompletedProcess[str]:
    """The command, over the stage select: it reads each backup to its end."""
    return command(
        "bisect", "-m", "select", f"--report-dir={folder.parent}/report", *arguments,
        BACKUP_PATH=str(folder), DRILL_NOTIFY="json://127.0.0.1:9/nobody",
    )  # fmt: skip


def test_the_last_good_and_the_first_bad(folder: Path) -> None:
    """The answer names both, what lies between and differs; age is nothing that a search asks."""
    done = bisect(folder)
    names = sorted(path.name for path in folder.glob("*.sql"))

    assert done.returncode == 1, done.stdout + done.stderr
    assert f"Last good: {names[-3]}" in done.stdout and f"First bad: {names[-2]}" in done.stdout
    assert "Between the two: 1,440 minutes" in done.stdout
    assert "What differs:\n  test_backup_is_complete: " in done.stdout
    assert "Assumed: once one backup is bad, all later ones are. 4 of 7 backups" in done.stdout
    assert "not alerted" not in done.stdout + done.stderr
    noted = json.loads((folder / ".drill" / "bisect.json").read_text())["proved"]
    assert sorted(each["code"] for each in noted.values()) == [0, 0, 1, 1]


def test_what_was_proved_is_remembered(folder: Path) -> None:
    """The same search goes on from there, and drills nothing twice."""
    done = bisect(folder)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "==== drill" not in done.stdout and done.stdout.count("drilled today") == 4

    newest = max(folder.glob("*.sql"))
    newest.write_bytes(newest.read_bytes().replace(b"artist 1", b"artist 7"))
    done = bisect(folder)
    assert "==== drill" in done.stdout and done.stdout.count("drilled today") == 3


def test_one_that_names_a_backup_is_refused(folder: Path) -> None:
    """A search needs all of a series."""
    done = bisect(folder, "--pick", "2")

    assert done.returncode == 4
    assert "--pick names a single backup, but a search needs a whole series" in done.stderr
