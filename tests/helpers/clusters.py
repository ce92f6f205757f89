"""What a server answers."""

from __future__ import annotations

from restore_drill.servers.model import Target

LOCALES = "SELECT datcollate || ' ' || datctype FROM pg_database WHERE datname = current_database()"


def ask(target: Target, query: str) -> str:
    """First value that `query` returns, as text."""
    with target.connect() as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])
