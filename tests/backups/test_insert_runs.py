"""INSERTs read in whole runs are the very statements and rows that psql's rules find."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restore_drill.backups.plaindump import insert_reader, lines, runs
from restore_drill.backups.plaindump.contents import Reader
from restore_drill.backups.plaindump.events import Cut, Event, Inserts, Statement
from restore_drill.backups.plaindump.lexer import PlainReader
from tests.helpers.shop import Shops


class Read(NamedTuple):
    """What a reader makes of a dump: its events in whole statements, and what is in it."""

    events: list[Event]
    rows: dict[str, int]
    faults: tuple[str, ...]


def read(dump: bytes, *, in_runs: bool) -> Read:
    """Read `dump`, in runs or statement by statement."""
    events = list(PlainReader(io.BytesIO(dump), in_runs=in_runs).events())
    reader = Reader()
    reader.read(iter(events))
    reader.check_end()
    contents = reader.contents()
    return Read(list(singly(events)), dict(contents.counted), contents.faults)


def singly(events: list[Event]) -> Iterator[Event]:
    """Each run as the statements that psql's rules find in it; what no statement ends is left."""
    data, line, rows = b"", 0, 0
    for event in events:
        if not isinstance(event, Inserts):
            yield event
            continue
        data, line, rows = (data, line, rows) if event.is_rest else (b"", event.line, 0)
        data, rows = data + event.data, rows + event.rows
        if event.statements:
            found = list(PlainReader(io.BytesIO(data)).events())
            statements = [each for each in found if isinstance(each, Statement)]
            assert statements == found
            columns = event.head.count(b"(") - 1
            assert sum(each.groups - columns for each in statements) == rows
            yield from (each._replace(line=each.line + line - 1) for each in statements)


def assert_same(dump: bytes) -> Read:
    """Assert that both ways read `dump` alike; what the quick one finds."""
    quick = read(dump, in_runs=True)
    assert quick == read(dump, in_runs=False)
    return quick


VALUES = st.sampled_from(
    [
        b"1", b"-5", b"1.5e+10", b"NULL", b"true", b"DEFAULT", b"B'01'", b"X'1f'", b"''", b"'a'",
        b"'it''s'", b"''''", b"'a\\'", b"'\\\\'", b"E'\\\\'", b"E'a\\'b'", b"e'\\n'", b"'a\nb'",
        b"'a\r\nb'", b"');\n'", b"'),\n\t('", b"'x DEFAULT VALUES'", b"'-- no'", b"'$$'",
        b"'\xe2\x82\xac'", b"'\x95\\'", b"U&'\\0041'", b"N'a'",
        b"'INSERT INTO public.t VALUES (1);\nINSERT INTO public.t VALUES ('",
        # No pg_dump writes these.
        b"(1)", b"f(1)", b"--'\n1", b"/* ' */ 1", b"$$'$$", b"$a$;$a$", b'"a"', b"1\n", b"a;b",
        b"'", b"a$b$c", b"E'", b"1 - -1", b"pg_dump: 'a'", b"\\x\n", b"(", b")", b"'a'\n'b'",
        b"begin",
    ]
)  # fmt: skip
ROWS = st.lists(VALUES, min_size=1, max_size=4).map(b", ".join)
HEADS = st.sampled_from(
    [
        b"INSERT INTO public.t VALUES", b"INSERT INTO public.t (id, \"a'b\") VALUES",
        b'INSERT INTO public.t (a, "b;") VALUES',
        b"INSERT INTO public.u OVERRIDING SYSTEM VALUE VALUES",
        b'INSERT INTO "s -- s".t VALUES', b"insert into t values",
    ]
)  # fmt: skip
ENDS = st.sampled_from([b";\n"] * 6 + [b" ON CONFLICT DO NOTHING;\n", b";", b";\r\n", b" ;\n", b""])
BETWEEN = st.sampled_from(
    [b""] * 8
    + [
        b"\n\n--\n-- Name: it's; Type: TABLE; Schema: public; Owner: o\n--\n\n", b"SELECT 1;\n",
        b"SET standard_conforming_strings = off;\n", b"SET standard_conforming_strings = on;\n",
        b"\\x\n", b"-- '\n", b"/* ' */\n", b"\n",
    ]
)  # fmt: skip


