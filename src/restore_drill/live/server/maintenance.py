"""A way to a live database's server that does not lead through that database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import psycopg

from restore_drill.servers.database import describe
from restore_drill.servers.model import Target

OTHERS = ("postgres", "template1")
"""Databases that a server has of itself: no session has to be in a database to rename it."""


def other_database(target: Target, name: str) -> Target:
    """The database `name` on the server of `target`, with the same role and password.

    It is known by its name alone: whether it is there shows when it is connected to.
    """
    conninfo = {**target.conninfo, "dbname": name}
    return replace(target, conninfo=conninfo, description=describe(conninfo, target.server_version))


def maintenance_target(target: Target, names: Sequence[str] = OTHERS) -> Target:
    """The first of the databases `names` that lets this role in, else `target` itself.

    From there databases can be created, renamed and dropped; nothing in it is read or changed.
    A session in template1 keeps others from CREATE DATABASE: leave it soon. Where `target` is
    absent itself, it serves all the same.
    """
    for name in OTHERS if target.is_absent else names:
        other = other_database(target, name)
        if name == target.conninfo["dbname"]:
            continue
        try:
            other.connect(connect_timeout="10").close()
        except psycopg.OperationalError:
            continue
        return other
    return target
