"""A backup that a newer pg_dump writes than the server is of."""

from __future__ import annotations

import pytest

from restore_drill.taking.work import why_unreadable


@pytest.mark.parametrize(
    ("form", "tool", "server", "words"),
    [
        ("directory", 16, 15, "pg_dump 16 writes this backup of PostgreSQL 15"),
        ("custom", 18, 14, "restore with pg_restore 18"),
        ("directory", 16, 16, ""),
        ("plain", 16, 15, ""),
    ],
)
def test_an_archive_of_a_newer_tool_is_announced(
    form: str, tool: int, server: int, words: str
) -> None:
    """The server's own pg_restore may not read it, which is said before it is taken."""
    found = why_unreadable(form, tool, server)

    assert words in found
    assert bool(found) == bool(words)
