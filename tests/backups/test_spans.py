"""Rows of large tables are noted where they lie, and not read again by who restores the dump."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore_drill.backups.plain import WholeReader
from restore_drill.backups.plaindump import copy_reader, lines
from restore_drill.backups.plaindump.copy_reader import Span
from restore_drill.backups.plaindump.events import CopyData, Event
from restore_drill.backups.plaindump.object_reader import ObjectReader

HEAD = b"\xef\xbb\xbfSET lock_timeout = 0;\n\nCOPY public.few (id) FROM stdin;\n1\n\\.\n\n"
ROWS = b"".join(b"%d\t\\N\ta\\\\.\\\n%d\n" % (n, n) for n in range(20))
TAIL = b"\n\nSELECT pg_catalog.setval('public.s', 1, true);\n"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few bytes are many, and are read by few."""
    monkeypatch.setattr(copy_reader, "LEAST", 100)
    monkeypatch.setattr(lines, "CHUNK", 61)


def dump(end: bytes = b"\n") -> bytes:
    """A dump with two large tables, one of which is the last thing of its session."""
    copies = [
        b"COPY public.%b (a, b, c) FROM stdin;\n%b\\.\n" % (name, ROWS) for name in (b"x", b"y")
    ]
    return (HEAD + b"\n".join(copies) + TAIL).replace(b"\n", end)


def noted(path: Path) -> dict[int, Span]:
    """Where the first reading of the dump at `path` has found many rows."""
    reader = WholeReader()
    with path.open("rb", 0) as stream:
        reader.read_all(stream)
    return reader.spans


def read(path: Path, known: dict[int, Span] | None) -> list[tuple[Event, int, int]]:
    """Events with the line and offset behind them, rows in one."""
    found: list[tuple[Event, int, int]] = []
    with path.open("rb", 0) as stream:
        reader = ObjectReader(stream, in_runs=True)
        reader.spans, reader.passes = known, True
        for event in reader.events():
            before = found[-1][0] if found else None
            if isinstance(event, CopyData) and isinstance(before, CopyData):
                found.pop()
                event = CopyData(before.data + event.data, before.rows + event.rows)  # noqa: PLW2901
            found.append((event, reader.line, reader.place))
        return found


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_what_is_known_is_passed_over(end: bytes, tmp_path: Path) -> None:
    """The events, lines and offsets are the same, but for the bytes of the rows."""
    path = tmp_path / "dump.sql"
    path.write_bytes(dump(end))
    known = noted(path)

    whole, passed = read(path, None), read(path, known)

    data = path.read_bytes()
    rows = ROWS.replace(b"\n", end)
    assert [data[at : at + span.size] for at, span in known.items()] == [rows, rows]
    assert [event for event, *_ in passed if isinstance(event, CopyData) and event.passed] == [
        CopyData(b"", rows.count(b"\n"), len(rows))
    ] * 2
    assert [each[1:] for each in passed] == [each[1:] for each in whole]
    assert [type(event) for event, *_ in passed] == [type(event) for event, *_ in whole]
    rest = [event for event, *_ in passed if not isinstance(event, CopyData)]
    assert rest == [event for event, *_ in whole if not isinstance(event, CopyData)]


def test_few_rows_are_not_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is longer than what is read ahead anyway."""
    path = tmp_path / "dump.sql"
    path.write_bytes(dump())
    monkeypatch.setattr(copy_reader, "LEAST", len(ROWS) + 1)

    assert noted(path) == {}


def test_rows_without_an_end_are_not_passed_over(tmp_path: Path) -> None:
    """A file that is no longer what it was is read as it is: nothing is taken for rows unseen."""
    path = tmp_path / "dump.sql"
    path.write_bytes(dump())
    known = noted(path)
    path.write_bytes(dump().replace(ROWS, ROWS + b"21\t\\N\tnew\n"))

    found = read(path, known)

    assert found == read(path, None)
    assert not any(isinstance(event, CopyData) and event.passed for event, *_ in found)
