"""Why a live database is left alone: it has changed, or an earlier drill left it undecided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shlex import quote

import psycopg

from restore_drill.core.calling import COMMAND
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.core.units import show_count, some
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.session import Connection
from restore_drill.facts.snapshot import read_all_but_rows
from restore_drill.live.in_place.journal import ResetJournal, journal_path
from restore_drill.live.server.drill_databases import find
from restore_drill.manifest.settle import differences
from restore_drill.servers.model import Target

PREPARED = """
    SELECT gid FROM pg_catalog.pg_prepared_xacts
    WHERE database = pg_catalog.current_database() ORDER BY prepared
"""
SLOTS = """
    SELECT slot_name FROM pg_catalog.pg_replication_slots
    WHERE database = pg_catalog.current_database() ORDER BY 1
"""


class Undecided(CouldNotRun):
    """An earlier drill was stopped between the reset of the live database and its verdict."""


def refuse_change(target: Target, fingerprint: Fingerprint) -> None:
    """CouldNotRun where anything but rows has changed since `fingerprint` was read.

    Rows cannot: writes are held. Tables can be made, sequences and large objects can move.
    """
    try:
        now = read_all_but_rows(target)
    except psycopg.Error as error:
        raise CouldNotRun(
            f"{target.description} was not touched: it could not be read again",
            checked=[error_text(error)],
            remedy=remedy_for("in_place", "not_read"),
        ) from None
    was = replace(fingerprint, tables={}, partitions={}, written=None)
    changed = differences(was, replace(now, partitions={}), target)
    if changed:
        raise CouldNotRun(
            f"{target.description} was not touched: it has changed since its snapshot was taken",
            checked=changed,
            remedy=remedy_for("live", "changed"),
        )


def refuse_undecided(
    folder: Path, journals: Sequence[ResetJournal], *, is_marked: bool = True
) -> None:
    """CouldNotRun where one of `journals` is of a drill that died between reset and verdict.

    The lock on the name must be held: else it may be that of a drill which is at work. A database
    that is not `is_marked` may have been rolled back from elsewhere.
    """
    for each in journals:
        if each.is_undecided:
            path = journal_path(folder, each)
            raise Undecided(
                f"an earlier drill was stopped after it had reset database {each.name}, "
                "before its verdict",
                checked=[str(path)],
                remedy=[*ways_back(folder, each), *opened_since(path, is_marked=is_marked)],
            )


def ways_back(folder: Path, journal: ResetJournal) -> list[str]:
    """What to do about a reset without a verdict: the command that restores the state before it.

    And that of a rollback to another snapshot, where one had begun.
    """
    first = folder / (journal.behind or journal.snapshot)
    lines = remedy_for("snapshot", "undecided", rollback=way_back(first, journal.name))
    if journal.behind:
        later = way_back(folder / journal.snapshot, journal.name)
        lines = [*lines, *remedy_for("snapshot", "begun", rollback=later)]
    return list(lines)


def opened_since(path: Path, *, is_marked: bool) -> Sequence[str]:
    """What to do where the journal at `path` may be out of date."""
    return () if is_marked else remedy_for("snapshot", "no_mark", path=quote(str(path)))


def refuse_drill_beside(target: Target, connection: Connection) -> None:
    """CouldNotRun where a drill is at work beside the database, which it reads."""
    found = [each for each in find(connection, target).beside if each.holder is not None]
    if found:
        raise CouldNotRun(
            f"another drill is at work beside {target.description}",
            checked=[
                f"pg_locks: pid {each.holder} holds the lock of {each.name}" for each in found
            ],
            remedy=remedy_for("live", "another_drill"),
        )


def refuse_use(target: Target, connection: Connection) -> None:
    """CouldNotRun where something outlasts a reset of the database, or keeps it from one."""
    for query, what, cause in (
        (PREPARED, "prepared transactions", "prepared"),
        (SLOTS, "logical replication slots, whose readers a reset would cut off", "slots"),
    ):
        names = [str(name) for (name,) in connection.execute(query.encode()).fetchall()]
        if names:
            raise CouldNotRun(
                f"{target.description} was not touched: it has {what}",
                checked=[some(names, 10)],
                remedy=remedy_for(
                    "in_place", "slots" if cause == "slots" else "prepared", name=names[0]
                ),
            )


def way_back(path: Path, database: str) -> str:
    """Command that restores the snapshot at `path` into `database`."""
    return f"{COMMAND} rollback {quote(str(path))} --confirm-reset {quote(database)}"


def what_it_holds(target: Target) -> str:
    """What is in the live database now, as far as it answers."""
    try:
        with target.connect() as connection:
            row = connection.execute(
                "SELECT count(*), coalesce(sum(greatest(reltuples, 0)), 0)::bigint"
                " FROM pg_catalog.pg_class WHERE relkind = 'r' AND oid >= 16384"
                " AND relnamespace <> 'pg_catalog'::pg_catalog.regnamespace"
                " AND relnamespace <> 'pg_toast'::pg_catalog.regnamespace"
            ).fetchone()
    except psycopg.Error:
        return "the server does not answer, so what it holds is not known"
    tables, rows = row or (0, 0)
    if not tables:
        return "it holds no table at all"
    return f"it holds {show_count(tables, 'table')} with about {show_count(rows, 'row')}"