@st.composite
def inserts(draw: st.DrawFn) -> bytes:
    """Statements of one or of several rows, most of them with one head and one end."""
    head, end = draw(HEADS), draw(ENDS)
    many = draw(st.booleans())
    found = []
    for _ in range(draw(st.integers(1, 6))):
        rows = draw(st.lists(ROWS, min_size=1, max_size=6 if many else 1))
        is_odd = draw(st.integers(0, 9)) == 0
        found.append((draw(HEADS) if is_odd else head) + (b"\n\t(" if many else b" ("))
        found.append(b"),\n\t(".join(rows) + b")" + (draw(ENDS) if is_odd else end))
        found.append(draw(BETWEEN))
    return b"".join(found)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(inserts(), max_size=4).map(b"".join),
    st.sampled_from([24, 100, 4096]),
    st.sampled_from([0, 64, 1 << 12]),
)
def test_runs_are_read_as_statements(dump: bytes, window: int, often: int) -> None:
    """Whatever INSERTs hold, however much of them is looked through at once, pairs taken or not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "OFTEN", often)
        patch.setattr(insert_reader, "FIRST", window)
        patch.setattr(insert_reader, "MOST", max(window, 300))
        patch.setattr(lines, "CHUNK", max(window, 64))
        assert_same(dump)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_damaged_inserts_are_read_as_statements(data: st.DataObject, shops: Shops) -> None:
    """Flipped, lost and added bytes, and a cut, are met alike."""
    form = data.draw(st.sampled_from(["inserts.sql", "rows.sql"]))
    dump = bytearray(shops.dump(15, form).read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(dump) - 1))
        dump[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    assert_same(bytes(dump[: data.draw(st.integers(0, len(dump)))]))


@pytest.mark.parametrize("form", ["inserts.sql", "rows.sql"])
def test_real_dumps_are_read_in_runs(form: str, shops: Shops) -> None:
    """Nearly no statement of a real dump is read singly."""
    dump = shops.dump(15, form).read_bytes()
    assert_same(dump)
    events = list(PlainReader(io.BytesIO(dump), in_runs=True).events())
    in_runs = sum(each.rows for each in events if isinstance(each, Inserts))
    singly = [each for each in events if isinstance(each, Statement) and b"INSERT" in each.sql[:9]]
    assert in_runs > 200
    assert not singly


def test_a_long_statement_comes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more of a statement is held than some of its rows, and its rows count when it ends."""
    monkeypatch.setattr(insert_reader, "MOST", 1 << 16)
    rows = b",\n\t".join(b"(%d, 'text %d')" % (n, n) for n in range(60_000))
    dump = b"INSERT INTO t VALUES\n\t" + rows
    events = list(PlainReader(io.BytesIO(dump + b";\n"), in_runs=True).events())
    assert max(len(each.data) for each in events if isinstance(each, Inserts)) <= 1 << 16
    assert assert_same(dump + b";\n").rows == {"public.t": 60_000}
    cut = read(dump[:900_000], in_runs=True)
    assert cut.rows.get("public.t", 0) == 0
    assert cut.faults == read(dump[:900_000], in_runs=False).faults


def test_what_is_longer_than_can_be_is_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that no PostgreSQL takes ends the reading, though it comes in pieces."""
    monkeypatch.setattr(lines, "LONGEST", 20_000)
    monkeypatch.setattr(lines, "CHUNK", 1000)
    dump = b"INSERT INTO t VALUES\n\t" + b"(1),\n\t" * 10_000
    *_, last = PlainReader(io.BytesIO(dump), in_runs=True).events()
    assert last == Cut(1, "a statement that begins with INSERT INTO", is_endless=True)
