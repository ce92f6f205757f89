"""Rows that go through the root of their partition by position, into columns of another order."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from restore_drill.backups.plaindump.positions import columns_of
from restore_drill.backups.read import read_contents
from tests.helpers.drills import run_drill
from tests.helpers.restoring import backup_of
from tests.helpers.shop import Shops, fill_shop, pg_dump, quiet

SOURCE = """
CREATE TABLE "Root" (cost int, "price, net" int, at date) PARTITION BY LIST (at);
CREATE TABLE odd ("price, net" int, cost int, at date);
CREATE TABLE same (cost int, "price, net" int, at date);
ALTER TABLE "Root" ATTACH PARTITION odd FOR VALUES IN ('2026-01-01');
ALTER TABLE "Root" ATTACH PARTITION same FOR VALUES IN ('2026-01-02');
INSERT INTO "Root" SELECT 1, n, date '2026-01-01' + n % 2 FROM generate_series(1, 20) n;
"""
FAMILY = """
CREATE TABLE parent (a int);
CREATE TABLE child (b int) INHERITS (parent);
CREATE TABLE plain () INHERITS (parent);
ALTER TABLE parent ADD c int;
INSERT INTO child VALUES (1, 2, 3);
INSERT INTO plain VALUES (1, 2);
"""
THROUGH = "--load-via-partition-root"


def test_columns_are_read_in_their_order() -> None:
    """Not what stands among them, and nothing of their types."""
    sql = b"""CREATE TABLE public.t (
    a numeric(10,2) DEFAULT (1),
    "b, c" text,
    CONSTRAINT d CHECK ((a > 0)),
    e int
)
PARTITION BY RANGE (e);"""
    assert columns_of(sql) == [b"a", b'"b, c"', b"e"]
    assert columns_of(b"CREATE TABLE t OF public.typed;") == []


@pytest.mark.parametrize("archive", [(), ("--format=custom",)], ids=["plain", "archive"])
def test_values_in_wrong_columns_are_red(
    archive: tuple[str, ...], shops: Shops, tmp_path: Path, report_dir: Path
) -> None:
    """The server takes them without an error where the types are the same."""
    source = shops.database(15, f"positions_{len(archive)}")
    fill_shop(source, SOURCE)
    dump = pg_dump(source, tmp_path / "shop.dump", THROUGH, "--rows-per-insert=3", *archive)

    drill = run_drill(f"--backup={dump}", "-k", "complete", report_dir=report_dir)

    assert drill.code == 1, drill.output
    assert "the rows of public.odd are inserted into public.Root" in drill.output
    assert "--column-inserts" in drill.output
    assert "public.same are" not in drill.output


@pytest.mark.parametrize(
    "options",
    [(THROUGH,), (THROUGH, "--column-inserts"), ("--inserts",)],
    ids=["copy", "named", "not through the root"],
)
def test_other_forms_are_whole(options: tuple[str, ...], shops: Shops, tmp_path: Path) -> None:
    """COPY names its columns, as do INSERTs that are asked to; a partition has its own order."""
    source = shops.database(15, f"positions_of_{options[-1].strip('-').replace('-', '_')}")
    fill_shop(source, SOURCE)
    dump = pg_dump(source, tmp_path / "shop.sql", *options)
    assert read_contents(backup_of(dump), tmp_path, quiet).faults == ()


def test_a_table_that_inherits_is_told(shops: Shops, tmp_path: Path, report_dir: Path) -> None:
    """Nobody can say of the dump which order its values are in; named, they are."""
    source = shops.database(15, "positions_family")
    fill_shop(source, FAMILY)
    dump = pg_dump(source, tmp_path / "shop.sql", "--inserts")
    named = pg_dump(source, tmp_path / "named.sql", "--column-inserts")

    drill = run_drill(f"--backup={dump}", "-k", "complete", report_dir=report_dir)

    assert drill.code == 0, drill.output
    what = "whether values stand in their columns: public.child (it inherits"
    assert what in " ".join(drill.output.split())
    assert read_contents(backup_of(dump), tmp_path, quiet).unsure == ("public.child",)
    assert read_contents(backup_of(named), tmp_path, quiet).unsure == ()


@pytest.mark.parametrize(
    ("script", "table", "options"),
    [(SOURCE, '"Root"', (THROUGH,)), (FAMILY, "child", ())],
    ids=["partition", "inherits"],
)
def test_psql_is_silent_on_it(
    script: str, table: str, options: tuple[str, ...], shops: Shops, tmp_path: Path
) -> None:
    """What would otherwise be green: no error, all rows, and other values."""
    names = (f"positions_psql_{len(options)}{each}" for each in "ab")
    source, copy = (shops.database(15, name) for name in names)
    fill_shop(source, script)
    dump = pg_dump(source, tmp_path / "shop.sql", *options, "--inserts")
    tool = [source.binaries.tool("psql"), "--quiet", "--set=ON_ERROR_STOP=1", f"--file={dump}"]
    subprocess.run(tool, env=copy.tool_environment, check=True, capture_output=True)
    column = "cost" if options else "c"
    total = f"SELECT count(*), sum({column}) FROM {table}"
    with source.connect() as was, copy.connect() as now:
        before, after = (each.execute(total.encode()).fetchall()[0] for each in (was, now))
    assert before[0] == after[0] > 0 and after[1] != before[1]
