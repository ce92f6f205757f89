"""Statistics of what was restored, so that the first queries are planned well."""

from __future__ import annotations

from contextlib import closing
from functools import partial

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
    SELECT format('%I.%I', n.nspname, c.relname), n.nspname || '.' || c.relname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't'
        AND n.nspname <> 'information_schema' AND c.oid NOT IN ({catalog.FAR})
        AND (n.nspname <> 'pg_catalog' OR pg_catalog.pg_relation_size(c.oid)
            > c.relpages * pg_catalog.current_setting('block_size')::bigint)
    ORDER BY c.relpages DESC
"""  # noqa: S608
"""Foreign tables are left alone: a plain ANALYZE would reach the server behind them.

So are catalogs that have not grown since initdb analyzed them, half the time of a small database.
"""

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
        names = dict(connection.execute(apart(NEAR).encode()).fetchall())
    shares = [share for first in range(jobs) if (share := list(names)[first::jobs])]
    plan = Plan("analyzing")
    failures = [
        plan.add(
            f"ANALYZE of {show_count(len(each), 'table')}", partial(analyze_tables, names=each)
        )
        for each in shares
    ]
    with closing(Pool([target.connect() for _ in shares])) as pool:
        plan.run(pool, lambda _: None)
    return {names[quoted]: error for each in failures for quoted, error in each.result().items()}


def analyze_tables(connection: Connection, names: list[str]) -> dict[str, str]:
    """Statistics of the tables `names` (quoted): at once, and where that fails one by one."""
    connection.execute("SET search_path = pg_catalog")
    if not analyze_in(connection, names):
        return {}
    failed = {name: error for name in names if (error := analyze_in(connection, [name]))}
    if not failed:
        return {}
    # As for functions: an application may set a search_path that the database does not name.
    (schemas,) = connection.execute(SCHEMAS.encode()).fetchone() or ("",)
    connection.execute(sql.SQL("SET search_path = {}").format(sql.SQL(schemas or "public")))
    return {name: error for name, error in failed.items() if analyze_in(connection, [name])}


def analyze_in(connection: Connection, names: list[str]) -> str:
    """ANALYZE `names`; the server's message where it fails, empty where it does not."""
    try:
        connection.execute(("ANALYZE " + ", ".join(names)).encode())
    except psycopg.Error as error:
        if connection.broken:
            raise
        return error_text(error, " ".join(names), connection=connection)
    return ""
