"""Proves that a table can be written, in a transaction that is rolled back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, LiteralString, NamedTuple

import psycopg
from psycopg import errors, sql

from restore_drill.core.names import split_name
from restore_drill.core.server_errors import error_text
from restore_drill.servers.model import Target

COLUMNS = """
    SELECT a.attname, a.attidentity <> '' OR coalesce(d.text LIKE 'nextval(%%', false),
        a.attidentity = 'a'
    FROM pg_catalog.pg_attribute a
    LEFT JOIN LATERAL (
        SELECT pg_catalog.pg_get_expr(ad.adbin, ad.adrelid) AS text
        FROM pg_catalog.pg_attrdef ad WHERE ad.adrelid = a.attrelid AND ad.adnum = a.attnum
    ) d ON true
    WHERE a.attrelid = pg_catalog.to_regclass(%s)
        AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    ORDER BY a.attnum
"""
KEY_COLUMNS = """
    SELECT a.attname FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = pg_catalog.to_regclass(%s) AND c.relname = %s
"""
COPY_REFUSED = (errors.UniqueViolation, errors.ExclusionViolation, errors.RaiseException)
"""A copy of a row may be refused for what it is, which says nothing against writing."""
DELETE_REFUSED = (errors.ForeignKeyViolation, errors.RestrictViolation, errors.RaiseException)
CANDIDATES = 20
"""How many rows are tried where keys refuse to let one go."""
NO_ROW = "it has no row to copy"


class Column(NamedTuple):
    """A column that can be written; `is_automatic` where a sequence feeds it."""

    name: str
    is_automatic: bool
    is_always: bool


class RolledBack(Exception):
    """Ends the transaction of a write check: nothing of it stays."""


def check_write(target: Target, table: str) -> str:
    """Insert, update and delete a row of `table`; empty, or what went wrong.

    `table` is `schema.table`, behind the name of its database where that is another one. A copy of
    a row is inserted with a new key from its sequence; where the copy collides with
    another unique key, a row is deleted and inserted again. All is rolled back.
    """
    *database, schema, name = split_name(table)
    if database:  # another one of a recovered server
        target = replace(target, conninfo=target.conninfo | {"dbname": database[0]})
    relation, problem = sql.Identifier(schema, name), ""
    with target.connect() as connection:
        found = connection.execute(COLUMNS, [relation.as_string(connection)]).fetchall()
        if not found:
            return "it does not exist"
        check = WriteCheck(connection, relation, [Column(*row) for row in found])
        try:
            with connection.transaction():
                problem = check.run()
                raise RolledBack
        except RolledBack:
            pass
        except psycopg.Error as error:
            problem = error_text(error, table, connection=connection)
    return problem


@dataclass(frozen=True)
class WriteCheck:
    """One check of one table, inside an open transaction."""

    connection: psycopg.Connection[tuple[Any, ...]]
    relation: sql.Identifier
    columns: list[Column]

    def run(self) -> str:
        """Write; empty, or what went wrong."""
        rows = self.query("SELECT tableoid, ctid::text FROM {table} LIMIT {most}").fetchall()
        if not rows:
            return NO_ROW
        try:
            with self.connection.transaction():
                return self.write_copy(rows[0])
        except COPY_REFUSED as refusal:
            broken = refusal.diag.constraint_name or ""
            automatic = {column.name for column in self.columns if column.is_automatic}
            if automatic & self.key_columns(broken):
                return f"an insert collides on {broken}: its sequence lags behind the rows"
        for row in rows[:-1]:
            try:
                with self.connection.transaction():
                    return self.write_again(row)
            except DELETE_REFUSED:
                continue
        return self.write_again(rows[-1])

    def query(
        self, text: LiteralString, row: tuple[Any, ...] = (0, "(0,0)"), *, copied: bool = False
    ) -> psycopg.Cursor[tuple[Any, ...]]:
        """Run `text`, with the table, its columns and the one row at (tableoid, ctid) put in.

        With `copied` the columns are those that a copy needs: not those that a sequence feeds.
        """
        names = [c.name for c in self.columns if not (copied and c.is_automatic)]
        changeable = [c.name for c in self.columns if not c.is_always]
        assignment = sql.SQL("{0} = {0}" if changeable else "{0} = DEFAULT")
        return self.connection.execute(
            sql.SQL(text).format(
                table=self.relation,
                columns=sql.SQL(", ").join(map(sql.Identifier, names)),
                change=assignment.format(sql.Identifier((changeable or names)[0])),
                row=sql.SQL("tableoid = {} AND ctid = {}::tid").format(*map(sql.Literal, row)),
                most=sql.Literal(CANDIDATES),
            )
        )

    def write_copy(self, row: tuple[Any, ...]) -> str:
        """Insert a copy of `row`, then update and delete the copy."""
        if all(column.is_automatic for column in self.columns):
            insert = self.query("INSERT INTO {table} DEFAULT VALUES RETURNING tableoid, ctid::text")
        else:
            insert = self.query(
                "INSERT INTO {table} ({columns}) SELECT {columns} FROM {table} WHERE {row}"
                " RETURNING tableoid, ctid::text",
                row,
                copied=True,
            )
        copy = insert.fetchone()
        if copy is None:
            return "the inserted row is missing: a trigger or rule removed it"
        changed = self.update(copy)
        if changed is None:
            return "the update changed no row: a trigger or rule prevented it"
        gone = self.query("DELETE FROM {table} WHERE {row}", changed)
        return "" if gone.rowcount == 1 else "the delete removed no row"

    def write_again(self, row: tuple[Any, ...]) -> str:
        """Update `row`, then delete it and insert it again in one statement, as keys demand."""
        changed = self.update(row)
        if changed is None:
            return "the update changed no row: a trigger or rule prevented it"
        moved = self.query(
            "WITH gone AS (DELETE FROM {table} WHERE {row} RETURNING *)"
            " INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM gone",
            changed,
        )
        return "" if moved.rowcount == 1 else "the deleted row could not be inserted again"

    def update(self, row: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Where `row` lies after an update, None where it did not change."""
        return self.query(
            "UPDATE {table} SET {change} WHERE {row} RETURNING tableoid, ctid::text", row
        ).fetchone()

    def key_columns(self, constraint: str) -> set[str]:
        """Columns of the unique key or index named `constraint`."""
        name = self.relation.as_string(self.connection)
        rows = self.connection.execute(KEY_COLUMNS, [name, constraint]).fetchall()
        return {column for (column,) in rows}
