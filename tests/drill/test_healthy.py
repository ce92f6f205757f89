"""Healthy backups of every format and major version stay green."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg import sql

from restore_drill.backups.read import read_contents
from restore_drill.restore.restorers import restorer_of
from tests.helpers.drills import run_drill
from tests.helpers.restoring import backup_of, new_database
from tests.helpers.shop import (
    COMPRESSORS,
    ROWS,
    USUAL,
    Shops,
    fill_shop,
    majors,
    pg_dump,
    quiet,
    require_major,
)

ARCHIVES = ("custom.dump", "custom.dump.gz", "directory", "archive.tar")
DRILLED = ("plain.sql", "plain.sql.zst", *ARCHIVES)
COMPRESSED = [f"plain.sql.{suffix}" for suffix in COMPRESSORS]


@pytest.mark.parametrize(
    ("major", "form"),
    [*((USUAL, form) for form in DRILLED), (18, "directory")],
)
def test_every_format_passes(major: int, form: str, shops: Shops, report_dir: Path) -> None:
    """A healthy dump passes, into a server of its own major, with all its rows.

    restore/test_split.py restores every format, and `test_every_compression_is_restored` those.
    """
    require_major(major)
    path = shops.dump(major, form)
    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    assert drill.code == 0, drill.output
    assert drill.verdict == "passed"
    assert drill.result["target"]["server_version"].startswith(f"{major}.")
    assert {name: drill.result["tables"][name]["rows"] for name in ROWS} == ROWS


@pytest.mark.parametrize("form", COMPRESSED)
def test_every_compression_is_restored(form: str, shops: Shops, tmp_path: Path) -> None:
    """A dump in each is recognised, read to its end and restored with all its rows."""
    backup = backup_of(shops.dump(USUAL, form))
    contents = read_contents(backup, tmp_path, quiet)
    target = new_database(shops, USUAL, None, "UTF8")

    done = restorer_of(backup).restore(target, backup, contents, 2, quiet)

    assert backup.compression and not done.errors and not contents.faults
    with target.connect() as connection:
        for name, rows in ROWS.items():
            table = sql.Identifier(*name.split(".", 1))
            count = sql.SQL("SELECT count(*) FROM {}").format(table)
            assert connection.execute(count).fetchone() == (rows,), name


@pytest.mark.parametrize(
    ("major", "form"),
    [
        *((major, "plain.sql") for major in (14, 16, 17, 18)),
        (14, "custom.dump"),
        (18, "custom.dump"),
    ],
)
def test_every_major_passes(major: int, form: str, shops: Shops, report_dir: Path) -> None:
    """Dumps of the other supported majors pass too."""
    path = shops.dump(major, form)
    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    assert drill.code == 0, drill.output
    assert drill.result["backup"]["source_version"].startswith(f"{major}.")
    assert drill.result["target"]["server_version"].startswith(f"{major}.")


def test_only_backup_path_is_needed(shops: Shops, tmp_path: Path, report_dir: Path) -> None:
    """A dump of one's own is drilled by only setting BACKUP_PATH."""
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "mine.dump").write_bytes(shops.dump(USUAL, "custom.dump").read_bytes())

    drill = run_drill(report_dir=report_dir, BACKUP_PATH=str(tmp_path))

    assert drill.code == 0, drill.output
    assert drill.result["sample"] is False
    assert drill.result["backup"]["path"].endswith("/db/mine.dump")
    assert drill.result["backup"]["taken_at_source"] == "the dump itself"


def test_sample_shop_passes_and_says_so(report_dir: Path) -> None:
    """With nothing configured the sample shop is drilled, and everything says that it is one."""
    drill = run_drill(report_dir=report_dir)

    assert drill.code == 0, drill.output
    assert drill.result["sample"] is True
    assert "drilling the sample shop" in drill.output
    cards = drill.result["tables"]["public.cards"]
    assert cards["rows"] == 1000
    assert 1000 * 24 < cards["bytes"] < 10**6


def test_seed_steps_come_in_order(report_dir: Path) -> None:
    """The guide's step lines appear in the user's order."""
    drill = run_drill("--sample-rows=50", report_dir=report_dir)

    wanted = [
        "RESTORE DRILL START",
        "Environment validated",
        "Step 1: Selecting latest backup",
        "Step 2: Creating safety snapshot",
        "Step 3: Testing database connectivity",
        "Step 4: Recreating database schema",
        "Step 5: Restoring database",
        "Step 6: Verifying data integrity",
        "Cards: 50",
        "Step 7: Checking Redis connectivity",
        "Step 8: Final system checks",
        "RESTORE DRILL SAMPLE",
        "Backup used:",
        "Duration:",
    ]
    places = [drill.output.find(line) for line in wanted]
    assert -1 not in places, drill.output
    assert places == sorted(places)


EMPTY_PARTITIONED = """
CREATE TABLE later (id integer, v text) PARTITION BY RANGE (id);
CREATE INDEX later_v ON later (v);
CREATE INDEX later_only ON ONLY later (id);
CREATE TABLE keyed (id integer PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE filled (id integer, v text) PARTITION BY RANGE (id);
CREATE TABLE filled_1 PARTITION OF filled FOR VALUES FROM (1) TO (9) PARTITION BY RANGE (v);
CREATE INDEX filled_v ON filled (id);
"""


@pytest.mark.parametrize("major", majors(14, 18))
def test_indexes_of_tables_without_partitions_are_valid(
    major: int, shops: Shops, tmp_path: Path, report_dir: Path
) -> None:
    """pg_dump writes CREATE INDEX ON ONLY for them, and what it makes is as valid as it was."""
    source = shops.database(major, "without_partitions")
    fill_shop(source, f"{EMPTY_PARTITIONED}CREATE TABLE t AS SELECT 1 AS id;")
    path = pg_dump(source, tmp_path / "partitioned.sql")

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    assert "CREATE INDEX later_v ON ONLY public.later" in path.read_text()
    assert drill.code == 0, drill.output
