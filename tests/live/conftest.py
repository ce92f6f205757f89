"""A live database and drills of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from restore_drill.servers.embedded import EmbeddedServer, start_embedded
from restore_drill.servers.find import find_binaries
from restore_drill.servers.model import Target
from tests.helpers.drills import ROOT, Drill, run_drill
from tests.helpers.live import LIVE, Promote, url_of
from tests.helpers.shop import Shops, fill_shop, quiet
from tests.helpers.swaps import Pair, pair_on


@pytest.fixture(scope="session")
def live_server() -> Iterator[EmbeddedServer]:
    """A server that stands for production."""
    server = start_embedded(find_binaries(15, note=quiet), note=quiet)
    yield server
    server.stop()


@pytest.fixture
def live(live_server: EmbeddedServer, request: pytest.FixtureRequest) -> Target:
    """A live database that differs from the backup."""
    target = live_server.create_database(f"live_{abs(hash(request.node.name)) % 10**8}")
    with target.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS app")
    fill_shop(target, LIVE)
    with target.connect() as connection:
        for role in ("shop_owner", "shop_reader"):
            found = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone()
            if found is None:
                connection.execute(f"CREATE ROLE {role} NOLOGIN".encode())
    return target


@pytest.fixture
def pair(server: EmbeddedServer, request: pytest.FixtureRequest) -> Pair:
    """A live database on the module's `server`, and the one that is to take its place."""
    return pair_on(server, f"shop {abs(hash(request.node.name)) % 10**8}")


@pytest.fixture
def backups(shops: Shops, tmp_path: Path) -> Path:
    """BACKUP_PATH with one backup of the shop."""
    (tmp_path / "backups" / "db").mkdir(parents=True)
    shutil.copyfile(shops.dump(15, "custom.dump"), tmp_path / "backups" / "db" / "backup.dump")
    return tmp_path / "backups"


@pytest.fixture
def drill_live(live: Target, backups: Path, report_dir: Path) -> Callable[..., Drill]:
    """Function that drills into the live database."""

    def run(*arguments: str, confirm: str = "", **environment: str) -> Drill:
        urls = {"BACKUP_PATH": str(backups), "DATABASE_URL": url_of(live)}
        named = f"--confirm-reset={confirm or live.conninfo['dbname']}"
        arguments = ("--target=database", named, *arguments)
        return run_drill(*arguments, report_dir=report_dir, cwd=ROOT, **(urls | environment))

    return run


@pytest.fixture
def drill_beside(live: Target, backups: Path, report_dir: Path) -> Callable[..., Drill]:
    """Function that drills beside the live database, or that of another URL."""

    def run(*arguments: str, **environment: str | None) -> Drill:
        urls = {"BACKUP_PATH": str(backups), "DATABASE_URL": url_of(live)}
        given = {name: value for name, value in (urls | environment).items() if value is not None}
        arguments = ("--target=database", *arguments)
        return run_drill(*arguments, report_dir=report_dir, cwd=ROOT, **given)

    return run


@pytest.fixture
def promote(drill_beside: Callable[..., Drill], live: Target) -> Promote:
    """Function that drills with --promote; the live database differs, and that is accepted."""
    named = ("--promote", f"--confirm={live.conninfo['dbname']}", "--accept-loss")
    return lambda *given, **named_too: drill_beside(*named, *given, **named_too)
