"""Statements of a dump that may change rows and that no pg_dump writes are reported."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from restore_drill.backups.plaindump.contents import Reader
from restore_drill.backups.plaindump.lexer import PlainReader
from tests.helpers.drills import run_drill
from tests.helpers.shop import FORMATS, Shops

EVIL = """
UPDATE public.artists
    SET name = 'evil';
/* of a hand */ DELETE FROM public.cards WHERE false;
DO $$ BEGIN PERFORM 1; END $$;
SELECT public.evil();
CALL public.evil();
"""


def changes(dump: bytes) -> str:
    """What a reading of `dump` finds."""
    reader = Reader()
    reader.read(PlainReader(BytesIO(dump)).events())
    return reader.contents().changes


@pytest.mark.parametrize("form", [form for form in FORMATS if form.endswith(".sql")])
def test_dumps_of_pg_dump_have_none(form: str, shops: Shops) -> None:
    """Settings, sequences, large objects and rows are pg_dump's own."""
    assert changes(shops.dump(15, form).read_bytes()) == ""


def test_they_are_counted_and_the_first_named() -> None:
    """By their first words and lines, never by their text."""
    assert changes(EVIL.encode()) == (
        "5 statements that no pg_dump writes: "
        "UPDATE at line 2, DELETE at line 4, DO at line 5, 2 more"
    )
    assert changes(b"INSERT INTO t VALUES (1);\n(SELECT f());\n") == (
        "1 statement that no pg_dump writes: a query at line 2"
    )
    dropped = "UPDATE pg_catalog.pg_database SET datistemplate = false WHERE datname = 'shop';\n"
    assert changes(dropped.encode()) == ""


def test_drill_without_a_manifest_reports_them(
    shops: Shops, tmp_path: Path, report_dir: Path
) -> None:
    """The rows come back in their number, and other than they were: nothing else would show it."""
    dump = shops.dump(15, "plain.sql").read_text(encoding="utf-8")
    path = tmp_path / "shop.sql"
    rows, end = dump.split("--\n-- PostgreSQL database dump complete")
    changed = f"{rows}UPDATE public.artists SET name = name || 'evil';\n\n"
    path.write_text(f"{changed}--\n-- PostgreSQL database dump complete{end}", encoding="utf-8")
    line = rows.count("\n") + 1

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    assert drill.code == 0, drill.output
    assert f"1 statement that no pg_dump writes: UPDATE at line {line:,}" in drill.output
    assert "rows may differ from the source" in drill.output
    assert "evil" not in drill.output
