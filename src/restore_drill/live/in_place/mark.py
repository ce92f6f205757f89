"""The comment on a database that a drill has shut: what was set for it, and whether it was reset.

Who lacks the drill's journal opens the database by it, or learns where its snapshot is.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from psycopg import sql

from restore_drill.core.json_values import text, whole
from restore_drill.facts.session import Connection
from restore_drill.servers.model import Target

SETTING = "default_transaction_read_only"
OPENING = "restore-drill: shut for others by a drill in place; "
COMMENT = """
    SELECT pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database
    WHERE datname = pg_catalog.current_database()
"""


class Settings(NamedTuple):
    """What is set for a database; None where it has no such setting, or no comment."""

    read_only: str | None
    connection_limit: int
    comment: str | None


class Mark(NamedTuple):
    """What was set before the database was shut, and by whom that was done.

    `snapshot` is the name of the file that a rollback restores, empty where nothing was reset;
    `machine` is where it lies.
    """

    former: Settings
    snapshot: str
    machine: str

    @property
    def text(self) -> str:
        """The comment."""
        values = {"snapshot": self.snapshot, "machine": self.machine, **self.former._asdict()}
        return OPENING + json.dumps(values)


def mark_in(comment: str | None) -> Mark | None:
    """The mark that a `comment` is; None where it is another one."""
    if comment is None or not comment.startswith(OPENING):
        return None
    try:
        raw = json.loads(comment.removeprefix(OPENING))
        former = Settings(
            None if raw["read_only"] is None else text(raw["read_only"]),
            whole(raw["connection_limit"]),
            None if raw["comment"] is None else text(raw["comment"]),
        )
        return Mark(former, text(raw["snapshot"]), text(raw["machine"]))
    except (ValueError, KeyError, TypeError):
        return None


def mark_on(target: Target) -> Mark | None:
    """The mark on the database of `target`; None where no drill has shut it."""
    with target.connect() as connection:
        row = connection.execute(COMMENT).fetchone()
    return mark_in(row[0]) if row else None


def changes(name: str, wanted: Settings) -> list[sql.Composed]:
    """Statements that give the database `name` the settings that are `wanted`."""
    database = sql.Identifier(name)
    of_writes = sql.SQL("ALTER DATABASE {} RESET {}").format(database, sql.Identifier(SETTING))
    if wanted.read_only is not None:
        of_writes = sql.SQL("ALTER DATABASE {} SET {} = {}").format(
            database, sql.Identifier(SETTING), sql.Literal(wanted.read_only)
        )
    limit = sql.SQL(str(wanted.connection_limit))  # a literal of -1 has a blank before it
    return [
        of_writes,
        sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(database, limit),
        sql.SQL("COMMENT ON DATABASE {} IS {}").format(database, sql.Literal(wanted.comment)),
    ]


def opening_of(name: str, former: Settings) -> str:
    """The same as text: what opens the database by hand."""
    return "; ".join(each.as_string(None) for each in changes(name, former))


def comment_on(connection: Connection, comment: str) -> None:
    """Give the database of `connection` that comment."""
    statement = sql.SQL("COMMENT ON DATABASE {} IS {}")
    name = sql.Identifier(connection.info.dbname)
    connection.execute(statement.format(name, sql.Literal(comment)))
