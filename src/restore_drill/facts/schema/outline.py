"""What there is to be read of a database, and all of it but the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from restore_drill.core.names import joined
from restore_drill.core.server_errors import error_text
from restore_drill.facts.content import (
    LARGE_OBJECTS,
    SEQUENCES,
    TABLES,
    UNSTABLE,
    Relation,
    relation_from,
)
from restore_drill.facts.hashes import PROBE
from restore_drill.facts.recorded import (
    Fingerprint,
    LargeObjects,
    Position,
    SequenceFacts,
    as_print,
)
from restore_drill.facts.schema import kinds_of_code, kinds_of_rights, kinds_of_tables
from restore_drill.facts.schema.kinds import Parts, fingerprints, read_parts
from restore_drill.facts.schema.options import not_compared
from restore_drill.facts.session import Connection

KINDS = kinds_of_tables.KINDS + kinds_of_code.KINDS + kinds_of_rights.KINDS
REVISIONS = {kind.name: kind.revision for kind in KINDS if kind.revision > 1}
"""What the fingerprints of each kind hold, where that has changed since the first manifests."""
DIALECT_BOUND = frozenset(kind.name for kind in KINDS if kind.of_dialect)
"""Kinds whose text depends on the major version."""

EXTENSIONS = "SELECT extname, extversion FROM pg_extension ORDER BY 1"

SETTINGS = """
    SELECT DISTINCT concat_ws(' ', split_part(setting, '=', 1),
        'for ' || nullif(s.setrole, 0)::regrole::text)
    FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(setconfig) setting
    WHERE d.datname = current_database() ORDER BY 1
"""

Positions = dict[str, Position]


@dataclass(frozen=True)
class Outline:
    """What there is to be read of a database, and where its sequences stood at that time."""

    relations: list[Relation]
    before: Positions

    def read_rest(self, connection: Connection, *, as_major: int = 99) -> tuple[Fingerprint, Parts]:
        """All but the rows, in one transaction, as a server of `as_major` would tell it.

        With it come the definitions whose fingerprints it holds.
        """
        major = connection.info.server_version // 10000
        with connection.transaction():
            parts = read_parts(connection, KINDS, major=major, as_major=min(major, as_major))
            fingerprint = Fingerprint(
                server_version=connection.info.server_version,
                encoding=connection.info.parameter_status("server_encoding") or "",
                hash_probe=str(one(connection, PROBE)),
                tables={},
                partitions={
                    each.name: tuple(sorted(each.leaves))
                    for each in self.relations
                    if each.kind == "p"
                },
                sequences={name: SequenceFacts(at, at) for name, at in self.before.items()},
                large_objects=large_objects(connection),
                schema=fingerprints(parts),
                extensions=dict(connection.execute(EXTENSIONS).fetchall()),
                settings=tuple(row[0] for row in connection.execute(SETTINGS)),
                left_out=(
                    *(entry for each in self.relations for entry in each.left_out),
                    *not_compared(connection),
                ),
                revisions=REVISIONS,
            )
        return fingerprint, parts


def outline_of(connection: Connection) -> Outline:
    """What there is to be read of the database of `connection`."""
    rows = connection.execute(TABLES, [list(UNSTABLE)]).fetchall()
    return Outline([relation_from(row) for row in rows], positions(connection))


def positions(connection: Connection) -> Positions:
    """Where each sequence stands now: sequences do not obey snapshots."""
    found = {}
    for schema, name in connection.execute(SEQUENCES).fetchall():
        query = sql.SQL("SELECT last_value, is_called FROM {}")
        row = connection.execute(query.format(sql.Identifier(schema, name))).fetchone()
        assert row is not None
        found[joined(schema, name)] = Position(*row)
    return found


def one(connection: Connection, query: str) -> Any:
    """The single value that `query` gives."""
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def large_objects(connection: Connection) -> LargeObjects:
    """Facts of all large objects."""
    try:
        with connection.transaction():
            row = connection.execute(LARGE_OBJECTS).fetchone()
    except psycopg.Error as error:
        return LargeObjects(error=error_text(error))
    assert row is not None
    count, size, content, rights = row
    return LargeObjects(count, size, as_print(int(content)), as_print(int(rights)))
