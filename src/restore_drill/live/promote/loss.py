"""What a promotion would lose: rows of the live database that are newer than the backup.

A time says when its row was written only where that is the column's default: other columns also
hold times at which something is due, which pass after the backup was taken.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, tzinfo
from typing import LiteralString

import psycopg
from psycopg import errors, sql

from restore_drill.backups.model import Backup
from restore_drill.checks.freshness import SLACK, slack_of
from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.names import joined
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.core.units import show_count, show_duration, show_time, some
from restore_drill.servers.model import Target

ALL_SECONDS, ONE_SECONDS = 20.0, 5.0
"""Seconds that reading the newest rows may take: of all tables, and of a single one."""

ROUNDED = 1.0
"""Seconds by which a dump's own time, in whole seconds, is earlier than what it holds."""

EPOCH = datetime.fromtimestamp(0, UTC)

COLUMNS: LiteralString = """
    SELECT n.nspname, c.relname, array_agg(a.attname ORDER BY a.attnum),
        coalesce(array_agg(a.attname) FILTER (WHERE
            pg_catalog.pg_get_expr(d.adbin, d.adrelid) ~* %s AND a.attgenerated = ''), '{}')
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
        AND n.nspname <> 'information_schema' AND pg_catalog.format_type(a.atttypid, NULL)
            IN ('timestamp with time zone', 'timestamp without time zone')
    GROUP BY n.nspname, c.relname, c.relpages ORDER BY c.relpages
"""
"""The small tables first: of them most can be read in the time there is."""
NOW = r"^\(*(now\(\)|(clock|statement|transaction)_timestamp\(\)|current_timestamp|localtimestamp)"
NOW += r"(\(\d\))?\)*(::[a-z ]+)?\)*$"
"""The default of a column that says when its row was written."""


def newest_rows(
    live: Target, zone: tzinfo, *, written: bool
) -> tuple[dict[str, datetime], list[str]]:
    """Newest time since 1970 in the rows of each table, and names of tables that cannot be read.

    Only of columns that say when a row was `written`, or of all. Times in the future count for
    nothing: they are dates at which something is due. Tables that take too long are left out.
    """
    found: dict[str, datetime] = {}
    unread: list[str] = []
    deadline = time.monotonic() + ALL_SECONDS
    with live.connect_read_only() as connection:
        connection.execute("SELECT pg_catalog.set_config('TimeZone', %s, false)", [str(zone)])
        for schema, table, times, stamps in connection.execute(COLUMNS, [NOW]).fetchall():
            if not (columns := stamps if written else times):
                continue
            name, left = joined(schema, table), deadline - time.monotonic()
            limit = f"{max(1, round(min(left, ONE_SECONDS) * 1000))}ms"
            try:
                connection.execute(
                    "SELECT pg_catalog.set_config(name, %s, false) FROM pg_catalog.pg_settings"
                    " WHERE name IN ('statement_timeout', 'lock_timeout')",
                    [limit],
                )
                row = connection.execute(newest_of(schema, table, columns)).fetchone()
            except (errors.QueryCanceled, errors.LockNotAvailable):
                continue
            except psycopg.Error:
                unread.append(name)
                if connection.closed:
                    raise
                continue
            if row and row[0] is not None:
                found[name] = datetime.fromtimestamp(row[0], UTC)
    return found, unread


def newest_of(schema: str, table: str, columns: list[str]) -> sql.Composed:
    """Query for the newest time in the rows of a table that is not in the future."""
    each = sql.SQL("(max({0}) FILTER (WHERE {0} > 'epoch' AND {0} <= now()))::timestamptz")
    newest = sql.SQL(", ").join(each.format(sql.Identifier(name)) for name in columns)
    return sql.SQL("SELECT extract(epoch FROM greatest({}))::float8 FROM {}").format(
        newest, sql.Identifier(schema, table)
    )


def losses(live: Target, backup: Backup, settings: Settings) -> Iterator[str]:
    """A line on each reason to think that a promotion loses data; and on what was not read.

    Where there is no live database, there is nothing left to lose.
    """
    if live.is_absent:
        return
    age = (datetime.now(UTC) - backup.taken_at).total_seconds()
    if age > settings.max_backup_age:
        limit = show_duration(settings.max_backup_age)
        yield f"the backup is {show_duration(age)} old, and {limit} are allowed (--max-backup-age)"
    zone = settings.criteria.timezone
    try:
        found, unread = newest_rows(live, zone, written=True)
    except psycopg.Error as error:
        yield f"the newest rows of the live database could not be read: {error_text(error)}"
        return
    allowed = slack_of(backup, zone) - SLACK + ROUNDED
    newer = {
        name: newest
        for name, newest in found.items()
        if (newest - backup.taken_at).total_seconds() > allowed
    }
    yield from lines_on(newer, backup.taken_at, f"the backup is of {show_time(backup.taken_at)}")
    if unread:
        yield f"newest rows not known, they could not be read: {some(unread, 10)}"


def lines_on(newer: dict[str, datetime], since: datetime, than: str) -> Iterator[str]:
    """Lines on tables with rows `newer` than those of the time `since`, which `than` names."""
    if not newer:
        return
    name = max(newer, key=lambda each: newer[each])
    minutes = max(1, -(-(newer[name] - since).total_seconds() // 60))
    count = show_count(int(minutes), "minute")
    yield f"{count} of data: {name} has a row of {show_time(newer[name])}, {than}"
    if others := sorted(newer.keys() - {name}):
        yield f"newer rows are also in {some(others, 10)}"


def losses_against(live: Target, restored: Target, settings: Settings) -> Iterator[str]:
    """A line on tables whose newest row is not in the restored database: written meanwhile, too."""
    zone = settings.criteria.timezone
    try:
        found, back = (newest_rows(each, zone, written=False)[0] for each in (live, restored))
    except psycopg.Error as error:
        yield f"the newest rows could not be compared: {error_text(error)}"
        return
    newer = {name: newest for name, newest in found.items() if newest > back.get(name, EPOCH)}
    newest = max(back.values(), default=EPOCH)
    than = f"the newest in the restored database is of {show_time(newest)}"
    yield from lines_on(newer, newest, than if back else "the restored database has none")


def loss_now(
    compare: Callable[[], list[str]], live: Target, restored: Target, settings: Settings
) -> list[str]:
    """Lines on all that a promotion loses now, by what `compare` finds; see `refuse_loss`.

    Only where the two differ are the newest rows of both read, for how many minutes it is.
    """
    found = compare()
    if found:
        found = [*losses_against(live, restored, settings), *found]
    return refuse_loss(live, found, settings)


def refuse_loss(live: Target, found: list[str], settings: Settings) -> list[str]:
    """The lines `found` on what a promotion loses; CouldNotRun where that was not accepted."""
    if found and not settings.accept_loss:
        raise CouldNotRun(
            f"{live.description} was not touched: a promotion would lose data",
            checked=found,
            remedy=remedy_for("promote", "would_lose"),
        )
    return found
