"""The databases that drills make beside a live one: their names, their mark, the lock of a living.

A drill's own session holds an advisory lock, keyed by the name, from before the database is made
until after it is dropped. So one with the name and the mark whose lock is free is a left-over.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import NamedTuple

from restore_drill.facts.session import Connection
from restore_drill.servers.model import Target

INFIX, RANDOM, LONGEST = "_drill_", 12, 63
"""`shop_drill_0123456789ab`, in the 63 bytes that a name of PostgreSQL may have."""

DATABASES = """
    SELECT oid::bigint, datname,
        coalesce(pg_catalog.shobj_description(oid, 'pg_database'), '')
    FROM pg_catalog.pg_database WHERE datname = %s OR pg_catalog.starts_with(datname::text, %s)
"""
LOCKS = """
    SELECT (classid::bigint << 32) | objid::bigint, database::bigint, pid
    FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted
"""
"""Locks by a single number, as a drill takes them."""


class DrillDatabase(NamedTuple):
    """A database that has the name of one beside the live one; `holder` is who has its lock."""

    oid: int
    name: str
    is_marked: bool
    holder: int | None

    @property
    def is_left_over(self) -> bool:
        """Whether the drill that has made it is dead."""
        return self.is_marked and self.holder is None


class Lock(NamedTuple):
    """An advisory lock that the session `pid` holds in the database with the number `database`."""

    key: int
    database: int
    pid: int


class Found(NamedTuple):
    """What drills have to do with a live database: `at_work` is the session of one that runs."""

    at_work: int | None
    beside: list[DrillDatabase]


def prefix_of(live: str) -> str:
    """What the names of all databases beside `live` begin with."""
    room = LONGEST - len(INFIX) - RANDOM
    return live.encode()[:room].decode(errors="ignore") + INFIX


def new_name(live: str) -> str:
    """Name of a new database beside `live`."""
    return prefix_of(live) + secrets.token_hex(RANDOM // 2)


def is_name_beside(name: str, live: str) -> bool:
    """Whether `name` is one that `new_name` gives for `live`."""
    return bool(re.fullmatch(re.escape(prefix_of(live)) + f"[0-9a-f]{{{RANDOM}}}", name))


def mark_of(name: str) -> str:
    """Comment on the database `name` while it is a drill's: a renamed one no longer fits."""
    return f"restore-drill: {name} is the copy of a drill, which drops it at its end"


def lock_key(name: str) -> int:
    """Key of the advisory lock of the database `name`."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def held_locks(connection: Connection) -> list[Lock]:
    """Advisory locks that are held in any database of the server."""
    return [Lock(*row) for row in connection.execute(LOCKS).fetchall()]


def find(connection: Connection, live: Target) -> Found:
    """Drills of the database `live`, and what they have made; `connection` is to its server."""
    name = live.conninfo["dbname"]
    locks = held_locks(connection)
    holders = {each.key: each.pid for each in locks}
    rows = connection.execute(DATABASES, [name, prefix_of(name)]).fetchall()
    beside = [
        DrillDatabase(oid, each, comment == mark_of(each), holders.get(lock_key(each)))
        for oid, each, comment in rows
        if is_name_beside(each, name)
    ]
    # A drill that promotes or resets in place has the lock on the live name.
    running = [each.pid for each in locks if each.key == lock_key(name)]
    running += [each.holder for each in beside if each.holder is not None]
    return Found(running[0] if running else None, beside)
