"""A rollback is rehearsed before anything is reset, in a transaction that is undone.

The database is emptied, and its own definitions are restored, by the very role, on the very
server: what a rollback could not give back is named then. No row is copied.
"""

from __future__ import annotations

from io import BytesIO
from typing import NamedTuple

import psycopg
from psycopg import errors, sql

from restore_drill.backups.plaindump.events import Statement
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.core.server_errors import error_text
from restore_drill.facts.entries import output_of, schema_dump
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.fingerprints import Fingerprinting
from restore_drill.facts.plan import Plan
from restore_drill.facts.session import FIX, FIXED, Connection
from restore_drill.facts.snapshot import tables_of
from restore_drill.live.in_place.hold import Hold
from restore_drill.live.in_place.owners import not_given_back
from restore_drill.live.server.emptying import empty, left_behind
from restore_drill.live.server.room import disk_is_full
from restore_drill.manifest.objects import CHANGED, of_schema
from restore_drill.restore.words import opening_words

LONGEST = 2000
"""Bytes of a statement that its opening words are taken from."""
OF_ROWS = "unpopulated state of"
"""What a restore of definitions alone leaves of a materialized view."""
SAVE, DONE, BACK = (
    b"SAVEPOINT of_statement;\n",
    b"\nRELEASE of_statement",
    b"ROLLBACK TO of_statement; RELEASE of_statement",
)

UNSAVED = """
    SELECT n.nspname, c.relname, coalesce(s.condition, '') FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_class c ON c.oid = d.objid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN (
        SELECT * FROM pg_catalog.pg_extension, unnest(extconfig, extcondition)
            AS saved (relid, condition)
    ) s ON s.relid = c.oid
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'e'
        AND c.relkind IN ('r', 'p', 'S') AND (s.relid IS NULL OR s.condition <> '')
    ORDER BY 1, 2
"""
"""Tables and sequences of extensions of which pg_dump saves nothing, or only some rows."""


class Unsaved(NamedTuple):
    """Rows of an extension's table that pg_dump does not save, and the sum of their hashes."""

    rows: int
    content: str


def refuse_what_is_lost(hold: Hold) -> None:
    """CouldNotRun with what a rollback could not give back; the database is as it was then.

    `hold` has begun a transaction, and keeps all writes waiting.
    """
    connection, target = hold.connection, hold.target
    with schema_dump(target) as dump:
        script, why_not = output_of(dump)
    reasons = [f"pg_dump --schema-only: {why_not}"] if why_not else []
    if not reasons:
        try:
            connection.execute("SAVEPOINT rehearsal")
            reasons = rehearse(connection, target.major, script)
            connection.execute("ROLLBACK TO rehearsal; RELEASE rehearsal")
        except errors.DiskFull as error:
            connection.close()
            raise disk_is_full(target, error) from None
        except psycopg.Error as error:
            connection.close()
            raise hold.untouched(error) from None
    if reasons:
        raise not_given_back(target, reasons)


def rehearse(connection: Connection, major: int, script: bytes) -> list[str]:
    """What is lost when the database is emptied and `script` restored; all is left undone."""
    fixed = [True, list(FIXED), list(FIXED.values())]
    before, rows = definitions(connection, fixed), unsaved(connection)
    has_public = connection.execute("SELECT to_regnamespace('public')").fetchone() != (None,)
    empty(connection, major)
    left = [f"{name}: a reset would leave it behind" for name in left_behind(connection)]
    if not has_public:
        left.append("there is no schema public, which a reset creates")
    reasons = left + restored(connection, script)
    after, rows_after = definitions(connection, fixed), unsaved(connection)
    reasons += [
        str(each)
        for each in of_schema(before, after)
        if each.how != CHANGED and each.kind != OF_ROWS
    ]
    reasons += [
        f"extension {name}: version {version}, of which the server offers {now}"
        for name, version in before.extensions.items()
        if (now := after.extensions.get(name, "none")) != version
    ]
    reasons += [
        f"{name}: {each.rows} rows of an extension, which pg_dump does not save completely"
        for name, each in rows.items()
        if rows_after.get(name) != each
    ]
    return reasons


def definitions(connection: Connection, fixed: list[object]) -> Fingerprint:
    """All but the rows, as `connection` sees it within its transaction."""
    connection.execute("SAVEPOINT reading")
    if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
        connection.execute("SET LOCAL client_encoding = 'LATIN1'")  # as `facts.session.begin`
    connection.execute(FIX, fixed)
    found, _ = Fingerprinting(Plan(), connection, tables_of(connection)).read_rest(connection)
    connection.execute("ROLLBACK TO reading; RELEASE reading")
    assert found is not None
    return found


def unsaved(connection: Connection) -> dict[str, Unsaved]:
    """Rows of extensions that pg_dump does not save, by the table."""
    found = {}
    for schema, name, condition in connection.execute(UNSAVED.encode()).fetchall():
        table = sql.Identifier(schema, name)
        query = sql.SQL(
            "SELECT count(*), coalesce(sum(pg_catalog.hashtextextended(t::text, 0)), 0)::text"
            " FROM ONLY {} t"
        ).format(table)
        if condition:
            saved = sql.SQL(" WHERE ctid NOT IN (SELECT ctid FROM ONLY {} {})")
            query += saved.format(table, sql.SQL(condition))
        (row,) = connection.execute(query).fetchall()
        found[f"{schema}.{name}"] = Unsaved(*row)
    return found


def restored(connection: Connection, script: bytes) -> list[str]:
    """Run the statements of `script`; a line on each that fails."""
    reasons = []
    for event in PlainReader(BytesIO(script)).events():
        if not isinstance(event, Statement):
            continue
        try:
            connection.execute(SAVE + event.sql + DONE)
        except psycopg.Error as error:
            if connection.closed or isinstance(error, errors.OutOfMemory | errors.DiskFull):
                raise
            connection.execute(BACK)
            words = opening_words(event.sql[:LONGEST].decode("utf-8", "replace"))
            reasons.append(f"{words}: {error_text(error)}")
    return reasons
