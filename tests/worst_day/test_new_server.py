"""A server that is new and empty: docs/worst-day/new-server.md."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from restore_drill.servers.embedded import EmbeddedServer, start_embedded
from restore_drill.servers.find import find_binaries
from tests.helpers.live import databases, url_of
from tests.helpers.shop import quiet
from tests.worst_day.conftest import Follow


@pytest.fixture
def role_file(production: EmbeddedServer, tmp_path: Path) -> Path:
    """The role file of production."""
    server = production.target("postgres")
    path = tmp_path / "globals.sql"
    command = [server.binaries.tool("pg_dumpall"), "--globals-only", "--no-password"]
    subprocess.run([*command, f"--file={path}"], env=server.tool_environment, check=True)
    return path


def test_page_makes_roles_and_database(follow: Follow, role_file: Path) -> None:
    """One command on a server without either; then the application logs in."""
    page = follow("new-server")
    role_file.rename(page.backups / "db" / role_file.name)
    with start_embedded(find_binaries(15, note=quiet), note=quiet) as server:
        shop = server.target("shop")
        page.environment["DATABASE_URL"] = url_of(shop, "postgres")
        page.environment["APP_URL"] = url_of(shop, "shop_app:app")

        page.follow()

        assert databases(shop)["shop"] == ""
        with shop.connect() as connection:
            query = "SELECT rolcanlogin, rolpassword FROM pg_authid WHERE rolname = 'shop_app'"
            row = connection.execute(query.encode()).fetchone()
        assert row is not None
        assert row[0] and str(row[1]).startswith("SCRAM-SHA-256$")
        page.follow()
        assert page.is_at_its_end()
