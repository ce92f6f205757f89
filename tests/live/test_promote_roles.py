"""Promotion and roles: the application's rights, and an owner who is no superuser."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import quote

from psycopg.sql import SQL, Identifier

from restore_drill.servers.embedded import EmbeddedServer
from restore_drill.servers.model import Target
from tests.helpers.drills import Drill, run_drill
from tests.helpers.live import Promote, databases, roll_back, rows_of
from tests.helpers.shop import pg_dump
from tests.helpers.swaps import connect

RIGHTS = """
CREATE ROLE shop_app LOGIN;
GRANT USAGE ON SCHEMA public TO shop_app;
CREATE TABLE cards (id int);
CREATE TABLE purchases (id int);
GRANT SELECT ON cards TO shop_app;
GRANT SELECT, INSERT ON purchases TO shop_app;
"""


def test_application_role_decides_too(
    live: Target, tmp_path: Path, promote: Promote, drill_beside: Callable[..., Drill]
) -> None:
    """What it could with the live tables it must be able to again, or as the dump grants."""
    criteria = tmp_path / "criteria.toml"
    criteria.write_text('[application]\nrole = "shop_app"\n')
    with live.connect() as connection:
        connection.execute(RIGHTS.encode())
    had = databases(live)

    lost = promote(f"--criteria={criteria}")

    assert lost.code == 1, lost.output
    words = lost.failed["test_application_role_keeps_its_rights[shop_app]"]
    assert "role shop_app could not work with the restored database" in words
    assert "public.purchases: lost INSERT, SELECT" in words
    assert "public.cards" not in words
    assert "rights of shop_app as the dump grants them: public.cards" in str(lost.result["notes"])
    assert databases(live) == had

    with live.connect() as connection:
        connection.execute("REVOKE ALL ON purchases FROM shop_app")
    kept = drill_beside(f"--criteria={criteria}")
    with live.connect() as connection:
        connection.execute("ALTER ROLE shop_app NOLOGIN")
    locked_out = drill_beside(f"--criteria={criteria}", "-k", "application")
    with live.connect() as connection:
        connection.execute("DROP OWNED BY shop_app")
        connection.execute("DROP ROLE shop_app")
    missing = drill_beside(f"--criteria={criteria}", "-k", "application")

    assert kept.code == 0, kept.output
    assert "role shop_app has NOLOGIN" in locked_out.output
    assert "role shop_app does not exist on the server" in missing.output


OWNED = """
CREATE ROLE boss LOGIN CREATEDB;
ALTER DATABASE {live} OWNER TO boss;
"""
NAME = 'we"ird; DROP DATABASE postgres; --%s ü'


def test_an_owner_who_is_no_superuser_promotes_a_database_of_any_name(
    live_server: EmbeddedServer, tmp_path: Path, report_dir: Path
) -> None:
    """Sessions of other roles are in the way, with their names; without them it works."""
    live = live_server.create_database(NAME)
    quoted = Identifier(NAME).as_string(None)
    with live.connect() as connection:
        connection.execute(OWNED.format(live=quoted).encode())
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 5) AS id")
        connection.execute("ALTER TABLE kept OWNER TO boss")
    (tmp_path / "db").mkdir()
    pg_dump(live, tmp_path / "db" / "backup.dump", "--format=custom")
    host, port = quote(live.conninfo["host"], safe=""), live.conninfo["port"]
    url = f"postgresql://boss@{host}:{port}/{quote(NAME, safe='')}"
    given = ("--target=database", "--promote", f"--confirm={NAME}")
    promote = partial(run_drill, *given, report_dir=report_dir, BACKUP_PATH=str(tmp_path))

    session = connect(live, name="till")
    refused = promote(DATABASE_URL=url)
    session.close()
    drill = promote(DATABASE_URL=url)
    back = roll_back(live, tmp_path, "--confirm", NAME, DATABASE_URL=url)

    assert refused.code == 6, refused.output
    assert "it has 1 session that this role may not end" in refused.output
    assert 'user postgres, "till"' in refused.output
    assert drill.code == 0, drill.output
    assert drill.result["promotion"]["promoted"] is True
    assert back.returncode == 0, back.stdout + back.stderr
    names = [each for each in databases(live) if each.startswith(NAME)]
    assert len(names) == 2 and NAME in names
    for each in names:
        assert rows_of(live, each, "public.kept") == 5
    with live.connect(dbname="postgres") as connection:
        for each in names:
            connection.execute(SQL("DROP DATABASE {}").format(Identifier(each)))
        connection.execute("DROP ROLE boss")
