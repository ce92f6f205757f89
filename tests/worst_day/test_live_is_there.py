"""The live database is there, and not as it should be: tables gone, locked; Redis down, stale."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import psycopg

from restore_drill.servers.model import Target
from tests.helpers.live import databases, rows_of
from tests.helpers.redis_servers import BINARIES, running
from tests.helpers.swaps import connect
from tests.worst_day.conftest import Follow


def kept(shop: Target) -> str:
    """Name of the one database that was put aside."""
    (name,) = [each for each in databases(shop) if each.startswith("shop_before_")]
    return name


def test_half_of_the_tables_are_gone(shop: Target, follow: Follow) -> None:
    """What is left is compared; what is only there can be brought over."""
    with shop.connect() as connection:
        connection.execute("DROP TABLE purchases")
        connection.execute("INSERT INTO artists (name) VALUES ('new')")
    page = follow("tables-gone")

    output = page.follow()

    assert "Accepted loss: public.cards" not in output
    assert rows_of(shop, "shop", "purchases") == 60
    assert rows_of(shop, kept(shop), "artists") == 21

    page.environment["OLD"] = page.environment["DATABASE_URL"].replace("/shop", f"/{kept(shop)}")
    page.follow()

    assert rows_of(shop, "shop", "artists") == 21

    page.follow()

    with shop.connect() as connection:
        query = "INSERT INTO artists (name) VALUES ('next') RETURNING id"
        assert connection.execute(query.encode()).fetchone() == (22,)
        connection.execute("DELETE FROM artists WHERE id = 22")
    had = databases(shop)

    page.follow(6)

    assert databases(shop) == had
    assert page.is_at_its_end()


def test_an_application_holds_locks(shop: Target, follow: Follow) -> None:
    """Sessions are named, waited for and ended; a definition that differs is waited for, too."""
    with shop.connect() as connection:
        connection.execute("ALTER TABLE artists ALTER name DROP NOT NULL")
    page = follow("locks")
    with closing(connect(shop, "shop_app", "shop-worker")) as worker:
        worker.execute("BEGIN")
        worker.execute("LOCK TABLE cards IN ACCESS EXCLUSIVE MODE")

        page.follow()

        assert worker.closed or not is_alive(worker)
    assert rows_of(shop, "shop", "cards") == 200
    assert rows_of(shop, kept(shop), "cards") == 200
    with closing(connect(shop, "shop_app", "shop-worker")) as worker:
        worker.execute("BEGIN")
        worker.execute("LOCK TABLE cards IN ACCESS EXCLUSIVE MODE")
        page.follow()
        page.follow()
        assert not is_alive(worker)
    assert page.is_at_its_end()


def is_alive(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    """Whether the server still has that session."""
    try:
        connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def test_redis_is_down(shop: Target, follow: Follow) -> None:
    """It makes the drill red, and the database comes back; afterwards Redis is checked alone."""
    page = follow("redis-down")
    page.environment["REDIS_URL"] = "redis://127.0.0.1:1/0"

    page.follow(1)

    assert rows_of(shop, kept(shop), "cards") == 200
    with running(BINARIES[0], (), "") as server:
        page.environment["REDIS_URL"] = server.url()
        page.follow()
    assert page.is_at_its_end()


def test_redis_is_full_of_newer_objects(follow: Follow, tmp_path: Path) -> None:
    """They are counted and stay, until the user removes them."""
    page = follow("redis-stale")
    criteria = tmp_path / "criteria.toml"
    criteria.write_text(page.shown("toml"))
    page.environment["DRILL_CRITERIA"] = str(criteria)
    with running(BINARIES[0], (), "s3cret") as server:
        page.environment["REDIS_URL"] = server.url(password="s3cret")  # of this test
        for name in ("card:1", "card:2", "card:a b'c", "queue:jobs"):
            server.admin.set(name, "x")

        output = page.follow()

        assert "s3cret" not in output
        assert len(server.admin.keys("*")) == 4
        page.environment["REDISCLI_AUTH"] = "s3cret"
        place = {"cache.example.com -p 6379": f"127.0.0.1 -p {server.port}"}
        assert page.command(place) in output
        page.follow(names=place)
        assert server.admin.keys("*") == ["queue:jobs"]
    assert page.is_at_its_end()
