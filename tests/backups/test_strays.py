"""Plain dumps that have messages of pg_dump, or a CR before each line end, in them."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest

from restore_drill.backups.plaindump.contents import Reader
from restore_drill.backups.plaindump.lexer import PlainReader
from tests.helpers.drills import run_drill
from tests.helpers.shop import Shops, fill_shop, pg_dump

SOURCE = r"""
CREATE TABLE notes (id integer PRIMARY KEY, text text);
INSERT INTO notes SELECT n, 'note ' || n FROM generate_series(1, 30) n;
INSERT INTO notes VALUES (31, E'with\r\nCRLF'), (32, 'pg_dump: warning: kept as it is');
CREATE TABLE log (line text);
INSERT INTO log VALUES ('pg_dump: error: a line of a log'), ('fine');
"""
LINES = "CREATE FUNCTION two() RETURNS integer LANGUAGE sql AS 'SELECT\n2'"


@pytest.fixture(scope="module")
def dumps(shops: Shops, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Healthy dumps: of rows, of a function of two lines too, and of INSERTs."""
    folder = tmp_path_factory.mktemp("strays")
    source = shops.database(15, "strays")
    fill_shop(source, SOURCE)
    rows = pg_dump(source, folder / "rows.sql").read_bytes()
    inserts = pg_dump(source, folder / "inserts.sql", "--inserts").read_bytes()
    fill_shop(source, LINES)
    lines = pg_dump(source, folder / "lines.sql").read_bytes()
    return {"rows": rows, "lines": lines, "inserts": inserts}


def faults(dump: bytes) -> list[str]:
    """Faults that a reading of `dump` finds."""
    reader = Reader()
    reader.read(PlainReader(BytesIO(dump)).events())
    reader.check_end()
    return reader.faults


def test_healthy_dumps_have_no_strays(dumps: dict[str, bytes]) -> None:
    """Rows and values that look like messages, and CRLF in a value, are the source's own."""
    assert [faults(dump) for dump in dumps.values()] == [[], [], []]


@pytest.mark.parametrize(("name", "altered"), [("rows", 0), ("lines", 1), ("inserts", 1)])
def test_translated_line_ends_are_reported_where_they_alter(
    name: str, altered: int, dumps: dict[str, bytes]
) -> None:
    """Rows of a COPY come back as they were; a text of several lines would not."""
    dump = dumps[name].replace(b"\n", b"\r\n")

    found = faults(dump)

    assert len(found) == altered
    assert all(
        "end with CRLF" in each and "1 text of several lines" in each and "dos2unix" in each
        for each in found
    )
    assert faults(dump.replace(b"\r\n", b"\n")) == []


def test_long_rows_are_not_taken_for_messages() -> None:
    """A row that comes in pieces says what it likes; so does the one behind it."""
    long = b"2\tpg_dump: " + b"x" * 3_000_000 + b"\tpg_dump: b"
    rows = [b"1\ta\tb", long, b"3\tpg_dump: a\tb", b"4\ta\tb"]
    for each in (rows, [long, *rows[2:]]):
        dump = b"COPY t (a, b, c) FROM stdin;\n" + b"\n".join(each) + b"\n\\.\n"
        reader = Reader()
        reader.read(PlainReader(BytesIO(dump)).events())
        assert reader.strays.messages == []


MESSAGE = b'pg_dump: dumping contents of table "public.notes"\n'
PLACES = {
    "between statements": (rb"\n(?=CREATE TABLE public.notes)", "at line"),
    "in a statement": (rb"CREATE TABLE public.notes \(\n", "in the statement at line"),
    "between rows": (rb"\n5\tnote 5\n", "among the rows of public.notes"),
    "in the first field": (rb"\n1(?=7\tnote)", "among the rows of public.notes"),
    "in the last field": (rb"\n17\tno(?=te)", "among the rows of public.notes"),
    "before a tab": (rb"\n17(?=\tnote)", "among the rows of public.notes"),
}


@pytest.mark.parametrize("place", PLACES)
def test_messages_are_found_wherever_they_are(place: str, dumps: dict[str, bytes]) -> None:
    """What a job with 2>&1 mixes into a dump is one fault with its remedy."""
    pattern, where = PLACES[place]
    dump, number = re.subn(pattern, lambda found: found[0] + MESSAGE, dumps["rows"], count=1)
    assert number == 1

    (fault,) = faults(dump)

    assert f"it contains 1 line of pg_dump's messages, the first {where}" in fault
    assert "2>&1" in fault and "2> backup.log" in fault


@pytest.mark.parametrize("kind", ["crlf", "crlf that alters", "messages"])
def test_whole_drill_blames_the_way_not_the_data(
    kind: str, dumps: dict[str, bytes], tmp_path: Path
) -> None:
    """One finding with the remedy, or green where every row is as it was."""
    path = tmp_path / "strays.sql"
    path.write_bytes(
        {
            "crlf": dumps["rows"].replace(b"\n", b"\r\n"),
            "crlf that alters": dumps["inserts"].replace(b"\n", b"\r\n"),
            "messages": dumps["rows"].replace(b"\n17\t", b"\n1" + MESSAGE + b"7\t"),
        }[kind]
    )

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=tmp_path / "report")

    if kind == "crlf":
        assert drill.code == 0, drill.output
        assert "Its lines end with CRLF: no data was changed" in drill.output
    else:
        assert set(drill.failed) == {"test_backup_is_complete"}, drill.output
        (message,) = drill.failed.values()
        assert ("dos2unix" if "crlf" in kind else "2> backup.log") in message
