"""A live database that is reset in place: locked, shut, and open again when it has a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import psycopg
from psycopg import sql

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.live.in_place import door
from restore_drill.live.in_place import journal as journals
from restore_drill.live.in_place.hold import again
from restore_drill.live.in_place.journal import SHUT, ResetJournal
from restore_drill.live.in_place.others import Watch, clear
from restore_drill.live.in_place.owners import refuse_owners
from restore_drill.live.in_place.refusals import refuse_drill_beside, refuse_undecided, refuse_use
from restore_drill.live.server.identity import ServerIdentity, identity_of_server
from restore_drill.live.server.locks import refuse_few_locks_in_place
from restore_drill.live.server.maintenance import maintenance_target
from restore_drill.live.server.name_lock import NameLock
from restore_drill.servers.database import check_resettable
from restore_drill.servers.model import Target


@dataclass
class InPlace:
    """The database `target`, under the lock on its name.

    Sessions of `target` may write whatever is set for it; `folder` holds snapshots and journals,
    `journal` is that of the reset under way; `max_wait` is in seconds.
    """

    target: Target
    lock: NameLock
    folder: Path
    server: ServerIdentity
    max_wait: float
    watch: Watch
    journal: ResetJournal | None = None

    @property
    def is_undecided(self) -> bool:
        """Whether the database may have been reset, and has no verdict."""
        return self.journal is not None and self.journal.is_undecided

    def advance(self, step: str, snapshot: Path | None = None) -> None:
        """Note on the disk what is about to be done; CouldNotRun where that is not possible."""
        assert self.journal is not None
        name = snapshot.name if snapshot else self.journal.snapshot
        self.journal = journals.write(self.folder, self.journal, step=step, snapshot=name)

    def settle(self) -> list[str]:
        """Open what an earlier run has left shut; a line on each.

        CouldNotRun where one was stopped between the reset and its verdict.
        """
        found = journals.resets_of(self.folder, self.server)
        refuse_undecided(self.folder, found)
        lines = []
        for each in found:
            self.journal = each
            self.open()
            lines.append(
                f"an earlier drill was stopped when database {each.name} was {each.step}: "
                "others may write into it again"
            )
        return lines

    def examine(self) -> None:
        """CouldNotRun where the database cannot be reset, or others could not be kept out."""
        check_resettable(self.target)
        with self.target.connect() as connection:
            refuse_drill_beside(self.target, connection)
            refuse_owners(self.target, connection)
            refuse_use(self.target, connection)
            door.refuse_if_shut(self.target, connection)
            refuse_few_locks_in_place(self.target, connection)

    def shut(self) -> list[str]:
        """Keep all others from writing, and end their sessions; a line on each of them.

        CouldNotRun where that is not possible: the database is open then as it was.
        """
        try:
            if self.journal is None:
                self.examine()
            with self.target.connect() as connection:
                if self.journal is None:
                    self.begin(door.settings_of(connection)[0])
                self.lock.check()
                door.shut(connection)
                pid, is_left = self.lock.connection.info.backend_pid, self.is_undecided
                of = (self.target, self.server.oid, self.max_wait, pid)
                return clear(connection, *of, is_left=is_left)
        except psycopg.Error as error:
            raise CouldNotRun(
                f"{self.target.description} was not touched: it could not be shut for others",
                checked=[error_text(error)],
                remedy=remedy_for("live", "refused"),
            ) from None

    def begin(self, former: door.Settings) -> None:
        """Write the journal; CouldNotRun where it cannot be written."""
        # Known before it is written: an interrupt in between leaves none behind.
        self.journal = journals.new_journal(self.folder, self.server, *former)
        try:
            journals.write(self.folder, self.journal)
        except CouldNotRun as error:
            self.journal = None
            raise CouldNotRun(
                f"{self.target.description} was not touched: {error.what}",
                remedy=remedy_for("snapshot", "unwritable"),
            ) from None

    def adopt(self) -> None:
        """Go on with the journal of a run that was stopped, if there is one."""
        found = journals.resets_of(self.folder, self.server)
        self.journal = found[0] if found else None

    def decided(self, step: str) -> None:
        """The database has its verdict, `step`: others may write again.

        CouldNotRun where the server does not answer: the next run opens it then.
        """
        with suppress(CouldNotRun, OSError):  # a full disk: it is removed all the same
            self.advance(step)
        self.open()

    def open(self) -> None:
        """Set what was set before the database was shut, and remove the journal.

        CouldNotRun where the server does not answer: the next run does it.
        """
        assert self.journal is not None
        try:
            with again(self.target) as connection:
                door.give(
                    connection, door.Settings(self.journal.read_only, self.journal.connection_limit)
                )
        except psycopg.Error as error:
            name = sql.Identifier(self.server.database).as_string(None)
            raise CouldNotRun(
                f"{self.target.description} is still shut: only the drill may write into it",
                checked=[error_text(error)],
                remedy=remedy_for("in_place", "still_shut", name=name, setting=door.SETTING),
            ) from None
        try:
            journals.remove(self.folder, self.journal)
        except OSError as error:
            path = journals.journal_path(self.folder, self.journal)
            raise CouldNotRun(
                f"{self.target.description} is open again, and its journal cannot be removed: "
                f"{error.strerror}",
                checked=[str(path)],
                remedy=remedy_for("in_place", "journal_left", path=quote(str(path))),
            ) from None
        self.journal = None


@contextmanager
def in_place(target: Target, folder: Path, max_wait: float) -> Iterator[InPlace]:
    """The live database of `target` under the lock on its name, which is taken first.

    The lock is held in the database postgres where that lets the role in, else in the live one.
    CouldNotRun where another drill has it.
    """
    server = maintenance_target(door.for_reset(target), ["postgres"])
    with ExitStack() as stack:
        try:
            lock = stack.enter_context(NameLock(server, target.conninfo["dbname"]))
            identity = identity_of_server(door.for_reset(target))
        except psycopg.Error as error:
            raise CouldNotRun(
                f"{target.description} was not touched: it could not be examined",
                checked=[error_text(error)],
            ) from None
        watch = Watch(server, identity.oid)
        yield InPlace(door.for_reset(target), lock, folder, identity, max_wait, watch)


@contextmanager
def kept_shut(place: InPlace) -> Iterator[list[str]]:
    """The database shut for others while this lasts; lines on the sessions that were ended.

    It stays shut where it was reset and has no verdict: with its journal, for the next run.
    """
    try:
        lines = place.shut()
        with place.watch:
            yield lines
    finally:
        if place.journal is not None and place.journal.step == SHUT:
            place.open()
