"""What a database had before it was reset, and the backup that it keeps lacks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import psycopg

from restore_drill.core.server_errors import error_text
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.live.server.bounded import Limit, read_bounded
from restore_drill.live.server.loss_lines import IN_PLACE, lines_on_tables, lines_on_the_rest
from restore_drill.manifest.settle import compare_by_dump
from restore_drill.servers.model import Target

LIMIT = Limit(20.0, "before the database is opened")
"""The comparison decides nothing, and others wait for its end."""


def lost_by_reset(
    was: Fingerprint, live: Target, jobs: int, progress: Callable[[str], None]
) -> list[str]:
    """A line on each table, and on what else is not as it `was` before `live` was reset.

    What could not be compared in the time there is has a line too.
    """
    try:
        return list(compared(was, live, jobs, progress))
    except Exception as error:  # noqa: BLE001 - whatever it is, it keeps no database shut
        why = error_text(error) if isinstance(error, psycopg.Error) else type(error).__name__
        return [f"it could not be compared with its earlier state: {why}"]


def compared(
    was: Fingerprint, live: Target, jobs: int, progress: Callable[[str], None]
) -> Iterator[str]:
    """The same; psycopg's errors where nothing can be compared."""
    deadline = time.monotonic() + LIMIT.seconds
    now, tables, _ = read_bounded(live, jobs, progress, LIMIT, deadline)
    if not isinstance(now, Fingerprint):
        yield from lines_on_tables(was.tables, tables, None, IN_PLACE)
        yield f"definitions, sequences and large objects could not be compared: {now}"
        return
    found = compare_by_dump(was, now, live)
    yield from lines_on_tables(was.tables, tables, found, IN_PLACE)
    yield from lines_on_the_rest(was, now, found, IN_PLACE)
