"""Parts of a dump: which can be restored by themselves, and what is reported of the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from restore_drill.backups.model import Contents, Entry, Head
from restore_drill.backups.read import read_contents
from restore_drill.backups.sections import part_alone, without_keys, without_rows
from restore_drill.selection.candidate import as_backup, look_at
from tests.helpers.drills import run_drill
from tests.helpers.shop import Shops, pg_dump, quiet

ROWS, KEYS = "only rows, without their tables", "only indexes, keys and triggers"
WITHOUT_KEYS = ("--section=pre-data", "--section=data")
PARTS = {
    ("--data-only",): ROWS,
    ("--data-only", "--inserts"): ROWS,
    ("--data-only", "--table=public.cards"): ROWS,
    ("--section=data",): ROWS,
    ("--section=post-data",): KEYS,
    ("--section=data", "--section=post-data"): "rows, indexes and keys without their tables",
    ("--section=pre-data",): "",
    WITHOUT_KEYS: "",
    ("--schema-only",): "",
    ("--table=public.cards",): "",
    (): "",
}


@pytest.mark.parametrize("form", ["plain", "custom"])
def test_parts_of_a_dump_are_known(form: str, shops: Shops, tmp_path: Path) -> None:
    """By the table of contents, in text and in archives; a whole dump is none of them."""
    for number, (options, expected) in enumerate(PARTS.items()):
        path = pg_dump(shops.source(15), tmp_path / f"{number}.{form}", f"-F{form[0]}", *options)
        contents = read_contents(as_backup(look_at(path, UTC)), tmp_path, quiet)
        found = part_alone(contents)
        assert found.startswith(expected) and bool(found) is bool(expected), options
        no_rows = {"--schema-only", "--section=pre-data"} & set(options)
        assert bool(without_rows(contents)) is (bool(no_rows) and "--section=data" not in options)
        assert bool(without_keys(contents)) is (options == WITHOUT_KEYS)


def test_statistics_alone_are_a_part() -> None:
    """As pg_dump 18 writes them with --statistics-only: beside tables they are no part."""
    entries = (Entry("STATISTICS DATA", "public", "cards", ""),)
    alone = Contents("", Head(), entries=entries)
    beside = replace(alone, entries=(*entries, Entry("TABLE", "public", "cards", "postgres")))

    assert part_alone(alone) == "only statistics (--statistics-only)"
    assert part_alone(beside) == ""


def test_rows_alone_are_one_finding(shops: Shops, tmp_path: Path, report_dir: Path) -> None:
    """Nothing is restored; the one message says what the dump lacks, and the remedy."""
    path = pg_dump(shops.source(15), tmp_path / "backup.sql", "--data-only")

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    assert drill.code == 1, drill.output
    assert set(drill.failed) == {"test_restore_has_no_errors"}
    message = drill.failed["test_restore_has_no_errors"]
    assert f"backup.sql cannot be restored by itself: it holds {ROWS} (--data-only" in message
    assert "1. take a backup of the whole database: pg_dump --format=custom" in message
    assert "its table of contents: " in message and "TABLE DATA public.cards" in message
    assert "Restoring database" not in drill.output


def test_structure_alone_is_named_before_the_restore(
    shops: Shops, tmp_path: Path, report_dir: Path
) -> None:
    """A dump without rows is read, and said to hold none, before anything else."""
    path = pg_dump(shops.source(15), tmp_path / "backup.sql", "--section=pre-data")

    drill = run_drill(f"--backup={path}", "-m", "select", report_dir=report_dir)

    assert "The backup holds no rows (--schema-only, or --section=pre-data)" in drill.output


def test_rows_without_keys_are_not_passed_over(
    shops: Shops, tmp_path: Path, report_dir: Path
) -> None:
    """Nobody knows whether the source has any: it stands under what was not checked."""
    path = pg_dump(shops.source(15), tmp_path / "backup.sql", *WITHOUT_KEYS)

    drill = run_drill(f"--backup={path}", "-m", "select", report_dir=report_dir)

    assert "Not checked: whether indexes, keys and triggers came back" in drill.output
    assert "was it taken with --section?" in drill.output


def test_a_cut_backup_is_not_called_one_without_keys_or_rows() -> None:
    """What it has lost may be just that: nothing is known of the options it was taken with."""
    tables = tuple(Entry("TABLE", "public", name, "") for name in "ab")
    rows = (*tables, Entry("TABLE DATA", "public", "a", ""))

    for entries, asked in ((rows, without_keys), (tables, without_rows)):
        whole = Contents("", Head(), entries=entries)
        assert asked(whole)
        assert not asked(replace(whole, faults=("it ends inside COPY",)))
