"""The reader of plain dumps: psql's rules, any chunking, and no crash on any damage."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restore_drill.backups.plaindump import lines
from restore_drill.backups.plaindump.contents import Reader
from restore_drill.backups.plaindump.events import (
    Comment,
    CopyData,
    CopyEnd,
    Cut,
    Event,
    MetaCommand,
    Statement,
)
from restore_drill.backups.plaindump.lexer import PlainReader
from tests.helpers.shop import Shops


def events_of(dump: bytes) -> list[Event]:
    """All events of `dump`."""
    return list(PlainReader(io.BytesIO(dump)).events())


def statements_of(dump: bytes) -> list[bytes]:
    """SQL of all statements of `dump`."""
    return [event.sql for event in events_of(dump) if isinstance(event, Statement)]


SINGLE = [
    b"SELECT 'a;b';",
    b"SELECT 'it''s; \\';",
    b"SELECT E'\\'; -- ';",
    b"SELECT E'it''s \\'; -- \\\\''' || ';';",
    b'SELECT ";" FROM "a;""b";',
    b"SELECT $$ ; ' $$;",
    b"SELECT $a$ ; $$ ; $b$ $a$;",
    b"SELECT a$b$c FROM t WHERE x = 'y';",
    b"SELECT 1 /* ; /* ; */ ; */;",
    b"SELECT 1 -- ; '\n + 2;",
    b"CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);",
    b"CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN a THEN 1 END; END;",
    b"CREATE FUNCTION public.begin() RETURNS int LANGUAGE sql RETURN CASE WHEN a THEN 1 END;",
    b"CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC INSERT INTO t VALUES (1); END;",
    b"INSERT INTO t VALUES ('begin; end', 'case');",
]


@pytest.mark.parametrize("sql", SINGLE)
def test_statement_is_one(sql: bytes) -> None:
    """Quotes, comments, rules and SQL-standard bodies hide their semicolons."""
    assert statements_of(b"SET a = b;\n" + sql + b"\nSET c = d;\n") == [
        b"SET a = b;",
        sql,
        b"SET c = d;",
    ]


def test_block_comment_between_statements_belongs_to_none() -> None:
    """Neither one before a COPY, whose rows follow all the same, nor one behind the last."""
    dump = (
        b"/* a; /* \\! */ */\nCOPY t (a) FROM stdin;\n1\n\\.\n"
        b"  /* moved: line\ntwo */ SELECT 1;\n/* end */"
    )

    events = events_of(dump)

    assert [event.line for event in events if isinstance(event, Statement)] == [2, 6]
    assert [event.data for event in events if isinstance(event, CopyData)] == [b"1\n"]
    assert not [event for event in events if isinstance(event, Cut | MetaCommand)]


def test_copy_data_is_taken_whole() -> None:
    """COPY data ends at its end line alone, and its rows keep every byte."""
    events = events_of(
        b"COPY t (a) FROM stdin;\n\\\\.\n1;'\n\\.\nSELECT 1;\nCOPY e FROM stdin;\n\\.\n"
    )

    data = b"".join(event.data for event in events if isinstance(event, CopyData))
    assert data == b"\\\\.\n1;'\n"
    assert [event.line for event in events if isinstance(event, CopyEnd)] == [4, 7]
    assert [event.line for event in events if isinstance(event, Statement)] == [1, 5, 6]


def test_old_strings_with_backslashes() -> None:
    """With standard_conforming_strings off a backslash escapes a quote."""
    dump = b"SET standard_conforming_strings = off;\nSELECT 'a\\';b';\nSELECT 2;\n"

    assert statements_of(dump)[1:] == [b"SELECT 'a\\';b';", b"SELECT 2;"]


@pytest.mark.parametrize(
    "dump", [b"\\! id\n", b"SELECT 1 \\! id\n;", b"SELECT 1; \\copy t from program 'id'\n"]
)
def test_meta_command_is_seen_wherever_psql_would_run_it(dump: bytes) -> None:
    """A backslash outside quotes is a meta-command, also behind or inside a statement."""
    assert any(isinstance(event, MetaCommand) for event in events_of(dump))
    reader = Reader()
    reader.read(PlainReader(io.BytesIO(dump)).events())
    assert "meta-command" in reader.faults[0]


@pytest.mark.parametrize(
    ("dump", "where"),
    [
        (b"COPY public.t FROM stdin;\n1\n2", "the COPY data"),
        (b"CREATE TABLE t (a int", "a statement that begins with CREATE TABLE"),
        (b"SELECT 'secret", "a quoted text or comment of a statement"),
        (b"SELECT $$ secret", "a quoted text or comment of a statement"),
        (b"SELECT /* secret", "a quoted text or comment of a statement"),
        (b"SELECT 1;\n/* secret", "a comment"),
    ],
)
def test_cut_is_noticed_and_shows_no_data(dump: bytes, where: str) -> None:
    """A stream that ends inside something says inside what, without its content."""
    last = events_of(dump)[-1]

    assert isinstance(last, Cut)
    assert last.where.startswith(where)
    assert "secret" not in last.where


@pytest.mark.parametrize("chunk", [1, 7, 64, 4096])
def test_chunks_make_no_difference(
    chunk: int, shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The events are the same however the stream is read."""
    dump = shops.dump(15, "plain.sql").read_bytes()
    whole = merged(events_of(dump))
    monkeypatch.setattr(lines, "CHUNK", chunk)

    assert merged(events_of(dump)) == whole


