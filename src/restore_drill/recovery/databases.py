"""The databases of a recovered server: each is opened once, and what it lacks here is told."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from restore_drill.core.errors import BackupFault
from restore_drill.core.units import some
from restore_drill.recovery.access import cannot_open, no_icu
from restore_drill.recovery.server import RecoveredServer
from restore_drill.servers.binaries import ask_pg_config

DATABASES = """
SELECT pg_catalog.namesend(datname), oid, datallowconn, datconnlimit
FROM pg_catalog.pg_database ORDER BY 2
"""
"""A name is in the encoding of the database that it was given in: its bytes are read."""
HAS_FIRST_ROLE = "SELECT EXISTS (SELECT FROM pg_catalog.pg_authid WHERE oid = 10)"
"""The role that the server was made with: nobody can drop it."""
SORTED_BY_ICU_SINCE = 15
BY_ICU = "SELECT datname FROM pg_catalog.pg_database WHERE datlocprovider = 'i' ORDER BY 1"
USES_ICU = """
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_collation AS c WHERE c.collprovider = 'i' AND (
        EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attcollation = c.oid)
        OR EXISTS (SELECT FROM pg_catalog.pg_index WHERE c.oid = ANY (indcollation))))
"""
LIBRARIES = "SELECT DISTINCT probin FROM pg_catalog.pg_proc WHERE probin IS NOT NULL ORDER BY 1"
IN_LIBDIR = re.compile(r"(?:\$libdir/)?([\w.+-]+)")
NOT_VALID = -2
"""Limit of connections of a database whose DROP was broken off."""


class Databases(NamedTuple):
    """Databases by name with their oids; `faults` and `told` as in `Recovered`."""

    oids: dict[str, int]
    faults: list[tuple[str, str]]
    told: list[tuple[str, str]]


def open_databases(server: RecoveredServer) -> Databases:
    """Open each database of `server`; those that accept no connections do from then on.

    CouldNotRun where the build has no ICU, and one of them sorts by it.
    """
    found = Databases({}, [], [])
    with server.target(server.entry).connect() as connection:
        if not one(connection, HAS_FIRST_ROLE):
            found.faults.append(("the roles of the server are lost (pg_authid)", "damaged"))
        rows = named(connection.execute(DATABASES), found)
        if lacks_icu(server) and server.binaries.major >= SORTED_BY_ICU_SINCE:
            names = [name for (name,) in connection.execute(BY_ICU)]
            if names:
                raise no_icu(server, names)
        for name, _, is_open, limit in rows:
            if not is_open and limit != NOT_VALID:
                command = sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS true")
                connection.execute(command.format(sql.Identifier(name)))
    lacking: dict[str, list[str]] = {}
    for name, oid, _, limit in rows:
        if limit == NOT_VALID:
            found.told.append((f"database {name}", "the source was dropping it: it is not whole"))
        elif look_into(server, name, found, lacking):
            found.oids[name] = oid
    for library, names in lacking.items():
        why = f"its library {library} is not on this machine; used in {some(names, 3)}"
        found.told.append(("what an extension does", why))
    return found


def named(rows: Iterable[tuple[Any, ...]], found: Databases) -> list[tuple[str, int, bool, int]]:
    """Databases with their names as text; those whose names are none are told."""
    known = []
    for name, oid, is_open, limit in rows:
        try:
            known.append((name.decode(), int(oid), bool(is_open), int(limit)))
        except UnicodeDecodeError:
            found.told.append(
                (f"database {oid}", "its name is not UTF-8: it cannot be opened here")
            )
    return known


def lacks_icu(server: RecoveredServer) -> bool:
    """Whether its build is made without ICU."""
    return bool(server.binaries.lacks(frozenset({"icu"})))


def look_into(
    server: RecoveredServer, name: str, found: Databases, lacking: dict[str, list[str]]
) -> bool:
    """Whether the database `name` can be opened; adds what it lacks to `found` and `lacking`."""
    try:
        with server.target(name).connect() as connection:
            if lacks_icu(server) and one(connection, USES_ICU):
                raise no_icu(server, [name])
            libraries = [row[0] for row in connection.execute(LIBRARIES)]
    except psycopg.Error as error:
        why = cannot_open(server, name, error)
        if not isinstance(why, BackupFault):
            raise why from None
        found.faults.append((f"{why.what}: {why.checked[0]}", "damaged"))
        return False
    folder = Path(ask_pg_config(server.binaries.bin_dir, "--pkglibdir"))
    for library in libraries:
        known = IN_LIBDIR.fullmatch(str(library))
        if known is None or not any(folder.glob(f"{known[1].removesuffix('.so')}.*")):
            lacking.setdefault(str(library), []).append(name)
    return True


def one(connection: psycopg.Connection[tuple[object, ...]], query: str) -> object:
    """First value that `query` gives."""
    row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None
