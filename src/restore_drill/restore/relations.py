"""What the catalog says of the tables that are to be loaded: which of them may go side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from psycopg.pq import ExecStatus

from restore_drill.backups.plaindump.names import parts
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.server_errors import error_of
from restore_drill.restore.plain import SqlFeed

Name = tuple[bytes, ...]
"""Schema and name of a relation, in the dump's encoding, quotes taken away."""

TABLES = """
WITH RECURSIVE routine AS (
    -- Functions in C or of the server itself read no tables; any other one may.
    SELECT p.oid FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE p.oid >= 16384 AND l.lanname NOT IN ('internal', 'c')
), operator AS (
    SELECT o.oid FROM pg_catalog.pg_operator o WHERE o.oprcode IN (SELECT oid FROM routine)
), calling AS (
    SELECT d.classid, d.objid, d.objsubid FROM pg_catalog.pg_depend d
    WHERE d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
          AND d.refobjid IN (SELECT oid FROM routine)
       OR d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass
          AND d.refobjid IN (SELECT oid FROM operator)
       OR d.refclassid = 'pg_catalog.pg_opclass'::pg_catalog.regclass AND d.refobjid >= 16384
), domain AS (
    SELECT c.contypid AS oid FROM pg_catalog.pg_constraint c
    WHERE c.contypid <> 0 AND c.oid IN (
        SELECT objid FROM calling
        WHERE classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass)
  UNION
    SELECT t.oid FROM domain o JOIN pg_catalog.pg_type t
        ON o.oid IN (t.typbasetype, t.typelem)
        OR EXISTS (SELECT FROM pg_catalog.pg_attribute a
                   WHERE a.attrelid = t.typrelid AND t.typrelid <> 0 AND a.atttypid = o.oid)
        OR EXISTS (SELECT FROM pg_catalog.pg_range r
                   WHERE r.rngsubtype = o.oid AND t.oid IN (r.rngtypid, r.rngmultitypid))
), calling_partitioning AS (
    SELECT FROM calling JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = objid
    WHERE classid = 'pg_catalog.pg_class'::pg_catalog.regclass
)
SELECT n.nspname, c.relname, c.oid, c.relkind,
    c.relkind <> 'r' OR c.relhastriggers OR c.relhasrules OR c.relrowsecurity
    OR c.relpersistence = 't'
    OR c.relispartition AND EXISTS (SELECT FROM calling_partitioning)
    OR EXISTS (SELECT FROM pg_catalog.pg_constraint k JOIN calling ON objid = k.oid
               WHERE k.conrelid = c.oid
                     AND classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass)
    OR EXISTS (SELECT FROM pg_catalog.pg_attrdef f JOIN calling ON objid = f.oid
               JOIN pg_catalog.pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
               WHERE f.adrelid = c.oid AND a.attgenerated <> ''
                     AND classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass)
    -- Before PostgreSQL 15 it is the generated column itself that depends on the function.
    OR EXISTS (SELECT FROM pg_catalog.pg_attribute a
               JOIN calling ON objid = a.attrelid AND objsubid = a.attnum
               WHERE a.attrelid = c.oid AND a.attgenerated <> ''
                     AND classid = 'pg_catalog.pg_class'::pg_catalog.regclass)
    OR EXISTS (SELECT FROM pg_catalog.pg_attribute a JOIN domain o ON o.oid = a.atttypid
               WHERE a.attrelid = c.oid AND a.attnum > 0) AS not_parallel_safe,
    (SELECT string_agg(CASE a.attgenerated WHEN '' THEN 's' ELSE 'g' END, '' ORDER BY a.attnum)
     FROM pg_catalog.pg_attribute a
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""

CHILDREN = "SELECT inhparent, inhrelid FROM pg_catalog.pg_inherits"


@dataclass(frozen=True)
class Table:
    """A table: its family are itself and all that inherit from it, partitions too, by oid.

    One that is not parallel-safe is loaded at its place in the dump and alone: to load it may run
    code of the database's own (triggers, rules, check constraints, domains), which may read other
    tables. `columns` has a letter for each: `s` where it is stored, `g` where it is generated.
    """

    oid: bytes
    is_plain: bool
    is_parallel_safe: bool
    family: frozenset[bytes] = field(default_factory=frozenset)
    columns: bytes = b""

    @property
    def is_single(self) -> bool:
        """Whether it is a plain table from which none inherits."""
        return self.is_plain and len(self.family) == 1


Lookup = Callable[[bytes], Table | None]
"""What the catalog says of the table that has a name in SQL, None where it is not there."""


def read_tables(session: SqlFeed) -> dict[Name, Table]:
    """All tables there are, by name in the encoding of `session`."""
    children: dict[bytes, list[bytes]] = {}
    for parent, child in query(session, CHILDREN):
        children.setdefault(parent, []).append(child)
    return {
        (schema, name): Table(
            oid,
            kind == b"r",
            unsafe == b"f",
            family_of(oid, children),
            columns,
        )
        for schema, name, oid, kind, unsafe, columns in query(session, TABLES)
    }


class Catalog:
    """The tables there are, read by `session` when they are first asked for."""

    def __init__(self, session: SqlFeed) -> None:
        """Nothing is read yet."""
        self.session = session
        self.known: dict[Name, Table] | None = None

    def table(self, name: bytes) -> Table | None:
        """What it says of the table that is `name` in SQL, None where it is not there."""
        if self.known is None:
            self.known = read_tables(self.session)
        return self.known.get(parts(name))

    def forget(self) -> None:
        """Read them again when one is asked for."""
        self.known = None


def family_of(oid: bytes, children: dict[bytes, list[bytes]]) -> frozenset[bytes]:
    """`oid` and all that descend from it."""
    family: set[bytes] = set()
    waiting = [oid]
    while waiting:
        member = waiting.pop()
        if member not in family:
            family.add(member)
            waiting += children.get(member, [])
    return frozenset(family)


def query(session: SqlFeed, sql: str | bytes) -> list[list[bytes]]:
    """Rows of `sql`, as the server writes them; in bytes it may hold names, as the server does."""
    result = session.wire.exec_(sql.encode() if isinstance(sql, str) else sql)
    if result.status != ExecStatus.TUPLES_OK:
        raise CouldNotRun(
            "the catalog of the new database could not be read",
            checked=[error_of(result, session.text).text(sql if isinstance(sql, str) else "")],
        )
    return [
        [result.get_value(row, column) or b"" for column in range(result.nfields)]
        for row in range(result.ntuples)
    ]
