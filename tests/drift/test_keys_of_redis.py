"""Keys of Redis against those of the last passed drill of the same series."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from restore_drill.backups.model import Backup
from restore_drill.config.criteria import load_criteria
from restore_drill.config.criteria.key_tolerance import KeyTolerance
from restore_drill.config.settings import Settings, settings_from
from restore_drill.core.errors import UsageError
from restore_drill.drift.keys import (
    ALL,
    LASTING,
    Held,
    fallen,
    gone,
    held_of,
    keep_keys,
    read_before,
)
from restore_drill.redis.backup.model import FileFacts, Keys
from restore_drill.redis.census.model import Census, Count
from tests.helpers.drills import ROOT

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
WAS = {0: {"hash": 1000, "list": 2}, 3: {"string": 10}}


@pytest.mark.parametrize(
    ("now", "tolerance", "lines"),
    [
        (WAS, KeyTolerance(), []),
        ({0: {"hash": 500, "list": 1}, 3: {"string": 99}}, KeyTolerance(), []),
        (
            {0: {"hash": 499, "list": 2}},
            KeyTolerance(),
            [
                "database 0, hash: 499 keys, 1,000 in the last passed drill; at least 500 required",
                "database 3, string: 0 keys, 10 in the last passed drill; at least 5 required",
            ],
        ),
        (
            {0: {"hash": 899}, 3: {"string": 1}},
            KeyTolerance(0.1, {"list": 1.0, "3 string": 0.9, "string": 0.0}),
            ["database 0, hash: 899 keys, 1,000 in the last passed drill; at least 900 required"],
        ),
    ],
)
def test_a_fall_is_told_by_database_and_type(
    now: dict[int, dict[str, int]], tolerance: KeyTolerance, lines: list[str]
) -> None:
    """With the numbers, and what is allowed."""
    assert list(fallen(WAS, now, tolerance)) == lines


def test_what_is_required_is_a_whole_number_of_keys() -> None:
    """Of one key the half is one: `at least 0 required` helps nobody."""
    (line,) = fallen({15: {"string": 1}}, {}, KeyTolerance())
    assert line.endswith("at least 1 required")


KEPT = Held(ALL, {0: {"hash": 100, "stream": 2}}, {0: {"hash": 10, "stream": 2}}, 3, 4)
"""Ninety of a hundred hashes expire."""


@pytest.mark.parametrize(
    ("now", "lines"),
    [
        (KEPT, []),
        (
            KEPT._replace(lasting={0: {"hash": 100, "stream": 2}}),
            ["database 0, hash: no key has a TTL, 90 had one in the last passed drill"],
        ),
        (KEPT._replace(lasting={0: {"hash": 99, "stream": 2}}), []),
        (Held(ALL, {0: {"hash": 12}}, {0: {"hash": 12}}, 3, 4), []),  # they have expired
        (Held(LASTING, {0: {"hash": 100}}), []),  # which says nothing of TTLs
        (
            KEPT._replace(functions=0, groups=0),
            [
                "there is no library of functions, 3 in the last passed drill",
                "no stream has a consumer group, 4 in the last passed drill",
            ],
        ),
        (Held(ALL, {0: {"hash": 100}}, {0: {"hash": 10}}, 3, 0), []),  # nor is there a stream
    ],
)
def test_what_no_key_has_any_more_is_told(now: Held, lines: list[str]) -> None:
    """The TTLs of a type, functions, consumer groups: all of them, and not what came and went."""
    assert list(gone(KEPT, now)) == lines


def settings_for(folder: Path) -> Settings:
    """Settings of a drill of the backups in `folder`."""
    return replace(settings_from({}, here=folder, root=ROOT), backup_path=folder)


def backup_of(folder: Path, day: int) -> Backup:
    """A backup of Redis of that day."""
    path = folder / "redis" / f"dump_202611{day:02}_050000.rdb"
    return Backup(path, "RDB", "", 1, NOW.replace(day=day), "its name")


def test_the_last_passed_drill_is_remembered(tmp_path: Path) -> None:
    """For its series alone; an older backup neither replaces it nor is compared with it."""
    settings = settings_for(tmp_path)
    found, why = read_before(settings, backup_of(tmp_path, 20))
    assert found is None and "has passed before" in why
    keep_keys(settings, backup_of(tmp_path, 20), NOW, Held(ALL, WAS))
    found, why = read_before(settings, backup_of(tmp_path, 21))
    assert found is not None and not why
    assert (found.held, found.name) == (
        Held(ALL, WAS), "the drill of 2026-11-29 (dump_20261120_050000.rdb)",
    )  # fmt: skip
    keep_keys(settings, backup_of(tmp_path, 20), NOW, KEPT)
    found, _ = read_before(settings, backup_of(tmp_path, 20))
    assert found is not None and found.held == KEPT
    keep_keys(settings, backup_of(tmp_path, 19), NOW + timedelta(1), Held(ALL, {}))
    found, why = read_before(settings, backup_of(tmp_path, 19))
    assert found is None and "used a later backup" in why
    other = replace(backup_of(tmp_path, 21), path=tmp_path / "redis" / "queue.rdb")
    assert read_before(settings, other)[0] is None


def test_a_torn_state_is_told_and_kept(tmp_path: Path) -> None:
    """It is none that a drill would compare with, or write over."""
    settings, backup = settings_for(tmp_path), backup_of(tmp_path, 20)
    keep_keys(settings, backup, NOW, Held(ALL, WAS))
    (path,) = tmp_path.rglob("redis.json")
    path.write_text(path.read_text().replace('"hash"', "7, "))
    assert "is damaged" in read_before(settings, backup)[1]
    before = path.read_text()
    keep_keys(settings, backup, NOW, Held(ALL, {}))
    assert path.read_text() == before


def test_what_has_expired_counts_where_the_file_says_so() -> None:
    """Else keys with a TTL are left out: they run out in a backup too."""
    census = Census(NOW, NOW, {0: {"hash": Count(10, 4), "string": Count(5, 5)}})
    assert held_of(FileFacts("AOF"), census) == Held(LASTING, {0: {"hash": 6}})
    file = FileFacts("RDB", types={0: {"hash": Keys(12, 6, 2)}})
    census.groups.count, census.passing = 2, 1
    assert held_of(file, census) == Held(ALL, {0: {"hash": 12}}, {0: {"hash": 6}}, None, 3)


def test_the_tolerance_is_read_and_checked(tmp_path: Path) -> None:
    """A type that there is not would be a limit of nothing."""
    path = tmp_path / "criteria.toml"
    path.write_text('[redis.tolerance]\nmax_shrink = 0.2\ntypes = { list = 1.0, "3 hash" = 0.1 }\n')
    found = load_criteria(path).redis_tolerance
    assert [found.shrink_of(*each) for each in ((0, "hash"), (3, "hash"), (7, "list"))] == [
        0.2, 0.1, 1.0,
    ]  # fmt: skip
    path.write_text("[redis.tolerance]\ntypes = { lists = 1.0 }\n")
    with pytest.raises(UsageError, match="'lists' is not a type of Redis keys"):
        load_criteria(path)
    path.write_text("[redis.tolerance]\nmax_shrink = 2\n")
    with pytest.raises(UsageError, match="must be a share"):
        load_criteria(path)
