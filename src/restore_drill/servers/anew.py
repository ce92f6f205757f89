"""Gives a throwaway target its empty database anew, after a restore that got in its own way."""

from __future__ import annotations

import secrets

import psycopg
from psycopg import sql

from restore_drill.servers.model import Target


def empty(target: Target) -> None:
    """Put an empty database, of the same encoding and locale, in the place of that of `target`.

    One with a subscription cannot be dropped: it is renamed, and goes with its server.
    """
    assert target.throwaway, "a live database is reset only after its snapshot"
    name = target.conninfo["dbname"]
    with target.connect(dbname="template1") as connection:
        found = connection.execute(
            "SELECT pg_catalog.pg_encoding_to_char(encoding), datcollate, datctype"
            " FROM pg_catalog.pg_database WHERE datname = %s",
            [name],
        ).fetchone()
        assert found is not None
        try:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )
        except psycopg.errors.ObjectInUse:
            aside = sql.Identifier(f"restore_drill_aside_{secrets.token_hex(4)}")
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), aside)
            )
        connection.execute(
            sql.SQL(
                "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {}"
            ).format(sql.Identifier(name), *map(sql.Literal, found))
        )
