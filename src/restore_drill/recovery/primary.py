"""Which database of a recovered server the criteria are about."""

from __future__ import annotations

from collections.abc import Mapping

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import some
from restore_drill.servers.model import Target

OWN = ("postgres", "template1", "template0")
"""Databases that every server has; the first stands for a server that has no other."""
SIZES = "SELECT datname, pg_database_size(oid) FROM pg_database"
SHOWN = 12


def first_of(entry: Target, databases: Mapping[str, int], wanted: str) -> str:
    """The database that is `wanted`; else the largest that somebody has made, else `postgres`.

    `entry` is a way to the server, whose `databases` are known. CouldNotRun where none is called
    so.
    """
    if wanted:
        if wanted in databases:
            return wanted
        raise CouldNotRun(
            f"the recovered server has no database {wanted!r}, which the criteria file names",
            checked=[f"its databases: {some(sorted(databases), SHOWN)}"],
            remedy=remedy_for("recovery", "no_database"),
        )
    with entry.connect() as connection:
        sizes = {str(name): int(size) for name, size in connection.execute(SIZES).fetchall()}
    made = [name for name in databases if name not in OWN]
    return max(made, key=lambda name: (sizes.get(name, 0), name), default=min(databases))
