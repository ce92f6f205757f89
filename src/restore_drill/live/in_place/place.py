"""A live database that is reset in place: it is shut, has its verdict, and is open again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

import psycopg

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.live.in_place import door
from restore_drill.live.in_place import journal as journals
from restore_drill.live.in_place.hold import Hold, again
from restore_drill.live.in_place.journal import RESET, SHUT, ResetJournal
from restore_drill.live.in_place.limits import refuse_few_connections
from restore_drill.live.in_place.mark import Settings, opening_of
from restore_drill.live.in_place.others import Watch, clear
from restore_drill.live.in_place.owners import refuse_objects_of_others
from restore_drill.live.in_place.refusals import refuse_drill_beside, refuse_use
from restore_drill.live.server.identity import ServerIdentity
from restore_drill.live.server.locks import refuse_few_locks_in_place
from restore_drill.live.server.name_lock import NameLock
from restore_drill.servers.database import check_resettable
from restore_drill.servers.model import Target


class StillShut(CouldNotRun):
    """A database that nobody could open: the server does not answer."""


@dataclass
class InPlace:
    """The database `target`, under the lock on its name.

    Sessions of `target` may write whatever is set for it; `folder` holds snapshots and journals,
    `journal` is that of the reset under way; `max_wait` is in seconds, `jobs` a number of sessions.
    `lets_others_in` says that the server does, for a moment, which nobody need see: a session may
    be gone again between two looks.
    """

    target: Target
    lock: NameLock
    folder: Path
    server: ServerIdentity
    max_wait: float
    watch: Watch
    jobs: int
    journal: ResetJournal | None = None
    lets_others_in: bool = True

    @property
    def is_undecided(self) -> bool:
        """Whether the database may have been reset, and has no verdict."""
        return self.journal is not None and self.journal.is_undecided

    @property
    def is_untouched(self) -> bool:
        """Whether the database is shut, and nothing else was done to it."""
        return self.journal is not None and self.journal.step == SHUT

    def advance(self, step: str, snapshot: Path | None = None) -> None:
        """Note on the disk what is about to be done; CouldNotRun where that is not possible."""
        assert self.journal is not None
        name = snapshot.name if snapshot else self.journal.snapshot
        self.journal = journals.write(self.folder, self.journal, step=step, snapshot=name)

    def about_to_reset(self, hold: Hold, snapshot: Path, *, is_left: bool = False) -> None:
        """Note on the disk that `hold` resets the database now, and what a rollback restores.

        Where it `is_left` by a drill that was stopped, its own snapshot stays noted beside that.
        """
        assert self.journal is not None
        if is_left and not self.journal.behind and self.journal.snapshot != snapshot.name:
            self.journal = replace(self.journal, behind=self.journal.snapshot)
        self.advance(RESET, snapshot)
        hold.mark = self.journal.mark

    def examine(self) -> None:
        """CouldNotRun where the database cannot be reset, or others could not be kept out."""
        check_resettable(self.target)
        with self.target.connect() as connection:
            refuse_drill_beside(self.target, connection)
            refuse_objects_of_others(self.target, connection)
            refuse_use(self.target, connection)
            door.refuse_if_shut(self.target, connection)
            refuse_few_locks_in_place(self.target, connection)
            locks_inside = self.lock.server.conninfo["dbname"] == self.server.database
            refuse_few_connections(self.target, connection, self.jobs, locks_inside=locks_inside)

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
                assert self.journal is not None
                self.lets_others_in = door.shut(connection, self.journal.mark)
                pid, is_left = self.lock.connection.info.backend_pid, self.is_undecided
                of = (self.target, self.server.oid, self.max_wait, pid)
                return clear(connection, *of, is_left=is_left)
        except psycopg.Error as error:
            raise CouldNotRun(
                f"{self.target.description} was not touched: it could not be shut for others",
                checked=[error_text(error)],
                remedy=remedy_for("live", "refused"),
            ) from None

    def begin(self, former: Settings) -> None:
        """Write the journal; CouldNotRun where it cannot be written."""
        # Known before it is written: an interrupt in between leaves none behind.
        self.journal = journals.new_journal(self.folder, self.server, former)
        try:
            journals.write(self.folder, self.journal)
        except CouldNotRun as error:
            self.journal = None
            raise CouldNotRun(
                f"{self.target.description} was not touched: {error.what}",
                remedy=remedy_for("snapshot", "unwritable"),
            ) from None

    def decided(self, step: str) -> None:
        """The database has its verdict, `step`: others may write again.

        CouldNotRun where the server does not answer: the next run opens it then.
        """
        with suppress(CouldNotRun, OSError):  # a full disk: it is removed all the same
            self.advance(step)
        self.open()

    def open(self) -> None:
        """Set what was set before the database was shut, and remove the journal.

        StillShut where the server does not answer: the next run does it.
        """
        assert self.journal is not None
        try:
            with again(self.target) as connection:
                door.give(connection, self.journal.former)
        except psycopg.Error as error:
            raise StillShut(
                f"{self.target.description} is still shut: only the drill may write into it",
                checked=[error_text(error)],
                remedy=remedy_for("in_place", "still_shut", opening=self.opening),
            ) from None
        self.remove_journal()

    @property
    def opening(self) -> str:
        """What opens the database by hand."""
        assert self.journal is not None
        return opening_of(self.server.database, self.journal.former)

    def remove_journal(self) -> None:
        """Remove the journal: the database is open. CouldNotRun where that is not possible."""
        assert self.journal is not None
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
