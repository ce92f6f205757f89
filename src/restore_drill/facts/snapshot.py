"""Reads the fingerprint of a database in use: in one snapshot, its tables locked beforehand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Self

import psycopg
from psycopg import sql

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.names import apart
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.core.server_lines import names_damage
from restore_drill.facts.catalog import TABLES, Table
from restore_drill.facts.content import Hashed
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.fingerprints import Fingerprinting, positions
from restore_drill.facts.plan import Plan
from restore_drill.facts.pool import Shares, close
from restore_drill.facts.session import Connection, open_session
from restore_drill.servers.model import Target

Progress = Callable[[str], None]


class SnapshotReading:
    """Reads `target` through as of the exported `snapshot`, or of one of its own each session.

    Each session locks the tables that it will read at once: a lock asked for later could wait
    behind somebody's DDL, which waits for ours. psycopg's errors come from the constructor too.
    """

    def __init__(self, target: Target, jobs: int, snapshot: str = "") -> None:
        """Open the sessions, plan what is read, and lock it."""
        self.plan = Plan("fingerprints")
        self.sessions = [open_session(target, snapshot=snapshot)]
        try:
            self.contents = Fingerprinting(self.plan, self.main, tables_of(self.main))
            shares = [(self.main, self.plan.jobs[:])]
            tables = [*self.contents.tables.values(), *self.contents.views]
            for share in share_out(tables, jobs):
                session = open_session(target, snapshot=snapshot)
                self.sessions.append(session)
                lock(session, share)
                for each in share:
                    self.contents.add(each)
                shares.append((session, self.plan.pack(1)))
            self.workers = Shares(shares)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Read."""
        return self

    def __exit__(self, *_: object) -> None:
        """End all sessions."""
        self.close()

    def close(self) -> None:
        """End all sessions; nothing may be reading any more."""
        close(self.sessions)

    @property
    def main(self) -> Connection:
        """Session that reads everything but the tables."""
        return self.sessions[0]

    def read(self, progress: Progress) -> Fingerprint:
        """Fingerprint of the database; a table that cannot be read keeps the server's message.

        The sequences' positions are those of the constructor's time, see `moved`.
        """
        self.plan.run(self.workers, progress)
        found = self.contents.fingerprint({})
        assert found is not None
        return found

    def moved(self, fingerprint: Fingerprint) -> Fingerprint:
        """`fingerprint` with where its sequences stand now, at the end of a dump."""
        after = positions(self.main)
        return replace(
            fingerprint,
            sequences={
                name: each._replace(after=after.get(name, each.before))
                for name, each in fingerprint.sequences.items()
            },
        )


def read_fingerprint(target: Target, jobs: int, progress: Progress) -> Fingerprint:
    """Read all of the database once; CouldNotRun where anything cannot be read."""
    try:
        with SnapshotReading(target, jobs) as reading:
            found = reading.read(progress)
    except psycopg.Error as error:
        raise unreadable(target, [error_text(error)]) from None
    if found.unread:
        raise unreadable(target, found.unread)
    return found


def read_all_but_rows(target: Target) -> Fingerprint:
    """The same without what is in its tables; psycopg's errors where it cannot be read."""
    with open_session(target, snapshot="") as session:
        found, _ = Fingerprinting(Plan(), session, tables_of(session)).read_rest(session)
    assert found is not None
    return found


def unreadable(target: Target, reasons: list[str]) -> CouldNotRun:
    """Error of a database that cannot be read through."""
    is_damaged = names_damage(reasons)
    return CouldNotRun(
        f"{target.description} could not be read completely",
        checked=reasons[:5],
        remedy=remedy_for("backup", "damaged_tables" if is_damaged else "unreadable_tables"),
    )


def tables_of(connection: Connection) -> list[Table]:
    """All tables of the database."""
    return [Table(*row) for row in connection.execute(apart(TABLES).encode())]


def share_out(tables: Sequence[Hashed], jobs: int) -> list[list[Hashed]]:
    """`tables` in at most `jobs` shares of about the same size, the largest first."""
    shares: list[list[Hashed]] = [[] for _ in range(min(jobs, len(tables)))]
    loads = [0] * len(shares)
    for table in sorted(tables, key=lambda each: -each.size):
        least = loads.index(min(loads))
        shares[least].append(table)
        loads[least] += table.size + 1
    return shares


def lock(session: Connection, share: Sequence[Hashed]) -> None:
    """Keep the tables in `share` from being dropped, rewritten or emptied while they are read."""
    names = [
        sql.SQL("ONLY {}").format(sql.Identifier(each.table.schema, each.table.name))
        for each in share
        if each.table.kind == "r"
    ]
    if names:
        statement = sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE")
        session.execute(statement.format(sql.SQL(", ").join(names)))
