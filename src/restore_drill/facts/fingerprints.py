"""Plans what makes up the fingerprint of a database; the tables' own come with their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from restore_drill.core.names import joined, quoted
from restore_drill.core.server_errors import error_text
from restore_drill.facts.catalog import SEQUENCES, Table
from restore_drill.facts.content import EFFORT, LARGE_OBJECTS, Hashed, hashed_tables
from restore_drill.facts.fingerprint import (
    Fingerprint,
    LargeObjects,
    Position,
    SequenceFacts,
    TableFacts,
    as_print,
)
from restore_drill.facts.hashes import PROBE
from restore_drill.facts.jobs import Asked
from restore_drill.facts.plan import Plan
from restore_drill.facts.rows import read_content
from restore_drill.facts.schema.all_kinds import KINDS, REVISIONS
from restore_drill.facts.schema.kinds import fingerprints, read_parts
from restore_drill.facts.schema.model import Objects, definitions
from restore_drill.facts.schema.options import not_compared
from restore_drill.facts.session import Connection

DEFINITIONS = 20
"""What reading the definition of a table costs, where counting the rows of a page costs 1."""

AT_ONCE = 100
"""Sequences read by one query."""

EXTENSIONS = "SELECT extname, extversion FROM pg_extension ORDER BY 1"

SETTINGS = """
    SELECT DISTINCT concat_ws(' ', split_part(setting, '=', 1),
        'for ' || nullif(s.setrole, 0)::regrole::text)
    FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(setconfig) setting
    WHERE d.datname = current_database() ORDER BY 1
"""

Positions = dict[str, Position]


class Fingerprinting:
    """What is read for a fingerprint, as a server of `as_major` would write the definitions.

    `tables` are those that hold rows, by name: who reads their rows takes their fingerprints too.
    Of a copy not all may be readable: `error` says why not. With `drifting` the definitions
    themselves are kept too.
    """

    def __init__(
        self,
        plan: Plan,
        connection: Connection,
        tables: Sequence[Table],
        *,
        as_major: int = 99,
        of_copy: bool = False,
        drifting: bool = False,
    ) -> None:
        """See what there is, and plan that all but the rows of tables is read."""
        self.as_major = as_major
        self.of_copy = of_copy
        self.drifting = drifting
        self.error = ""
        self.all = hashed_tables(connection, tables)
        self.before = positions(connection)
        self.tables = {each.name: each for each in self.all if each.table.kind == "r"}
        self.views = [
            each for each in self.all if each.table.kind == "m" and each.table.is_populated
        ]
        self.plan = plan
        self.found: dict[str, Asked[TableFacts]] = {}
        cost = DEFINITIONS * len(self.all)
        self.rest = plan.add("definitions", self.read_rest, pages=cost)

    def add(self, hashed: Hashed) -> None:
        """Plan that the content of a table or view is read by itself."""
        self.found[hashed.name] = self.plan.ask(
            read_content, hashed, pages=hashed.pages, effort=EFFORT
        )

    def read_rest(self, connection: Connection) -> tuple[Fingerprint | None, Objects]:
        """All but the rows, in one transaction, and the definitions where they are to be kept."""
        major = connection.info.server_version // 10000
        schema: dict[str, dict[str, str]] = {}
        kept: Objects = {}
        try:
            with connection.transaction():
                as_major = min(major, self.as_major)
                for kind, found in read_parts(connection, KINDS, major=major, as_major=as_major):
                    schema[kind] = fingerprints(found)
                    if self.drifting:
                        kept[kind] = definitions(kind, found)
                return self.without_rows(connection, schema), kept
        except psycopg.Error as error:
            if connection.broken or not self.of_copy:
                raise
            self.error = error_text(error)
            return None, {}

    def without_rows(
        self, connection: Connection, schema: dict[str, dict[str, str]]
    ) -> Fingerprint:
        """Fingerprint of all but the rows, with those of the definitions: `schema`."""
        names = {each.table.oid: each.name for each in self.tables.values()}
        return Fingerprint(
            server_version=connection.info.server_version,
            encoding=connection.info.parameter_status("server_encoding") or "",
            hash_probe=str(one(connection, PROBE)),
            tables={},
            partitions={
                each.name: tuple(sorted(names[oid] for oid in each.table.leaves if oid in names))
                for each in self.all
                if each.table.is_partitioned
            },
            sequences={name: SequenceFacts(at, at) for name, at in self.before.items()},
            large_objects=large_objects(connection),
            schema=schema,
            extensions=dict(connection.execute(EXTENSIONS).fetchall()),
            settings=tuple(row[0] for row in connection.execute(SETTINGS)),
            left_out=(
                *(entry for each in self.all for entry in each.left_out),
                *not_compared(connection),
            ),
            revisions=REVISIONS,
        )

    def fingerprint(self, content: Mapping[str, TableFacts]) -> Fingerprint | None:
        """Fingerprint of the database, once the plan has run; `content` was read with the rows."""
        found, _ = self.rest.result()
        if found is None:
            return None
        others = {name: future.result() for name, future in self.found.items()}
        found.tables.update(sorted({**content, **others}.items()))
        return found


def positions(connection: Connection) -> Positions:
    """Where each sequence stands now: sequences do not obey snapshots."""
    found = {}
    names = connection.execute(SEQUENCES).fetchall()
    for first in range(0, len(names), AT_ONCE):
        some = names[first : first + AT_ONCE]
        queries = (
            f"SELECT {place}, last_value, is_called FROM {quoted(schema)}.{quoted(name)}"
            for place, (schema, name) in enumerate(some)
        )
        for place, *position in connection.execute(" UNION ALL ".join(queries).encode()):
            found[joined(*some[place])] = Position(*position)
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
