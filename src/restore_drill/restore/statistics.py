"""Statistics of what was restored, so that the first queries are planned well."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from functools import partial
from itertools import groupby
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
                AND r.oid NOT IN (SELECT oid FROM far)), ''),
        c.relnatts
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't'
        AND n.nspname <> 'information_schema' AND c.oid NOT IN (SELECT oid FROM far)
        AND (n.nspname <> 'pg_catalog' OR pg_catalog.pg_relation_size(c.oid)
            > c.relpages * pg_catalog.current_setting('block_size')::bigint)
"""  # noqa: S608
"""Name in SQL, plain name, pages, where it is a partition the name of its root in SQL, columns.

Foreign tables are left alone: a plain ANALYZE would reach the server behind them.
So are catalogs that have not grown since initdb analyzed them, half the time of a small database.
"""
ONLY_SINCE = 180000
"""Version from which on ANALYZE ONLY leaves the partitions of a table, or its heirs, alone.

Before, ANALYZE of a partitioned table analyzes each of its partitions anew."""
OVERHEAD = 10
"""Pages that are read in the time that the statistics of one table take to be written."""


WIDE = 50
"""Columns from which on statistics become coarser: of 200 columns and 40,000 rows they took 3.8 s
of a drill of 5.9 s, each from 30,000 rows. As coarse as a quarter of that, a fifth of the time."""
COARSE = """
    SELECT set_config(name, least(setting::integer, greatest(25, setting::integer * {} / {}))::text,
        false) FROM pg_settings WHERE name = 'default_statistics_target'
"""


class Unit(NamedTuple):
    """A table that is analyzed by its `name` in SQL, with `below`, its partitions; and its cost.

    `columns` are how many it has where it is wide and may have coarser statistics, else 0.
    """

    name: str
    below: list[str]
    cost: int
    columns: int = 0


SCHEMAS = f"""
    SELECT string_agg(quote_ident(n.nspname), ', ' ORDER BY n.nspname)
    FROM pg_catalog.pg_namespace n WHERE {catalog.USER_SCHEMA}
"""  # noqa: S608


def analyze(target: Target, jobs: int, *, in_full: bool = False) -> dict[str, str]:
    """Analyze all tables: part of any real recovery.

    Those of many columns more coarsely on a server that is thrown away, unless `in_full`.
    Gives the server's message by the name of each table (`schema.table`) of which it could not be
    done: a function behind statistics on an expression may need a search_path, or raise an error.
    """
    with target.connect() as connection:
        connection.execute("SET search_path = pg_catalog")
        rows = connection.execute(apart(NEAR).encode()).fetchall()
    names = {name: plain for name, plain, *_ in rows}
    plan = Plan("analyzing")
    units = units_of(rows, each_alone=target.server_version >= ONLY_SINCE)
    if in_full or not target.throwaway:
        units = [unit._replace(columns=0) for unit in units]
    shares = shared(units, jobs)
    failures = [
        plan.add(
            f"ANALYZE of {show_count(len(each), 'table')}", partial(analyze_tables, units=each)
        )
        for each in shares
    ]
    with closing(Pool([target.connect() for _ in shares])) as pool:
        plan.run(pool, lambda _: None)
    return {names[quoted]: error for each in failures for quoted, error in each.result().items()}


def units_of(rows: Iterable[tuple[str, str, int, str, int]], *, each_alone: bool) -> list[Unit]:
    """What is to be analyzed of the `rows` of NEAR: partitions with their root, or `each_alone`."""
    found = {
        name: Unit(name, [], 0, columns if columns > WIDE else 0)
        for name, _, _, root, columns in rows
        if each_alone or not root
    }
    for name, _, pages, root, _ in rows:
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
    """Statistics of the tables of `units`, of those with many columns apart and more coarsely."""
    failed: dict[str, str] = {}
    connection.execute("SET search_path = pg_catalog")
    for columns, same in groupby(sorted(units, key=columns_of), key=columns_of):
        if columns:
            connection.execute(COARSE.format(WIDE, columns).encode())
        failed |= analyze_all(connection, list(same))
        if columns:
            connection.execute("RESET default_statistics_target")
    return failed


def columns_of(unit: Unit) -> int:
    """Its columns, where they count."""
    return unit.columns


def analyze_all(connection: Connection, units: list[Unit]) -> dict[str, str]:
    """Statistics of the tables of `units`: at once, and where that fails of each by itself."""
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
    try:
        return {name: error for name, error in failed.items() if analyze_in(connection, [name])}
    finally:
        connection.execute("SET search_path = pg_catalog")


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
