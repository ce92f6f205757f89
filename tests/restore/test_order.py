"""What takes longest is begun first, and gets a helper where all else is over before it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from restore_drill.backups.plaindump.events import Statement
from restore_drill.backups.read import read_contents
from restore_drill.restore import ranges
from restore_drill.restore.session import Session
from restore_drill.restore.split import restore_split
from restore_drill.servers.model import Target
from tests.helpers.restoring import backup_of, new_database
from tests.helpers.shop import USUAL, Shops, pg_dump, quiet

TABLE = """
CREATE TABLE many (id integer PRIMARY KEY, a integer, b integer, c jsonb);
INSERT INTO many SELECT n, n % 7, n % 11, jsonb_build_object('k', n)
    FROM generate_series(1, 900) n;
CREATE INDEX many_a ON many (a);
CREATE INDEX many_b ON many (b);
CREATE INDEX many_c ON many USING gin (c);
"""
OVERLAPS = """
CREATE TABLE spans (span int4range, CONSTRAINT apart EXCLUDE USING gist (span WITH &&));
INSERT INTO spans SELECT int4range(n * 10, n * 10 + 5) FROM generate_series(1, 2000) n;
"""


def database(shops: Shops, script: str) -> Target:
    """A database that `script` makes."""
    target = new_database(shops, USUAL, None, "UTF8")
    with target.connect() as connection:
        connection.execute(script.encode())
    return target


def test_longest_index_is_built_first(
    shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GIN index, last in the dump, is among the first two over two connections."""
    ran: list[tuple[bytes, bool]] = []
    run = Session.execute

    def watched(self: Session, statement: Statement) -> None:
        if statement.sql.startswith(b"CREATE INDEX"):
            ran.append((statement.sql.split()[2], self.helpers))
        run(self, statement)

    monkeypatch.setattr(Session, "execute", watched)
    backup = backup_of(pg_dump(database(shops, TABLE), tmp_path / "many.sql"))
    target = new_database(shops, USUAL, None, "UTF8")
    contents = read_contents(backup, tmp_path, quiet)
    assert not restore_split(target, backup, contents, jobs=2, progress=quiet).errors
    assert len(ran) == 3 and (b"many_c", True) in ran[:2]


def test_broken_exclusion_is_one_error_at_its_line(
    shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Added on a connection of the pool, it is told as where the dump has it; nothing else is."""
    monkeypatch.setattr(ranges, "LEAST", 0)
    dump = pg_dump(database(shops, OVERLAPS), tmp_path / "spans.sql")
    text = dump.read_bytes().replace(b"[30,35)", b"[20,95)")
    dump.write_bytes(text)
    backup = backup_of(dump)
    ran: dict[bytes, int] = {}
    run = Session.execute

    def watched(self: Session, statement: Statement) -> None:
        ran[statement.sql] = threading.get_ident()
        run(self, statement)

    monkeypatch.setattr(Session, "execute", watched)
    target = new_database(shops, USUAL, None, "UTF8")
    contents = read_contents(backup, tmp_path, quiet)
    (error,) = restore_split(target, backup, contents, jobs=2, progress=quiet).errors
    line = text[: text.index(b"ALTER TABLE ONLY public.spans")].count(b"\n") + 1
    assert error.where == f"line {line:,}" and "exclusion_violation" in error.message
    by = next(thread for sql, thread in ran.items() if b" EXCLUDE " in sql)
    assert by != threading.get_ident()
