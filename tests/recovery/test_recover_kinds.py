"""Every kind of physical backup is recovered to the end of its WAL, and to a point before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.helpers.physical import Source, source
from tests.helpers.recoveries import events_in, recovered
from tests.helpers.repositories import barman_server, pgbackrest_repository


class Taken(NamedTuple):
    """A backup, and its archive where its own tool keeps none."""

    path: Path
    wal: Path | None


def tars(server: Source) -> Taken:
    """A base backup in tars."""
    return Taken(server.base_backup("tars", "-z", form="tar"), server.archive)


def chain(server: Source) -> Taken:
    """A full backup and two increments, in one folder."""
    home = server.folder / "chain"
    home.mkdir()
    server.launcher.own(home)
    full = server.base_backup("chain/full")
    server.commit("first")
    one = server.base_backup("chain/one", f"--incremental={full}/backup_manifest")
    server.commit("second")
    two = server.base_backup("chain/two", f"--incremental={one}/backup_manifest")
    return Taken(two, server.archive)


def rest(server: Source) -> Taken:
    """A full backup of pgBackRest, and a differential one."""
    repository = pgbackrest_repository(server)
    repository.backup()
    server.commit("first")
    repository.backup("diff")
    return Taken(repository.path, None)


def barman(server: Source) -> Taken:
    """A backup of Barman."""
    home = barman_server(server)
    home.backup()
    return Taken(home.server, None)


KINDS: list[tuple[int, Callable[[Source], Taken]]] = [
    (15, tars), (18, tars), (18, chain), (15, rest), (15, barman),
]  # fmt: skip


@pytest.fixture(
    scope="module", params=KINDS, ids=[f"{make.__name__}-{major}" for major, make in KINDS]
)
def kept(request: pytest.FixtureRequest) -> Iterator[tuple[Taken, str]]:
    """The backup, with `one` and `two` behind it, and a time between them."""
    major, make = request.param
    with source(major, rows=20) as server:
        taken = make(server)
        _, when = server.commit("one")
        server.commit("two")
        server.switch()
        yield taken, when


def test_all_of_its_wal_is_replayed(kept: tuple[Taken, str]) -> None:
    """And proved by the newest segment."""
    (path, wal), _ = kept
    with recovered(path, wal=wal) as found:
        assert not found.faults
        assert found.evidence.began and found.evidence.consistent
        assert events_in(found)[-2:] == ["one", "two"]
        assert {part.name for part in found.parts} == {"copy", "fetch", "replay", "start"}


def test_a_time_behind_it_is_reached(kept: tuple[Taken, str]) -> None:
    """What ended later is not in."""
    (path, wal), when = kept
    with recovered(path, when, wal=wal) as found:
        assert not found.faults
        assert events_in(found)[-1:] == ["one"]
