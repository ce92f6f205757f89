"""Why a swap did not come about."""

from __future__ import annotations

import psycopg
from psycopg import errors

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.core.units import show_duration
from restore_drill.live.promote.journal import NO_DATABASE, Journal
from restore_drill.live.server.sessions import lines_of, sessions_on
from restore_drill.servers.model import Target


class WouldLose(CouldNotRun):
    """A promotion that would lose what was not accepted."""


class NotSwapped(CouldNotRun):
    """A swap that did not come about: both databases have the names that they had."""


def not_swapped(
    server: Target, max_wait: float, journal: Journal, error: psycopg.Error | CouldNotRun
) -> NotSwapped:
    """Why both databases have the names that they had."""
    checked = str(error).splitlines() if isinstance(error, CouldNotRun) else [error_text(error)]
    remedy = remedy_for("promote", "not_swapped")
    if isinstance(error, WouldLose):
        remedy = remedy_for("promote", "would_lose")
    if isinstance(error, errors.ObjectInUse | errors.LockNotAvailable | errors.QueryCanceled):
        wait = show_duration(max_wait)
        checked = [f"{error_text(error)} (--max-lock-wait is {wait})"]
        with server.connect() as connection:
            checked += lines_of(sessions_on(connection, *journal.after))
        remedy = remedy_for("promote", "in_use")
    return NotSwapped(
        what_failed(journal),
        checked=checked,
        remedy=remedy,
    )


def what_failed(journal: Journal) -> str:
    """The swap that did not come about, in words."""
    name = journal.name
    if journal.live_oid == NO_DATABASE:
        return f"no database {name} was created: {journal.incoming} could not be renamed to it"
    if journal.incoming_oid == NO_DATABASE:
        return f"database {name} was not touched: it could not be renamed to {journal.kept}"
    return f"database {name} was not touched: it could not be swapped with {journal.incoming}"
