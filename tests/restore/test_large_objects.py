"""Large objects go in many at once; an error among them is told by its line, and costs no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from restore_drill.backups.plaindump import lines
from restore_drill.backups.read import read_contents
from restore_drill.restore.model import Restoration
from restore_drill.restore.plain import restore_plain
from restore_drill.restore.single_transaction import restore_in_one_transaction
from restore_drill.restore.split import restore_split
from restore_drill.servers.model import Target
from tests.helpers.restoring import backup_of, new_database
from tests.helpers.shop import USUAL, Shops, fill_shop, pg_dump, quiet

COUNT = 30
SOURCE = """
CREATE TABLE public.t (id integer PRIMARY KEY);
SELECT lo_from_bytea(50000 + n, decode(repeat(md5(n::text), 1 + n * 40), 'hex'))
    FROM generate_series(1, 30) n;
"""
SUMS = """
SELECT loid::text, md5(string_agg(data, ''::bytea ORDER BY pageno)) FROM pg_largeobject GROUP BY 1
"""


@pytest.fixture(scope="module")
def objects(shops: Shops) -> tuple[bytes, dict[str, str]]:
    """A dump with large objects, and the digests of what is in them."""
    shops.source(USUAL)
    source = shops.database(USUAL, "objects_of_one")
    fill_shop(source, SOURCE)
    return pg_dump(source, shops.folder / "objects.sql").read_bytes(), digests(source)


def digests(target: Target) -> dict[str, str]:
    """Digest of each large object that has anything in it."""
    with target.connect() as connection:
        return dict(connection.execute(SUMS).fetchall())


def restored(dump: bytes, shops: Shops, tmp_path: Path) -> tuple[Restoration, Target]:
    """What came of restoring the `dump` over several connections."""
    path = tmp_path / "edited.sql"
    path.write_bytes(dump)
    backup = backup_of(path)
    target = new_database(shops, USUAL, None, "UTF8")
    contents = read_contents(backup, tmp_path, quiet)
    return restore_split(target, backup, contents, jobs=2, progress=quiet), target


def line_of(dump: bytes, text: bytes) -> str:
    """Where `text` stands in `dump`."""
    before = dump[: dump.index(text)].count(b"\n")
    return f"line {before + 1:,}"


@pytest.mark.parametrize("chunk", [20_000, 1 << 20])
def test_pieces_of_objects_come_together(
    chunk: int,
    objects: tuple[bytes, dict[str, str]],
    shops: Shops,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An object whose pieces lie in several runs is whole, in whatever order those are done."""
    dump, wanted = objects
    monkeypatch.setattr(lines, "CHUNK", chunk)
    monkeypatch.setattr("restore_drill.backups.plaindump.object_reader.SHORT", 1)

    done, target = restored(dump, shops, tmp_path)

    assert not done.errors and done.way == "split over 2 connections"
    assert digests(target) == wanted


FAULTS = {
    "42704": (b"SELECT pg_catalog.lo_open('50007'", b"SELECT pg_catalog.lo_open('49999'"),
    "23505": (b"lo_create('50009')", b"lo_create('50008')"),
    "22023": (b"\\x", b"\\x0"),
}


@pytest.mark.parametrize("sqlstate", FAULTS)
def test_error_costs_one_object(
    sqlstate: str, objects: tuple[bytes, dict[str, str]], shops: Shops, tmp_path: Path
) -> None:
    """The statement that fails is named by its line; all other objects are there."""
    dump, wanted = objects
    old, new = FAULTS[sqlstate]

    done, target = restored(dump.replace(old, new, 1), shops, tmp_path)

    first = done.errors[0]
    assert first.error.sqlstate == sqlstate
    assert first.where == line_of(dump, old)
    there = digests(target)
    assert there.items() <= wanted.items()
    assert len(wanted) - len(there) == 1


def test_statement_of_another_kind_ends_the_split(
    objects: tuple[bytes, dict[str, str]], shops: Shops, tmp_path: Path
) -> None:
    """In the middle of an object too: the rest goes over one connection, from where it was."""
    dump, wanted = objects
    places = [at for at in range(len(dump)) if dump.startswith(b"SELECT pg_catalog.lowrite", at)]
    middle = next(
        at for at, before in zip(places[1:], places, strict=False) if at - before > 32_000
    )
    dump = dump[:middle] + b"SELECT pg_catalog.now();\n" + dump[middle:]

    done, target = restored(dump, shops, tmp_path)

    assert "then over one (a statement among large objects)" in done.way
    assert digests(target) == wanted


def test_transaction_of_someone_else_is_kept(
    objects: tuple[bytes, dict[str, str]], shops: Shops, tmp_path: Path
) -> None:
    """A BEGIN and COMMIT around the whole dump are carried out as they stand."""
    dump, wanted = objects
    marker = b"--\n-- PostgreSQL database dump complete"
    begin = dump.index(b"SET ")
    dump = dump[:begin] + b"BEGIN;\n" + dump[begin:].replace(marker, b"COMMIT;\n" + marker)

    done, target = restored(dump, shops, tmp_path)

    assert digests(target) == wanted
    assert not done.errors


OPEN = rb"SELECT pg_catalog\.lo_open\('50008', 131072\);\n"
CLOSE = rb"SELECT pg_catalog\.lo_close\(0\);\n"
LOST = {
    "lo_open": (OPEN, b""),
    "lo_close": (CLOSE + rb"\n(?=" + OPEN + b")", b""),
    "transaction": (rb"(?<=\n)(?:BEGIN|COMMIT);\n", b""),
    "both": (CLOSE + rb"\n" + OPEN, b"COMMIT;\nBEGIN;\n"),
}
"""What is looked for, and what stands there instead."""


@pytest.mark.parametrize("what", LOST)
def test_lost_statement_is_told_as_by_psql(
    what: str, objects: tuple[bytes, dict[str, str]], shops: Shops, tmp_path: Path
) -> None:
    """Data goes to the object that `lowrite(0, ...)` is about there, or is lost with an error."""
    dump = re.sub(*LOST[what], objects[0])
    assert dump != objects[0]

    done, target = restored(dump, shops, tmp_path)

    serial = new_database(shops, USUAL, None, "UTF8")
    backup = backup_of(tmp_path / "edited.sql")
    contents = read_contents(backup, tmp_path, quiet)
    by_hand = restore_plain(serial, backup, contents, quiet)
    assert digests(target) == digests(serial)
    assert [each.where for each in done.errors] == [each.where for each in by_hand.errors]
    once = new_database(shops, USUAL, None, "UTF8")
    if restore_in_one_transaction(once, backup, contents, quiet):
        assert digests(once) == digests(serial) and not by_hand.errors
