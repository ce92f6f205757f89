"""A base backup is recovered: to the latest WAL, with an archive and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.physical import Source, source
from tests.helpers.recoveries import events_in, recovered


@pytest.fixture(scope="module", params=[15, 18])
def shop(request: pytest.FixtureRequest) -> Iterator[tuple[Source, Path]]:
    """A running server with a base backup, and two transactions after it in its archive."""
    with source(request.param, rows=200) as server:
        server.commit("before")
        backup = server.base_backup("backup")
        server.commit("one")
        server.commit("two")
        server.switch()
        yield server, backup


def test_a_base_backup_comes_up_by_itself(shop: tuple[Source, Path]) -> None:
    """Without an archive it recovers to its own end, on its own timeline; all databases open."""
    server, backup = shop
    with recovered(backup) as found:
        assert not found.faults
        assert found.evidence.began and found.evidence.consistent
        assert found.evidence.timeline == 1
        assert set(found.databases) == {"postgres", "template0", "template1", "shop", "billing"}
        assert found.databases["shop"] == server.sql(
            "SELECT oid::int FROM pg_database WHERE datname = 'shop'"
        )
        assert events_in(found) == ["before"]
        assert found.server.target("shop").isolated


def test_all_archived_wal_is_replayed(shop: tuple[Source, Path]) -> None:
    """With the archive it has all transactions, proved by the newest segment."""
    server, backup = shop
    with recovered(backup, wal=server.archive) as found:
        assert not found.faults
        assert events_in(found) == ["before", "one", "two"]
        assert found.evidence.last_in is not None and found.evidence.last_in.at is not None
        parts = {part.name: part for part in found.parts}
        assert set(parts) == {"copy", "fetch", "replay", "start"}
        assert parts["fetch"].bytes >= 1 << 25
        assert parts["replay"].bytes >= 1 << 24
