"""The database that is backed up: the one in DATABASE_URL."""

from __future__ import annotations

from typing import Any

import psycopg

from restore_drill.config.options import usage_error
from restore_drill.config.settings import Settings
from restore_drill.config.values import checked_database_url
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.names import apart
from restore_drill.core.remedies import remedy_for
from restore_drill.servers.database import Tools, open_database
from restore_drill.servers.model import Target

UNDER_ROW_SECURITY = """
    SELECT n.nspname || '.' || c.relname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.relrowsecurity AND row_security_active(c.oid)
    ORDER BY 1
"""


def source_of(settings: Settings, tools_for: Tools) -> Target:
    """Database in DATABASE_URL, with the build that `tools_for` gives for its server.

    UsageError where the variable is no URL, CouldNotRun where the server does not answer.
    """
    if settings.database_url is None:
        raise usage_error(
            "database_url",
            "is unset",
            "set it to the database to back up: postgresql://USER@HOST:5432/DATABASE",
        )
    url = checked_database_url(settings.database_url)
    return open_database(url, tools_for)


def refuse_row_security(connection: psycopg.Connection[Any], target: Target) -> None:
    """CouldNotRun where the role would see, and dump, only a part of some table's rows."""
    tables = [row[0] for row in connection.execute(apart(UNDER_ROW_SECURITY).encode())]
    if tables:
        raise CouldNotRun(
            f"no backup was taken: the role in DATABASE_URL is under row security on "
            f"{', '.join(tables[:5])}" + (f" and {len(tables) - 5} more" if tables[5:] else ""),
            checked=[target.description, "row_security_active()"],
            remedy=remedy_for("backup", "row_security"),
        )
