"""An archive is converted once: what was read to its end is what goes to the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from restore_drill.backups import converted as module
from restore_drill.backups.archive import header_of
from restore_drill.backups.converted import Converted, makes_sql
from restore_drill.backups.model import Backup, Contents
from restore_drill.backups.read import read_contents
from restore_drill.backups.to_sql import restore_to_sql
from restore_drill.restore import source
from restore_drill.restore.restorers import restorer_of
from restore_drill.restore.split import is_spooled, restore_split
from tests.helpers.restoring import backup_of, new_database
from tests.helpers.shop import USUAL, Shops, quiet
from tests.restore.test_split import content


class Read(NamedTuple):
    """An archive that has been read, and what was kept of it."""

    backup: Backup
    contents: Contents
    kept: Converted


Reading = Callable[[Path], Read]


@pytest.fixture
def read() -> Iterator[Reading]:
    """Function that reads an archive for a restore."""
    with ExitStack() as stack:

        def read_one(path: Path) -> Read:
            kept = Converted()
            stack.callback(kept.close)
            backup = backup_of(path)
            return Read(backup, read_contents(backup, path.parent, quiet, converted=kept), kept)

        yield read_one


@pytest.mark.parametrize("form", ["custom.dump", "directory", "archive.tar", "plain.sql.gz"])
def test_restore_converts_nothing_again(
    form: str, read: Reading, shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both quick ways make the same database of what was kept: no pg_restore, no decompression."""
    found = read(shops.dump(USUAL, form))
    first, second, third = (new_database(shops, USUAL, None, "UTF8") for _ in range(3))
    again = read_contents(found.backup, shops.folder, quiet)
    restorer_of(found.backup).restore(first, found.backup, again, 2, quiet)
    monkeypatch.setattr(source, "convert", refuse)
    monkeypatch.setattr(source, "open_plain", refuse)

    at_once = restorer_of(found.backup).restore(second, found.backup, found.contents, 2, quiet)
    split = restore_split(third, found.backup, found.contents, jobs=2, progress=quiet)

    assert not at_once.errors and not split.errors
    assert not is_spooled(third, found.backup, found.contents)
    assert content(second) == content(third) == content(first)


@contextmanager
def refuse(*_args: Any, **_more: Any) -> Any:
    """In place of a second conversion."""
    raise AssertionError("it was converted again")
    yield


def test_what_is_kept_is_what_pg_restore_writes(read: Reading, shops: Shops) -> None:
    """Every byte of it, by the tools of the dump's own version."""
    path = shops.dump(USUAL, "custom.dump")
    found = read(path)
    header = header_of(path, "custom")
    with restore_to_sql(header, path, tools=found.kept.tools(header)) as run:
        wanted = run.output.read()

    with found.kept.opened() as stream:
        assert unrestricted(stream.read()) == unrestricted(wanted)
    assert found.kept.size == found.contents.read_bytes
    assert found.kept.version and found.kept.version[0] == USUAL
    found.kept.close()
    assert found.kept.file is None and found.kept.version is None


def unrestricted(sql: bytes) -> list[bytes]:
    """Lines but those with a key that is another one each time."""
    return [line for line in sql.splitlines() if b"restrict " not in line]


def test_another_server_gets_its_own_sql(read: Reading, shops: Shops) -> None:
    """SQL of another version's pg_restore, or without what a new database needs, is not taken."""
    found = read(shops.dump(USUAL, "custom.dump"))
    target = new_database(shops, USUAL, None, "UTF8")
    assert found.kept.version is not None

    assert source.kept_sql(target, found.backup, found.contents) is found.kept
    found.kept.version = (found.kept.version[0], found.kept.version[1] + 1)
    assert source.kept_sql(target, found.backup, found.contents) is None


def test_nothing_is_kept_without_room(
    read: Reading, shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is too small for it costs a second conversion, and no more."""
    monkeypatch.setattr(Converted, "has_room", lambda _: False)
    for often in (1, 1 << 40):
        monkeypatch.setattr(module, "LOOK", often)
        found = read(shops.dump(USUAL, "custom.dump"))
        target = new_database(shops, USUAL, None, "UTF8")
        assert not found.contents.faults
        assert found.kept.version is None
        assert source.kept_sql(target, found.backup, found.contents) is None


def test_full_disk_is_no_damage() -> None:
    """Not when it is written, nor when what has not been written is given up."""
    kept = Converted()
    for writes in (1, 9):
        kept.file = Path("/dev/full").open("r+b")  # noqa: SIM115
        for _ in range(writes):
            kept.add(b"x" * 1000)
        kept.end((15, 0))
        assert not any((kept.version, kept.file))


def test_nothing_is_kept_of_a_damaged_one(read: Reading, shops: Shops, tmp_path: Path) -> None:
    """What is not restored takes no room."""
    data = shops.dump(USUAL, "custom.dump").read_bytes()
    path = tmp_path / "cut.dump"
    path.write_bytes(data[: len(data) * 3 // 4])

    found = read(path)

    assert found.contents.faults
    assert found.kept.file is None


def test_absent_database_takes_the_whole(read: Reading, shops: Shops) -> None:
    """A database that is to be made gets what lies outside of it from the archive too."""
    found = read(shops.dump(USUAL, "custom.dump"))
    target = replace(new_database(shops, USUAL, None, "UTF8"), is_absent=True)

    assert source.kept_sql(target, found.backup, found.contents) is None


@pytest.mark.parametrize("compression", ["", "gzip", "gzip in age"])
def test_what_is_made_is_kept(compression: str, shops: Shops) -> None:
    """A plain dump is kept without its compression; nothing is of what was encrypted."""
    backup = replace(backup_of(shops.dump(USUAL, "plain.sql")), compression=compression)

    assert makes_sql(backup) == (compression == "gzip")
