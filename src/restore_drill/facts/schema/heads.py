"""The migration head that a database carries: which versions of its schema have been applied.

Each version is kept as a short hash: what a team calls its migrations, or asks for with
`[drift] head`, is nobody else's business, and enough to see that there is a new one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

import psycopg
from psycopg import sql

from restore_drill.core.names import joined
from restore_drill.facts.answers import time_limit
from restore_drill.facts.resolving import USUAL_PATH
from restore_drill.facts.session import Connection

Heads = dict[str, tuple[str, ...]]
"""By table (or `[drift] head`) the hashes of the versions that are applied, sorted."""

CUSTOM = "[drift] head"
"""Name of a head that the criteria file's own query gives."""

NUMBER = "number "

DECLARE = "DECLARE head NO SCROLL CURSOR FOR "
"""A cursor takes a query and nothing else; a COPY would leave the session behind unusable."""

KNOWN: dict[str, tuple[tuple[str, ...], ...]] = {
    "alembic_version": (("version_num",),),
    "django_migrations": (("app", "name"),),
    # Rails, dbmate, golang-migrate, Ecto, Supabase, Hasura
    "schema_migrations": (("version",),),
    "flyway_schema_history": (("installed_rank", "script"),),
    "schema_version": (("installed_rank", "script"), ("version",)),
    "databasechangelog": (("id", "author", "filename"),),
    "_prisma_migrations": (("migration_name",),),
    "knex_migrations": (("name",),),
    "SequelizeMeta": (("name",),),
    "sequelize_meta": (("name",),),
    "sequelizemeta": (("name",),),
    # TypeORM, Laravel
    "migrations": (("timestamp", "name"), ("migration", "batch")),
    "typeorm_migrations": (("timestamp", "name"),),
    "mikro_orm_migrations": (("name",),),
    "kysely_migration": (("name",),),
    "pgmigrations": (("name",),),
    "goose_db_version": (("version_id", "is_applied"),),
    "__EFMigrationsHistory": (("MigrationId",),),
    "__efmigrationshistory": (("migrationid",), ("migration_id",), ("MigrationId",)),
    "__drizzle_migrations": (("hash", "created_at"),),
    "phinxlog": (("version",),),
    "doctrine_migration_versions": (("version",),),
    "migration_versions": (("version",),),
    "_sqlx_migrations": (("version",),),
    "__diesel_schema_migrations": (("version",),),
    "refinery_schema_history": (("version",),),
    "atlas_schema_revisions": (("version",),),
    "_yoyo_migration": (("migration_hash",),),
    "migratehistory": (("name",),),
    "aerich": (("app", "version"),),
    "play_evolutions": (("id", "hash"),),
    "gorp_migrations": (("id",),),
    "ragtime_migrations": (("id",),),
}
"""Tables that tools for migrations keep, and the columns that distinguish versions."""

DIRTY = ("success", "is_applied", "dirty", "finished_at", "rolled_back_at")
"""Columns that say whether a migration came to its end."""

FIND = """
    SELECT n.nspname, c.relname, ARRAY(SELECT a.attname::text FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relname = ANY (%s) AND n.nspname !~ '^pg_'
    UNION ALL
    SELECT n.nspname, c.relname, ARRAY['change_id', 'change']
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relname = 'changes' AND n.nspname = 'sqitch'
    ORDER BY 1, 2
"""


def read_heads(connection: Connection, query: str | None) -> tuple[Heads, psycopg.Error | str]:
    """Heads that the database carries, and why the criteria file's `query` gave none.

    With a `query` it alone counts. psycopg's errors of the catalog come out; a migration table
    that cannot be read is passed over: then its head has not moved.
    """
    if query is not None:
        return of_query(connection, query)
    found: Heads = {}
    for schema, table, columns in connection.execute(FIND, [list(KNOWN)]).fetchall():
        shapes = KNOWN.get(table, (("change_id",),))
        shape = next((each for each in shapes if {*each} <= {*columns}), None)
        if shape is None:
            continue
        listed = sql.SQL(", ").join(map(sql.Identifier, shape))
        where = sql.SQL(" AND ").join([sql.SQL("true"), *map(sql.SQL, applied(columns))])
        select = sql.SQL("SELECT {} FROM {} WHERE {}").format(
            listed, sql.Identifier(schema, table), where
        )
        try:
            found[joined(schema, table)] = versions(connection.execute(select).fetchall())
        except psycopg.Error:
            if connection.broken:
                raise
    return found, ""


def applied(columns: Collection[str]) -> list[str]:
    """Conditions under which a migration has come to its end."""
    known = {
        "success": "success",
        "is_applied": "is_applied",
        "dirty": "NOT dirty",
        "finished_at": "finished_at IS NOT NULL",
        "rolled_back_at": "rolled_back_at IS NULL",
    }
    return [known[name] for name in DIRTY if name in columns]


def of_query(connection: Connection, query: str) -> tuple[Heads, psycopg.Error | str]:
    """Head that the criteria file's own query gives, or why it gives none: its error, or words."""
    try:
        with connection.transaction():
            connection.execute(time_limit().encode())
            connection.execute(USUAL_PATH)
            connection.execute(f"{DECLARE}{query}".encode())
            rows = connection.execute("FETCH ALL FROM head").fetchall()
    except psycopg.Error as error:
        if connection.broken:
            raise
        return {}, error
    return {CUSTOM: versions(rows)}, "" if rows else "the query returned no row"


def versions(rows: list[tuple[Any, ...]]) -> tuple[str, ...]:
    """Hashes of the versions in `rows`; a single whole number as it is, since it has an order."""
    if len(rows) == 1 and len(rows[0]) == 1 and str(rows[0][0]).isdecimal():
        return (f"{NUMBER}{int(rows[0][0])}",)
    texts = ("\0".join(map(str, row)) for row in rows)
    return tuple(sorted({hashlib.sha256(text.encode()).hexdigest()[:12] for text in texts}))


def moved(was: Heads, now: Heads) -> list[str]:
    """Heads that have moved forward: they hold a version now that they did not hold."""
    return [name for name in was if is_ahead(was[name], now.get(name, ()))]


def went_back(was: Heads, now: Heads) -> list[str]:
    """Heads that have lost versions and got none: no migration does that."""
    return [name for name in was if name in now and is_behind(was[name], now[name])]


def is_ahead(was: tuple[str, ...], now: tuple[str, ...]) -> bool:
    """Whether `now` holds a version that `was` did not; of two numbers, the greater one."""
    before, after = number_of(was), number_of(now)
    if before is not None and after is not None:
        return after > before
    return bool({*now} - {*was})


def is_behind(was: tuple[str, ...], now: tuple[str, ...]) -> bool:
    """Whether `now` lacks versions and has no other instead."""
    return was != now and not is_ahead(was, now)


def number_of(head: tuple[str, ...]) -> int | None:
    """The number of a head that is a single one."""
    is_number = len(head) == 1 and head[0].startswith(NUMBER)
    return int(head[0].removeprefix(NUMBER)) if is_number else None
