"""No room for a second database: docs/worst-day/disk-full.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore_drill.servers.model import Target
from tests.helpers.live import databases, rows_of
from tests.helpers.redis_servers import BINARIES, running
from tests.worst_day.conftest import Follow

SIZE = 8 << 40
"""Bytes of a file that takes no room: no disk here has so many, and none has to be mounted."""


@pytest.fixture
def large(shop: Target) -> Target:
    """The shop, whose files have more bytes than any disk has free."""
    with shop.connect() as connection:
        place = connection.execute(
            "SELECT current_setting('data_directory') || '/base/' || oid FROM pg_database"
            " WHERE datname = current_database()"
        ).fetchone()
    assert place is not None
    with (Path(place[0]) / "1").open("wb") as sparse:
        sparse.truncate(SIZE)
    return shop


def test_page_recovers_in_place(large: Target, follow: Follow) -> None:
    """In place it needs no second database; beside it is refused with numbers."""
    with large.connect() as connection:
        connection.execute("DROP TABLE purchases")
    had = databases(large)
    page = follow("disk-full")

    with running(BINARIES[0], (), "") as server:
        server.admin.set("card:1", "x")
        page.environment["REDIS_URL"] = server.url()
        output = page.follow()
    del page.environment["REDIS_URL"]

    assert "Redis holds 1 key: what is cached there may be newer" in output
    assert rows_of(large, "shop", "purchases") == 60

    output = page.follow(6)

    assert "at least 8.8 TB are needed" in output or "at least 17.6 TB are needed" in output
    assert "Read in full" not in output
    assert databases(large) == had
    page.follow()
    assert page.is_at_its_end()
