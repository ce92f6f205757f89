"""Free space of a live server's disks, where it runs on this machine and its role may see it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg

from restore_drill.backups.model import Contents
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.core.units import show_bytes
from restore_drill.facts.session import Connection
from restore_drill.live.server.locks import refuse_few_locks
from restore_drill.servers.bounds import MOST_SPARED, SPARED
from restore_drill.servers.model import Target

PER_ROW = 96
"""Bytes that a row takes on disk beyond its text in a dump, its part of the indexes included.

Measured with PostgreSQL 15: 89 for a shop (59 MB of SQL, 1.1 million rows, 10 indexes: 159 MB on
disk), 61 for pgbench (96 MB, a million rows: 157 MB), 55 for two integers with two indexes
(11 MB, a million rows: 66 MB). The WAL of a restore took 65 to 82 % of the bytes on disk; what
a checkpoint has passed is used again, so that max_wal_size bounds it.
"""
RESERVE = 256_000_000
"""Bytes that a live server always keeps, beside two files of WAL: a fast disk takes 200 MB between
two looks at it (bounds.EVERY), and the application writes on while the drill is stopped."""
AT_LEAST = 64_000_000
"""Bytes that a reset in place needs before it frees any: two files of WAL, and the empty tables and
indexes of some hundred tables, which its rehearsal makes."""
LOCAL = ("localhost", "127.0.0.1", "::1")
SLACK = 5
"""Seconds from the start of its first process until the server calls itself started."""
WHERE = """
    SELECT pg_catalog.current_setting('data_directory'),
        CASE WHEN pg_catalog.has_tablespace_privilege(dattablespace, 'CREATE')
            THEN pg_catalog.pg_tablespace_location(dattablespace) END,
        extract(epoch FROM pg_catalog.pg_postmaster_start_time())::bigint,
        pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_wal_size')),
        2 * pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size'))
    FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()
"""


class Disks(NamedTuple):
    """Where a server keeps the `data` of a database and its `wal`: folders seen from here.

    `max_wal` is how many bytes of WAL it keeps, `spare` those of the files that it writes next.
    """

    data: Path
    wal: Path
    max_wal: int
    spare: int

    @property
    def are_one(self) -> bool:
        """Whether both lie in one file system."""
        return self.data.stat().st_dev == self.wal.stat().st_dev

    @property
    def places(self) -> list[Path]:
        """A folder of each file system."""
        return [self.data] if self.are_one else [self.data, self.wal]

    def reserve(self, free: int) -> int:
        """Bytes that stay free for the live server where so many are at the beginning."""
        return max(RESERVE + self.spare, int(min(MOST_SPARED, free * SPARED)))

    def wanted(self, size: int) -> Iterator[tuple[Path, int]]:
        """Bytes that a new database of `size` bytes takes in each file system."""
        wal = min(size, self.max_wal)
        if self.are_one:
            yield self.data, size + wal
        else:
            yield from ((self.data, size), (self.wal, wal))


def is_local(host: str) -> bool:
    """Whether `host` names this machine, or a socket."""
    return host in ("", *LOCAL) or host.startswith(("/", "@"))


def disks_of(target: Target, connection: Connection) -> Disks | None:
    """Disks of the server of `target`; None where they cannot be seen.

    Another server's directory may have the same path here, as with a container: the file
    postmaster.pid has to name the time at which the connected one was started.
    """
    if not is_local(target.conninfo.get("host", "")):
        return None
    try:
        row = connection.execute(WHERE).fetchone()
        assert row is not None
        directory, tablespace, started, max_wal, spare = row
        lines = (Path(directory) / "postmaster.pid").read_text(errors="replace").splitlines()
        if abs(int(lines[2]) - started) > SLACK:
            return None
        found = Disks(Path(tablespace or directory), Path(directory) / "pg_wal", max_wal, spare)
        seen = bool(found.places)
    except (psycopg.errors.InsufficientPrivilege, OSError, ValueError, IndexError):
        return None
    return found if seen else None


def room(live: Target, size: int, connection: Connection, about: str = "at least") -> str:
    """A line on the disk; CouldNotRun where it has no room for a database of `size` bytes.

    Where free space cannot be asked, the line says that.
    """
    disks = disks_of(live, connection)
    if disks is None:
        need = f"{about} {show_bytes(size)} are needed"
        return f"free disk space: unknown (the drill cannot see the disk of the server); {need}"
    found, name = [], live.conninfo["dbname"]
    for place, wanted in disks.wanted(size):
        free = shutil.disk_usage(place).free
        kept = disks.reserve(free)
        need = f"{about} {show_bytes(wanted)} are needed"
        if free < wanted + kept:
            asked = f"{show_bytes(free)} are free in {place}, {need}"
            raise CouldNotRun(
                f"the disk of {live.description} has no room for a second database",
                checked=[f"{asked}, and {show_bytes(kept)} are reserved for the live server"],
                # A reset in place needs as much, where the backup holds more than the live one.
                remedy=remedy_for("beside", "filled" if live.beside else "no_room", name=name),
            )
        found.append(f"{show_bytes(free)}, {need}")
    return "free disk space: " + "; for WAL: ".join(found)


def disk_is_full(live: Target, error: psycopg.Error) -> CouldNotRun:
    """The error that the server of `live` had no room on its disk for what was tried."""
    return CouldNotRun(
        f"{live.description} was not touched: the disk of its server is full",
        checked=[error_text(error)],
        remedy=remedy_for(
            "live", "disk_full", size=show_bytes(AT_LEAST), name=live.conninfo["dbname"]
        ),
    )


def restored_size(contents: Contents) -> int:
    """Bytes that what was read takes on the disk of a server, about: see PER_ROW."""
    return contents.read_bytes + PER_ROW * sum(contents.counted.values())


def room_for(made: Target, contents: Contents) -> str:
    """As `room`, with what is known once the backup has been read to its end; its locks too."""
    with made.connect(connect_timeout="10") as connection:
        refuse_few_locks(made, connection, contents.entries)
        return room(made, restored_size(contents), connection, "about")
