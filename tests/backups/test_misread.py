"""Routines behind which psql reads on: told for the dumps that it cannot restore, and no others."""

from __future__ import annotations

import subprocess
from io import BytesIO
from pathlib import Path

import pytest

from restore_drill.backups.plaindump.contents import Reader
from restore_drill.backups.plaindump.lexer import PlainReader
from tests.helpers.drills import run_drill
from tests.helpers.shop import Shops, fill_shop, pg_dump

ROUTINES = {
    'FUNCTION public."begin"() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$': True,
    "FUNCTION spans.late() RETURNS spans.begin LANGUAGE sql AS $$ SELECT (1, 2)::spans.begin $$":
        True,
    "FUNCTION public.f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT begin FROM spans.begin; END":
        True,
    'PROCEDURE public."Begin"("begin" int) LANGUAGE sql AS $$ SELECT 1 $$': False,
    "FUNCTION public.g(a int) RETURNS int LANGUAGE sql"
    " BEGIN ATOMIC SELECT CASE WHEN a > 0 THEN 1 ELSE 2 END; SELECT (CASE a WHEN 1 THEN 2 END);"
    " END": False,
    "FUNCTION public.h() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$": False,
    "FUNCTION public.i(a int DEFAULT 1) RETURNS text LANGUAGE sql SET search_path = begin"
    " AS 'SELECT $$begin$$'": False,
}  # fmt: skip
"""Whether psql reads on behind one, as pg_dump writes it."""


def misread(dump: bytes) -> tuple[str, ...]:
    """What a reading of `dump` finds."""
    reader = Reader()
    reader.read(PlainReader(BytesIO(dump)).events())
    return reader.contents().misread


@pytest.mark.parametrize("routine", ROUTINES)
def test_it_is_told_where_psql_fails(routine: str, shops: Shops, tmp_path: Path) -> None:
    """By the tool itself: it restores the rows, or not."""
    name = f"misread_{[*ROUTINES].index(routine)}"
    source, copy = shops.database(15, name), shops.database(15, f"{name}_copy")
    fill_shop(
        source,
        "CREATE SCHEMA spans; CREATE TYPE spans.whole AS (a int, b int);"
        'CREATE TABLE spans."begin" ("begin" int, b int); CREATE TABLE t AS SELECT 1 AS n;',
    )
    fill_shop(source, f"CREATE {routine}")
    dump = pg_dump(source, tmp_path / "shop.sql")

    subprocess.run(
        [copy.binaries.tool("psql"), "--no-psqlrc", "--quiet", f"--file={dump}"],
        env=copy.tool_environment, check=False, capture_output=True,
    )  # fmt: skip
    with copy.connect() as connection:
        there = connection.execute("SELECT to_regclass('public.t')").fetchall() == [("t",)]

    assert there is not ROUTINES[routine]
    assert bool(misread(dump.read_bytes())) is ROUTINES[routine]


def test_drill_warns_of_a_plain_dump_and_says_what_to_do(
    shops: Shops, tmp_path: Path, report_dir: Path
) -> None:
    """It restores it all the same; pg_restore reads an archive by its entries."""
    source = shops.database(15, "misread_drilled")
    fill_shop(source, "CREATE TABLE t AS SELECT 1 AS n")
    fill_shop(source, f"CREATE {next(iter(ROUTINES))}")
    plain = pg_dump(source, tmp_path / "shop.sql")
    custom = pg_dump(source, tmp_path / "shop.dump", "--format=custom")
    asked = ("-k", "came_back or restore_has")

    warned = run_drill(f"--backup={plain}", *asked, report_dir=report_dir)
    silent = run_drill(f"--backup={custom}", *asked, report_dir=report_dir)

    assert (warned.code, silent.code) == (0, 0), warned.output
    line = plain.read_text().split("CREATE FUNCTION")[0].count("\n") + 1
    assert "psql cannot restore this dump" in warned.output
    assert f"function public.begin (line {line})" in warned.output
    assert "--quote-all-identifiers" in warned.output
    assert "psql cannot" not in silent.output
