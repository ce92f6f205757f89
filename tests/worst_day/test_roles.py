"""A server without roles, and one without superusers: roles.md and managed-platforms.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from restore_drill.servers.embedded import EmbeddedServer, start_embedded
from restore_drill.servers.find import find_binaries
from restore_drill.servers.model import Target
from tests.helpers.live import PASSWORD, databases, rows_of, url_of
from tests.helpers.shop import pg_dump, quiet
from tests.helpers.worst_days import Page
from tests.worst_day.conftest import Follow, drop

ADMIN = "CREATE ROLE admin LOGIN SUPERUSER PASSWORD 'p@ss:w/rd#1'"
PLATFORM = """
CREATE ROLE platform NOLOGIN;
CREATE ROLE platform_admins NOLOGIN;
GRANT pg_monitor, pg_signal_backend TO platform_admins WITH ADMIN OPTION;
CREATE ROLE boss LOGIN CREATEROLE CREATEDB;
GRANT platform_admins, platform TO boss;
CREATE ROLE till_app LOGIN;
CREATE ROLE till_owner NOLOGIN;
GRANT till_owner TO boss;
CREATE DATABASE shop OWNER boss;
"""
TILL = """
CREATE EXTENSION pgcrypto;
CREATE TABLE cards AS SELECT generate_series(1, 200) AS id;
CREATE SCHEMA app;
CREATE TABLE app.lines (id int PRIMARY KEY);
CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';
GRANT SELECT ON cards TO till_app;
ALTER TABLE app.lines OWNER TO till_owner;
ALTER TABLE cards OWNER TO till_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE till_owner GRANT SELECT ON TABLES TO till_app;
"""


@pytest.fixture(scope="module")
def new_server() -> Iterator[EmbeddedServer]:
    """A server with one superuser and nothing else."""
    with start_embedded(find_binaries(15, note=quiet), note=quiet) as server:
        with server.target("postgres").connect() as connection:
            connection.execute(ADMIN.encode())
        yield server


def on(page: Page, server: EmbeddedServer, user: str = f"admin:{PASSWORD}") -> Target:
    """The database `shop` of `server`, which the page is about from now on."""
    target = server.target("shop")
    page.environment["DATABASE_URL"] = url_of(target, user)
    return target


def roles_of(target: Target) -> dict[str, Any]:
    """Roles of the shop with whether they log in, their verifiers and comments."""
    query = """SELECT rolname, rolcanlogin, rolpassword, shobj_description(oid, 'pg_authid')
        FROM pg_authid WHERE rolname LIKE 'shop%'"""
    with target.connect(dbname="postgres") as connection:
        return {name: rest for name, *rest in connection.execute(query.encode()).fetchall()}


def test_page_makes_roles_and_database(
    shop: Target, new_server: EmbeddedServer, follow: Follow, tmp_path: Path
) -> None:
    """From the role file beside the backup, and without one with passwords from a file."""
    page = follow("roles")
    page.follow()  # on the old server, before the worst day
    new = on(page, new_server)
    for name in databases(new):
        if name.startswith("shop"):
            drop(new, name)
    verifier = roles_of(shop)["shop_app"][1]
    try:
        page.follow()  # on a new one
        assert roles_of(new) == {"shop_app": [True, verifier, None]}
        assert rows_of(new, "shop", "cards") == 200
        drop(new, "shop")
        with new.connect(dbname="postgres") as connection:
            connection.execute("DROP ROLE shop_app")

        page.follow(6)
        assert roles_of(new) == {}

        (page.backups / "db" / "globals.sql").unlink()
        secrets = tmp_path / "passwords.txt"
        page.follow(names={"passwords.txt": str(secrets)})
        secrets.write_text("shop_app:correct horse\n")
        output = page.follow(names={"passwords.txt": str(secrets)})
        assert "correct horse" not in output
        can_log_in, made, comment = roles_of(new)["shop_app"]
        assert (can_log_in, comment) == (True, None)
        assert made.startswith("SCRAM-SHA-256$") and made != verifier
        assert page.is_at_its_end()
    finally:
        if "shop" in databases(new):
            drop(new, "shop")
        with new.connect(dbname="postgres") as connection:
            connection.execute("DROP ROLE IF EXISTS shop_app")


@pytest.fixture
def platform(new_server: EmbeddedServer) -> Target:
    """A live database whose owner is as much as a platform lets anybody be."""
    with new_server.target("postgres").connect() as connection:
        for statement in PLATFORM.strip().split(";\n"):
            connection.execute(statement.rstrip(";").encode())
        own_template(connection, "true")
        with new_server.target("template0").connect() as template:
            template.execute("CREATE EXTENSION pg_stat_statements")
            template.execute("ALTER SCHEMA public OWNER TO platform")
        own_template(connection, "false")
    target = new_server.target("shop")
    with target.connect() as connection:
        connection.execute("ALTER SCHEMA public OWNER TO platform")
        connection.execute("CREATE EXTENSION pg_stat_statements")
        connection.execute("SET ROLE boss")
        connection.execute(TILL.replace("ALTER TABLE", "RESET ROLE; ALTER TABLE", 1).encode())
    return target


def own_template(connection: Any, lets_in: str) -> None:
    """Let sessions into template0, or keep them out."""
    connection.execute(f"ALTER DATABASE template0 ALLOW_CONNECTIONS {lets_in}")


def read(target: Target, name: str, query: str) -> Any:
    """Rows of a query in the database `name`."""
    with target.connect(dbname=name) as connection:
        return connection.execute(query.encode()).fetchall()


OWNERS = """
    SELECT relname, pg_get_userbyid(relowner) FROM pg_class
    WHERE relname IN ('cards', 'lines') ORDER BY 1
"""
SCHEMAS = """
    SELECT nspname, pg_get_userbyid(nspowner), coalesce(nspacl, acldefault('n', nspowner))::text
    FROM pg_namespace WHERE nspname IN ('public', 'app') ORDER BY 1
"""


def test_page_recovers_without_a_superuser(platform: Target, follow: Follow) -> None:
    """Promotion and way back, and nobody may create in a schema who could not before."""
    page = follow("managed-platforms")
    for path in (page.backups / "db").iterdir():
        path.unlink()
    pg_dump(platform, page.backups / "db" / "till.dump", "--format=custom")
    page.environment["DATABASE_URL"] = url_of(platform, "boss")

    page.follow()

    (kept,) = [name for name in databases(platform) if name.startswith("shop_before")]
    assert read(platform, "shop", OWNERS) == [("cards", "till_owner"), ("lines", "till_owner")]
    assert read(platform, "shop", SCHEMAS) == read(platform, kept, SCHEMAS)

    page.follow()

    assert [name for name in databases(platform) if name.startswith("shop_undone")]
    page.environment["DATABASE_URL"] = url_of(platform, f"admin:{PASSWORD}")
    page.follow()
    assert page.is_at_its_end()
    assert "PASSWORD" not in (page.backups / "db" / "globals.sql").read_text()
