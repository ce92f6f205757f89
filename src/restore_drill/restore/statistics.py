"""Statistics of what was restored, so that the first queries are planned well."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from functools import partial
from typing import NamedTuple

import psycopg
from psycopg import sql

from restore_drill.core.names import apart
from restore_drill.core.server_errors import error_text
from restore_drill.core.units import show_count
from restore_drill.facts import catalog
from restore_drill.facts.plan import Plan
from restore_drill.facts.pool import Pool
from restore_drill.facts.session import Connection
from restore_drill.servers.model import Target

NEAR = f"""
    WITH far AS ({catalog.FAR})
    SELECT format('%I.%I', n.nspname, c.relname), n.nspname || '.' || c.relname, c.relpages,
        coalesce((SELECT format('%I.%I', m.nspname, r.relname)
            FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace m ON m.oid = r.relnamespace
            WHERE c.relispartition AND r.oid = pg_catalog.pg_partition_root(c.oid)
                AND r.oid NOT IN (SELECT oid FROM far)), '')
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't'
        AND n.nspname <> 'information_schema' AND c.oid NOT IN (SELECT oid FROM far)
        AND (n.nspname <> 'pg_catalog' OR pg_catalog.pg_relation_size(c.oid)
            > c.relpages * pg_catalog.current_setting('block_size')::bigint)
"""  # noqa: S608
"""Name in SQL, plain name, pages, and where it is a partition the name of its root in SQL.

Foreign tables are left alone: a plain ANALYZE would reach the server behind them.
So are catalogs that have not grown since initdb analyzed them, half the time of a small database.
"""
ONLY_SINCE = 180000
"""Version from which on ANALYZE ONLY leaves the partitions of a table, or its heirs, alone.

Before, ANALYZE of a partitioned table analyzes each of its partitions anew."""
OVERHEAD = 10
"""Pages that are read in the time that the statistics of one table take to be written."""


class Unit(NamedTuple):
    """A table that is analyzed by its `name` in SQL, with `below`, its partitions; and its cost."""

    name: str
    below: list[str]
    cost: int


SCHEMAS = f"""
    SELECT string_agg(quote_ident(n.nspname), ', ' ORDER BY n.nspname)
    FROM pg_catalog.pg_namespace n WHERE {catalog.USER_SCHEMA}
"""  # noqa: S608


def analyze(target: Target, jobs: int) -> dict[str, str]:
    """Analyze all tables: part of any real recovery.

    Gives the server's message by the name of each table (`schema.table`) of which it could not be
    done: a function behind statistics on an expression may need a search_path, or raise an error.
    """
    with target.connect() as connection:
        connection.execute("SET search_path = pg_catalog")
        rows = connection.execute(apart(NEAR).encode()).fetchall()
    names = {name: plain for name, plain, *_ in rows}
    plan = Plan("analyzing")
    shares = shared(units_of(rows, each_alone=target.server_version >= ONLY_SINCE), jobs)
    failures = [
        plan.add(
            f"ANALYZE of {show_count(len(each), 'table')}", partial(analyze_tables, units=each)
        )
        for each in shares
    ]
    with closing(Pool([target.connect() for _ in shares])) as pool:
        plan.run(pool, lambda _: None)
    return {names[quoted]: error for each in failures for quoted, error in each.result().items()}


def units_of(rows: Iterable[tuple[str, str, int, str]], *, each_alone: bool) -> list[Unit]:
    """What is to be analyzed of the `rows` of NEAR: partitions with their root, or `each_alone`."""
    found = {name: Unit(name, [], 0) for name, _, _, root in rows if each_alone or not root}
    for name, _, pages, root in rows:
        unit = found.get(name) or found[root]
        if unit.name != name:
            unit.below.append(name)
        found[unit.name] = unit._replace(cost=unit.cost + max(0, pages) + OVERHEAD)
    return list(found.values())


def shared(units: list[Unit], jobs: int) -> list[list[Unit]]:
    """`units` in at most `jobs` parts of about the same cost, the costliest first in each."""
    shares: list[list[Unit]] = [[] for _ in range(min(jobs, len(units)))]
    costs = [0] * len(shares)
    for unit in sorted(units, key=lambda unit: -unit.cost):
        least = costs.index(min(costs))
        shares[least].append(unit)
        costs[least] += unit.cost
    return shares


def analyze_tables(connection: Connection, units: list[Unit]) -> dict[str, str]:
    """Statistics of the tables of `units`: at once, and where that fails of each by itself."""
    connection.execute("SET search_path = pg_catalog")
    if not analyze_in(connection, [unit.name for unit in units]):
        return {}
    # One that fails keeps the server from the partitions behind it.
    names = [name for unit in units for name in (unit.name, *unit.below)]
    failed = {name: error for name in names if (error := analyze_in(connection, [name]))}
    if not failed:
        return {}
    # As for functions: an application may set a search_path that the database does not name.
    (schemas,) = connection.execute(SCHEMAS.encode()).fetchone() or ("",)
    connection.execute(sql.SQL("SET search_path = {}").format(sql.SQL(schemas or "public")))
    return {name: error for name, error in failed.items() if analyze_in(connection, [name])}


def analyze_in(connection: Connection, names: list[str]) -> str:
    """ANALYZE `names`; the server's message where it fails, empty where it does not."""
    only = "ONLY " if connection.info.server_version >= ONLY_SINCE else ""
    try:
        connection.execute(("ANALYZE " + ", ".join(f"{only}{name}" for name in names)).encode())
    except psycopg.Error as error:
        if connection.broken:
            raise
        return error_text(error, " ".join(names), connection=connection)
    return ""
