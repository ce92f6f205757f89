"""Physical backups recovered as a drill does it, and what is in them then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from restore_drill.backups.physical.kinds import physical_at
from restore_drill.backups.physical.model import BARMAN, PGBACKREST, Physical
from restore_drill.recovery.archives.choice import archive_of
from restore_drill.recovery.goals import goal_of
from restore_drill.recovery.model import Recovered
from restore_drill.recovery.recover import recover
from restore_drill.recovery.shell import make_shell
from tests.helpers.shop import quiet


def physical_of(backup: Path) -> Physical:
    """What the backup says of itself."""
    found = physical_at(backup)
    assert found is not None
    return found


@contextmanager
def recovered(
    backup: Path,
    goal: str = "latest",
    *,
    wal: Path | None = None,
    timeline: str = "latest",
    entry: str = "",
) -> Iterator[Recovered]:
    """The backup, recovered to `goal` with the WAL in `wal`; all is removed at the end.

    Without `wal` a base backup is by itself, also where an archive lies beside it. `entry` is a
    database that is known.
    """
    physical = physical_of(backup)
    has_archive = wal is not None or physical.kind in (PGBACKREST, BARMAN)
    archive = archive_of(physical, wal) if has_archive else None
    with make_shell(physical, quiet, entry=entry) as shell:
        found = recover(shell, physical, goal_of(goal, timeline), archive, quiet, quiet)
        try:
            yield found
        finally:
            found.server.stop()


def events_in(found: Recovered, database: str = "shop") -> list[str]:
    """Names of the transactions that are in the copy, in their order."""
    query = "SELECT what FROM events WHERE what !~ '^e[0-9]+$' ORDER BY id"
    return [str(name) for name in column(found, query, database)]


def column(found: Recovered, query: str, database: str = "shop") -> list[Any]:
    """First column of what `query` gives in the copy."""
    with found.server.target(database).connect() as connection:
        return [row[0] for row in connection.execute(query.encode())]
