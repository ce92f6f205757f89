"""What a live database is, read by sessions that wait for no lock for long, in a limited time."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from restore_drill.core.units import show_duration
from restore_drill.facts.asking import ask
from restore_drill.facts.content import EFFORT, Hashed
from restore_drill.facts.fingerprint import Fingerprint, TableFacts
from restore_drill.facts.fingerprints import Fingerprinting
from restore_drill.facts.plan import Plan
from restore_drill.facts.pool import Pool, close
from restore_drill.facts.rows import read_content
from restore_drill.facts.session import Connection, open_session
from restore_drill.facts.snapshot import tables_of
from restore_drill.servers.model import Target

LOCK_SECONDS = 5.0
"""Seconds that a table's lock is waited for."""


class Limit(NamedTuple):
    """Seconds that a comparison is given in all, and for whom that holds."""

    seconds: float
    whose: str


class Read(NamedTuple):
    """What a database is, or why that cannot be read; its tables; what has no fingerprint, why."""

    found: Fingerprint | str
    tables: dict[str, TableFacts]
    left_out: list[tuple[str, str]]


def read_bounded(
    target: Target,
    jobs: int,
    progress: Callable[[str], None],
    limit: Limit | None,
    deadline: float | None,
) -> Read:
    """What `target` is, by `jobs` sessions.

    With a `limit` until `deadline` (seconds of time.monotonic); without one it may take longer.
    """
    plan = Plan(f"comparing {target.conninfo['dbname']}")
    sessions: list[Connection] = []
    try:
        for _ in range(jobs):
            session = open_session(target)
            sessions.append(session)
            confine(session, limit)
        reading = Fingerprinting(plan, sessions[0], tables_of(sessions[0]), of_copy=True)
        found = {
            name: plan.add(
                f"content of {name}",
                partial(content_until, hashed=hashed, limit=limit, deadline=deadline),
                pages=hashed.pages,
                effort=EFFORT,
            )
            for name, hashed in reading.tables.items()
        }
        plan.run(Pool(sessions), progress)
    finally:
        close(sessions)
    tables = {name: job.result() for name, job in found.items()}
    left_out = [entry for each in reading.tables.values() for entry in each.left_out]
    return Read(reading.fingerprint(tables) or reading.error, tables, left_out)


def confine(session: Connection, limit: Limit | None) -> None:
    """Let `session` wait for no lock for long, nor for a query where there is a `limit`."""
    session.execute(f"SET lock_timeout = {LOCK_SECONDS * 1000:.0f}".encode())
    if limit is not None:
        session.execute(f"SET statement_timeout = {limit.seconds * 1000:.0f}".encode())


def content_until(
    connection: Connection, *, hashed: Hashed, limit: Limit | None, deadline: float | None
) -> TableFacts:
    """Content of one table, in the time there is."""
    if limit is not None and deadline is not None:
        left = deadline - time.monotonic()
        if left <= 0:
            given = f"{limit.whose} it gets {show_duration(limit.seconds)} in total"
            return TableFacts(None, error=given)
        connection.execute(f"SET statement_timeout = {max(1, left * 1000):.0f}".encode())
    return ask(connection, read_content(hashed))
