"""A server that stands for production, its database `shop`, and a backup of that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from restore_drill.servers.embedded import EmbeddedServer, start_embedded
from restore_drill.servers.find import find_binaries
from restore_drill.servers.model import Target
from tests.helpers.live import PASSWORD, databases, url_of
from tests.helpers.shop import fill_shop, pg_dump, quiet
from tests.helpers.worst_days import Page

SHOP = """
CREATE TABLE artists (id serial PRIMARY KEY, name text NOT NULL);
CREATE TABLE cards (id serial PRIMARY KEY, artist_id int NOT NULL REFERENCES artists, title text);
CREATE TABLE purchases (id serial PRIMARY KEY, card_id int NOT NULL REFERENCES cards, amount int);
INSERT INTO artists (name) SELECT 'artist ' || n FROM generate_series(1, 20) n;
INSERT INTO cards (artist_id, title) SELECT 1 + n % 20, 'card ' || n FROM generate_series(1, 200) n;
INSERT INTO purchases (card_id, amount) SELECT n, n FROM generate_series(1, 60) n;
ALTER TABLE artists OWNER TO shop_app;
ALTER TABLE cards OWNER TO shop_app;
ALTER TABLE purchases OWNER TO shop_app;
ALTER DATABASE shop OWNER TO shop_app;
ALTER DATABASE shop SET work_mem = '7MB';
"""
ROLES = """
CREATE ROLE admin LOGIN SUPERUSER PASSWORD 'p@ss:w/rd#1';
CREATE ROLE shop_app LOGIN PASSWORD 'app';
"""

Follow = Callable[[str], Page]


@pytest.fixture(scope="package")
def production() -> Iterator[EmbeddedServer]:
    """The server."""
    with start_embedded(find_binaries(15, note=quiet), note=quiet) as server:
        with server.target("postgres").connect() as connection:
            connection.execute(ROLES.encode())
        yield server


@pytest.fixture(scope="package")
def backup(production: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Backup of the shop."""
    source = production.create_database("shop")
    fill_shop(source, SHOP)
    path = tmp_path_factory.mktemp("backup") / "backup_shop.dump"
    return pg_dump(source, path, "--format=custom")


@pytest.fixture
def shop(production: EmbeddedServer, backup: Path) -> Target:
    """The live database, as the backup holds it, and no other beside it."""
    del backup
    target = production.target("shop")
    for name in databases(target):
        if name.startswith("shop"):
            drop(target, name)
    production.create_database("shop")
    fill_shop(target, SHOP)
    return target


def drop(target: Target, name: str) -> None:
    """Drop a database."""
    with target.connect(dbname="postgres") as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def follow(shop: Target, backup: Path, tmp_path: Path) -> Follow:
    """Function that begins to follow a page."""
    folder = tmp_path / "backups"
    (folder / "db").mkdir(parents=True)
    (folder / "db" / backup.name).write_bytes(backup.read_bytes())
    environment = {
        "DATABASE_URL": url_of(shop, f"admin:{PASSWORD}"),
        "BACKUP_PATH": str(folder),
        "PATH": str(Path(shop.binaries.tool("psql")).parent),
    }
    return lambda name: Page(name, tmp_path, dict(environment))
