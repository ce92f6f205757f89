"""Reading takes a time that depends on how many bytes a dump has, not on which."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restore_drill.backups.plaindump import lexer, lines
from restore_drill.backups.plaindump.contents import Reader
from restore_drill.backups.plaindump.events import CopyData, Cut, Event
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.backups.plaindump.object_reader import ObjectReader
from restore_drill.backups.plaindump.roles import roles_in
from restore_drill.core.errors import CouldNotRun
from tests.helpers.floods import FLOODS, LARGE

ROOT = Path(__file__).parents[2]
QUOTED = "a quoted text or comment of a statement that begins with SELECT"
TOO_LONG = "more than PostgreSQL accepts: the file is damaged or was made to exhaust memory"
SECONDS_A_MB = 15.0
"""Five times what the slowest family takes, on a slow machine."""


def test_time_does_not_depend_on_the_bytes() -> None:
    """No family of bytes takes longer a megabyte than a bound, nor longer the more there is."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.helpers.floods"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    told = dict(line.rsplit(": ", 1) for line in done.stdout.splitlines())
    assert done.returncode == 0, f"it did not end in: {done.stdout[-100:]}{done.stderr}"
    assert told.keys() == FLOODS.keys()
    for name, seconds in told.items():
        small, large = map(float, seconds.split())
        assert large < SECONDS_A_MB * LARGE / 1e6, name
        assert large < 9 * small + 0.3, name


PIECES = st.sampled_from(
    [
        b"'", b"''", b"'a'", b"E'", b"e'\\''", b"\\", b'"', b'"a"', b"(", b")", b");", b";", b"$",
        b"$$", b"$a$", b", ", b"--", b"-- '\n", b"/*", b"*/", b"\n", b" ", b"a", b"1", b".",
        b"VALUES (", b"INSERT INTO ", b"t ", b"end", b"begin", b"/", b"-", b"CREATE FUNCTION ",
    b" begin atomic ", b"case ",
    ]
)  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.lists(PIECES, max_size=60), st.booleans())
def test_rows_are_read_as_any_statement(pieces: list[bytes], old_strings: bool) -> None:  # noqa: FBT001
    """The quick ways to read a statement end it where the long way does, whatever it holds."""
    for begin in (b"INSERT INTO t VALUES (", b""):
        dump = begin + b"".join(pieces)
        if old_strings:
            dump = b"SET standard_conforming_strings = off;" + dump
        quick = events_of(dump)
        with pytest.MonkeyPatch.context() as patch:
            for name in ("SIMPLE_INSERT", "SIMPLE"):
                patch.setattr(lexer, name, re.compile(b"(?!)"))
            assert quick == events_of(dump)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=600))
def test_any_row_is_read(row: bytes) -> None:
    """Whatever an INSERT holds, the reader comes to its end."""
    Reader().read(PlainReader(io.BytesIO(b"INSERT INTO t VALUES (" + row)).events())


def events_of(dump: bytes) -> list[Event]:
    """All events of `dump`."""
    return list(PlainReader(io.BytesIO(dump)).events())


@pytest.mark.parametrize(
    ("sql", "roles"),
    [
        (b"GRANT SELECT ON TABLE s.t TO reader;", ["reader"]),
        (b'GRANT ALL ON TABLE "a TO b" TO "x FROM y" WITH GRANT OPTION;', ["x FROM y"]),
        (b"REVOKE ALL ON SCHEMA s FROM PUBLIC;", []),
        (b"GRANT parent TO child GRANTED BY postgres;", ["child", "postgres", "parent"]),
        (
            b"ALTER DEFAULT PRIVILEGES FOR ROLE a IN SCHEMA s GRANT SELECT ON TABLES TO b;",
            ["a", "b"],
        ),
        (
            b"""CREATE POLICY "p TO q" ON t FOR SELECT TO a, "b c" USING ((x = 'TO d'));""",
            ["a", "b c"],
        ),
        (b"CREATE POLICY p ON t USING (true);", []),
        (b'ALTER TABLE t OWNER TO "o""p";', ['o"p']),
    ],
)
def test_roles_of_a_statement(sql: bytes, roles: list[str]) -> None:
    """The roles that a statement names are found, and nothing that only looks like one."""
    assert list(roles_in(sql)) == roles


@pytest.mark.parametrize(
    ("dump", "where"),
    [
        (b"SELECT 1;\nSELECT '" + b"a\n" * 3000, QUOTED),
        (b"SELECT 1;\nINSERT INTO t VALUES (" + b"1," * 3000 + b"1);", "a line"),
        (b"SELECT 1;\n--" + b"-" * 6000 + b"\n", "a line"),
        (b"COPY t FROM stdin;\n" + b"a\t" * 3000 + b"\n\\.\n", "a row of public.t"),
    ],
)
def test_what_is_longer_than_can_be_is_reported(
    dump: bytes, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line, statement or row longer than any PostgreSQL takes ends the reading with a fault."""
    monkeypatch.setattr(lines, "CHUNK", 64)
    monkeypatch.setattr(lines, "LONGEST", 2000)
    stream = io.BytesIO(dump)
    reader = Reader()
    reader.read(PlainReader(stream).events())

    assert reader.faults == [f"line 2: {where} is longer than 1.1 GB, {TOO_LONG}"]
    assert stream.tell() < 5000


@pytest.mark.parametrize("reader", [PlainReader, ObjectReader])
def test_a_long_row_is_never_held(
    reader: type[PlainReader], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row of COPY data goes on piece by piece, however long it is, and loses nothing."""
    monkeypatch.setattr(lines, "CHUNK", 128)
    row = b"ab\\\\.\t" * 500 + b"\n\\N\n"
    heading = b"--\n-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: o\n--\n\n"
    dump = heading + b"COPY t FROM stdin;\n" + row + b"\\.\nSELECT 1;\n"
    events = list(reader(io.BytesIO(dump)).events())
    pieces = [event.data for event in events if isinstance(event, CopyData)]

    assert b"".join(pieces) == row
    assert max(map(len, pieces)) <= 3 * 128
    assert not any(isinstance(event, Cut) for event in events)


def test_a_statement_too_long_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What PostgreSQL takes in and our memory does not is no fault of the backup."""
    monkeypatch.setattr(lines, "LARGE", 3000)
    monkeypatch.setattr(lines, "CHUNK", 1000)
    monkeypatch.setattr(lines, "available_memory", lambda: 9000)

    with pytest.raises(CouldNotRun, match="memory ran out: what begins at line 2"):
        events_of(b"SELECT 1;\nSELECT '" + b"a" * 10_000 + b"';")
