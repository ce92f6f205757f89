"""Why a live database is left alone: it has changed, or an earlier drill left it undecided."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg

from restore_drill.core.calling import COMMAND
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.core.units import show_count
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.snapshot import read_all_but_rows
from restore_drill.live.identity import ServerIdentity
from restore_drill.live.undecided import read_source, undecided_in
from restore_drill.manifest.settle import differences
from restore_drill.servers.model import Target


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
        ) from None
    was = replace(fingerprint, tables={}, partitions={}, written=None)
    changed = differences(was, replace(now, partitions={}), target)
    if changed:
        raise CouldNotRun(
            f"{target.description} was not touched: it has changed since its snapshot was taken",
            checked=changed,
            remedy=remedy_for("live", "changed"),
        )


def refuse_undecided(folder: Path, server: ServerIdentity) -> list[str]:
    """CouldNotRun where an earlier drill of this database died before its verdict.

    Gives a line on each such marker of another database, which is none of ours. The drill's lock
    must be held: else the marker may be that of a drill which is at work.
    """
    others = []
    for path in undecided_in(folder):
        source = read_source(path)
        if source is not None and (mismatch := source.server.mismatch(server)):
            others.append(f"{path.name} has no verdict, but {mismatch}")
            continue
        raise CouldNotRun(
            f"an earlier drill was stopped after it had reset database {server.database}, "
            "before its verdict",
            checked=[f"{path}.undecided"],
            remedy=remedy_for(
                "snapshot", "undecided", path=path, rollback=way_back(path, server.database)
            ),
        )
    return others


def way_back(path: Path, database: str) -> str:
    """Command that restores the snapshot at `path` into `database`."""
    return f"{COMMAND} rollback {path} --confirm-reset {database}"


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
