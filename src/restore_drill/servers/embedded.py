"""Target `embedded`: a throwaway PostgreSQL server of our own behind a private Unix socket."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.core.units import show_duration
from restore_drill.servers import cleanup, untrusted
from restore_drill.servers.binaries import Binaries, Note
from restore_drill.servers.bounds import RoomWatch
from restore_drill.servers.cleanup import RunDirectory
from restore_drill.servers.cluster import LOCALE
from restore_drill.servers.copies import by_files
from restore_drill.servers.executor import SUPERUSER, ServerExecutor
from restore_drill.servers.isolation import why_not
from restore_drill.servers.launcher import choose_launcher
from restore_drill.servers.model import SWITCHED_SINCE, Target
from restore_drill.servers.place import choose_base, fits_in_memory, why_elsewhere
from restore_drill.servers.starting import start_in
from restore_drill.servers.tuning import PORT


@dataclass
class EmbeddedServer:
    """A running throwaway server; as a context manager it is stopped and removed at the end."""

    binaries: Binaries
    run: RunDirectory
    executor: ServerExecutor = field(repr=False)
    watch: RoomWatch = field(repr=False)
    way: Path
    sorts_by_locale: bool = False

    def create_database(self, name: str, *, encoding: str = "UTF8") -> Target:
        """Create the empty database `name`; an `encoding` other than UTF8 comes with locale C.

        Else text is sorted by bytes unless the server `sorts_by_locale`: the order is that of
        C.UTF-8 too, but libc takes twice the time to find it.
        """
        character = LOCALE if encoding == "UTF8" else "C"
        collation = character if self.sorts_by_locale else "C"
        statement = sql.SQL(
            "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {} {}"
        ).format(
            sql.Identifier(name),
            *map(sql.Literal, (encoding, collation, character)),
            by_files(self.binaries.major),
        )
        try:
            with self.target(SUPERUSER).connect() as connection:
                connection.execute(statement)
        except psycopg.Error as error:
            raise CouldNotRun(
                f"{self.binaries.name} cannot create the database {name!r} ({encoding})",
                checked=[error_text(error, name)],
                remedy=remedy_for("target", "no_database"),
            ) from None
        return self.target(name)

    def target(self, dbname: str) -> Target:
        """Give the way to the database `dbname`, there or not."""
        return Target(
            kind="embedded",
            conninfo={
                "host": str(self.way),
                "port": str(PORT),
                "user": SUPERUSER,
                "dbname": dbname,
            },
            server_version=self.binaries.version[0] * 10000 + self.binaries.version[1],
            binaries=self.binaries,
            without_event_triggers=self.binaries.major >= SWITCHED_SINCE,
            description=f"embedded {self.binaries.name}",
            isolated=self.executor.is_isolated,
            exposed="" if self.executor.is_isolated else why_not(),
            why_ended=self.watch.error,
        )

    def is_running(self) -> bool:
        """Whether its process lives."""
        return self.executor.running()

    def stop(self) -> None:
        """Stop the server at once and remove all that it left; harmless when called twice."""
        self.watch.stop()
        self.executor.stop()
        self.run.remove()

    def __enter__(self) -> Self:
        """Give the running server."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop and remove it."""
        self.stop()


def start_embedded(
    binaries: Binaries, *, note: Note, room: int | None = None, production_settings: bool = False
) -> EmbeddedServer:
    """Start a throwaway server of `binaries` for `room` bytes of SQL, None where that is unknown.

    With `production_settings` it has PostgreSQL's defaults and lives on disk, else it is tuned for
    a restore, and lives in memory where the data surely fit.
    Raises CouldNotRun with the end of the server's log; nothing is left behind then.
    """
    began = time.monotonic()
    launcher = choose_launcher()
    in_memory = room is not None and not production_settings and fits_in_memory(launcher, room)
    base = cleanup.MEMORY if in_memory else choose_base(launcher, room or 0)
    try:
        run = cleanup.make_run_directory(base)
        executor = start_in(
            run, binaries, launcher, room=room, production_settings=production_settings
        )
    except OSError as error:
        raise CouldNotRun(
            f"{binaries.name} cannot be set up in {base}: {error.strerror or error}",
            remedy=remedy_for("target", "folder"),
        ) from None
    where = " in memory" if in_memory else ""
    where += ", isolated," if executor.is_isolated else ""
    note(f"embedded {binaries.name} started{where} in {show_duration(time.monotonic() - began)}")
    if not in_memory and (elsewhere := why_elsewhere(base, launcher, room or 0)):
        note(f"it lives {elsewhere}")
    watch = RoomWatch(run.path, executor.end, in_memory=in_memory)
    way = untrusted.way_to(run.path / cleanup.SOCKET, run.path / cleanup.WAY)
    return EmbeddedServer(binaries, run, executor, watch, way, production_settings)
