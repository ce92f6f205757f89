"""Damaged copies of the restored database."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from psycopg import sql

from restore_drill.core.names import split_name
from restore_drill.damages.model import DatabaseDamage
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.servers.copies import by_files
from restore_drill.servers.model import Target

PREFIX = "restore_drill_prove_"


@contextmanager
def copied(target: Target) -> Iterator[Target]:
    """A copy of the database of `target` on its own server, dropped at the end."""
    name = PREFIX + secrets.token_hex(4)
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} {}")
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    with target.connect(dbname="postgres") as connection:
        connection.execute(
            create.format(
                sql.Identifier(name),
                sql.Identifier(target.conninfo["dbname"]),
                by_files(target.major),
            )
        )
        try:
            yield replace(target, conninfo={**target.conninfo, "dbname": name})
        finally:
            connection.execute(drop.format(sql.Identifier(name)))


def do_damage(target: Target, damage: DatabaseDamage) -> bool:
    """Do `damage` to the database of `target`; False where it has nothing of the kind."""
    with target.connect() as connection:
        found = connection.execute(damage.find.encode()).fetchone()
        if found is None or found[0] is None:
            return False
        with connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute("SET LOCAL client_min_messages = warning")
            connection.execute(found[0].encode())
    return True


def set_sequences(target: Target, fingerprint: Fingerprint) -> None:
    """Set the sequences of `target` to where they stood when `fingerprint` was read."""
    with target.connect() as connection:
        for name, at in fingerprint.sequences.items():
            quoted = sql.Identifier(*split_name(name)).as_string(connection)
            connection.execute("SELECT pg_catalog.setval(%s, %s, %s)", [quoted, *at.before])