def merged(events: list[Event]) -> list[Event]:
    """Events with neighbouring COPY data joined."""
    joined: list[Event] = []
    for event in events:
        if isinstance(event, CopyData) and joined and isinstance(joined[-1], CopyData):
            joined[-1] = CopyData(joined[-1].data + event.data, joined[-1].rows + event.rows)
        else:
            joined.append(event)
    return joined


def test_nothing_of_a_dump_is_lost(shops: Shops) -> None:
    """Statements, data and comments together are the whole dump, blanks and bare -- aside."""
    dump = re.sub(rb"(?m)^--\n", b"", shops.dump(18, "plain.sql").read_bytes())
    pieces = []
    for event in events_of(dump):
        if isinstance(event, Statement):
            pieces.append(event.sql)
        elif isinstance(event, CopyData):
            pieces.append(event.data)
        elif isinstance(event, CopyEnd):
            pieces.append(b"\\.")
        elif isinstance(event, Comment):
            pieces.append(b"--" + event.text)
        elif isinstance(event, MetaCommand):
            pieces.append(event.text)
    assert re.sub(rb"\s", b"", b"".join(pieces)) == re.sub(rb"\s", b"", dump)


@pytest.mark.parametrize("form", ["plain.sql", "inserts.sql", "rows.sql"])
def test_rows_are_counted(form: str, shops: Shops) -> None:
    """The rows that lie in a dump are counted, as COPY data and as INSERTs."""
    reader = Reader()
    reader.read(PlainReader(io.BytesIO(shops.dump(15, form).read_bytes())).events())

    rows = reader.contents().counted
    assert rows["public.cards"] == 200
    assert rows["billing.Odd Name"] == 3
    assert rows["public.empty_table"] == 0


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_cut_is_noticed(data: st.DataObject, shops: Shops) -> None:
    """A dump cut anywhere before its end marker is never taken for whole."""
    dump = shops.dump(15, "plain.sql").read_bytes()
    end = dump.index(b"-- PostgreSQL database dump complete")
    place = data.draw(st.integers(min_value=0, max_value=end))
    reader = Reader()

    reader.read(PlainReader(io.BytesIO(dump[:place])).events())
    reader.check_end()

    # Before pg_dump's head there is nothing that says who wrote the file.
    assert reader.faults or (place < 200 and not reader.parts.current.rows)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_damage_crashes_the_reader(data: st.DataObject, shops: Shops) -> None:
    """Flipped, lost and added bytes are read without a crash."""
    dump = bytearray(shops.dump(15, "plain.sql").read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(dump) - 1))
        dump[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    reader = Reader()

    reader.read(PlainReader(io.BytesIO(bytes(dump))).events())
    reader.check_end()

    assert reader.contents().rows is not None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read(dump: bytes) -> None:
    """Whatever bytes a file holds, the reader comes to its end."""
    Reader().read(PlainReader(io.BytesIO(dump)).events())
