"""Why there is no way back from a swap: undone already, renamed since, or in no journal."""

from __future__ import annotations

from pathlib import Path

from psycopg import sql

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.facts.session import Connection
from restore_drill.live.promote.journal import NO_DATABASE, WAY_BACK, Journal
from restore_drill.live.promote.settle import names_of


def why_moved(
    connection: Connection, last: Journal, name: str, *, is_there: bool
) -> CouldNotRun | None:
    """Why the `last` swap cannot be undone where what it named `name` no longer has that name.

    None where that was the way back from a promotion, and where a `name` is there:
    a copy of that server has the same system identifier.
    """
    is_creation = last.live_oid == NO_DATABASE
    if last.kind == WAY_BACK:
        if last.incoming_oid != NO_DATABASE:
            return None
        return CouldNotRun(
            f"no database was touched: the creation of {name} has already been undone",
            checked=[f"pg_database: {called(connection, last.live_oid)}"],
            remedy=remedy_for("way_back", "nothing", name=name),
        )
    if is_there:
        return None
    given = "created as" if is_creation else "promoted to"
    return CouldNotRun(
        f"no database was touched: the one that was {given} {name} no longer has that name",
        checked=[f"pg_database: {called(connection, last.incoming_oid)}"],
        remedy=remedy_for(
            "way_back",
            "created_moved" if is_creation else "promoted_moved",
            name=sql.Identifier(name).as_string(None),
            kept=sql.Identifier(last.kept).as_string(None),
        ),
    )


def called(connection: Connection, oid: int) -> str:
    """What the database `oid` is called now."""
    name = names_of(connection, oid).get(oid)
    return f"number {oid} is {'gone' if name is None else f'called {name} now'}"


def nothing_to_undo(
    connection: Connection, folder: Path, name: str, undone: Journal | None, last: Journal | None
) -> CouldNotRun:
    """Why there is no promotion to go back from.

    `undone` is the swap that has left it so, `last` the last one of that name: what it gave the
    name to may be called otherwise now, beside a new database.
    """
    others = connection.execute(
        "SELECT datname FROM pg_catalog.pg_database WHERE pg_catalog.starts_with(datname, %s)"
        " ORDER BY 1",
        [f"{name}_"],
    ).fetchall()
    checked = [f"beside it on the server: {other}" for (other,) in others]
    if undone is not None:
        why = "its last promotion has already been undone"
        remedy = remedy_for("way_back", "nothing", name=name)
    else:
        why = f"no journal in {folder} belongs to a promotion of it on this server"
        remedy = remedy_for(
            "way_back", "no_journal", name=name, undone=f"{name}_undone",
            before=f"{name}_before_TIME",
        )  # fmt: skip
        now = names_of(connection, last.incoming_oid) if last is not None else {}
        for oid, moved in now.items():
            checked.append(f"number {oid}, which was promoted to that name, is called {moved} now")
            quoted, other = (sql.Identifier(each).as_string(None) for each in (name, moved))
            renamed = remedy_for("way_back", "renamed_away", name=quoted, moved=other)
            remedy = [*renamed, *remedy]
    return CouldNotRun(f"database {name} was not touched: {why}", checked=checked, remedy=remedy)
