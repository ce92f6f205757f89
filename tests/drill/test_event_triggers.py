"""A backup's own event triggers: one at login neither writes into what is verified, nor refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore_drill.servers.database import open_database
from restore_drill.servers.urls import DatabaseUrl
from tests.helpers.drills import run_drill
from tests.helpers.shop import Shops, fill_shop, pg_dump, require_major

MAJOR = 17
TABLES = """
CREATE TABLE logins (who text, at timestamptz);
CREATE TABLE t (id int PRIMARY KEY);
INSERT INTO t SELECT generate_series(1, 15);
CREATE FUNCTION at_login() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS
    $$ BEGIN {body}; END $$;
CREATE EVENT TRIGGER at_login ON login EXECUTE FUNCTION at_login();
"""
BODIES = {
    "writes": "INSERT INTO public.logins VALUES (session_user, now())",
    "refuses": "RAISE EXCEPTION 'the office is closed'",
}


@pytest.mark.parametrize("form", ["plain", "custom"])
@pytest.mark.parametrize("what", BODIES)
def test_a_login_trigger_is_no_failure(
    what: str, form: str, shops: Shops, tmp_path: Path, report_dir: Path
) -> None:
    """Sessions that verify run none of the event triggers that came with the backup."""
    require_major(MAJOR)
    source = shops.database(MAJOR, f"login_{what}_{form}")
    fill_shop(source, TABLES.format(body=BODIES[what]))
    dump = tmp_path / "login.dump"
    pg_dump(source, dump, f"--format={form}")

    drill = run_drill(f"--backup={dump}", "-k", "not redis", report_dir=report_dir)

    assert drill.code == 0, drill.output
    assert drill.result["tables"]["public.t"]["rows"] == 15


def test_a_live_role_that_may_not_switch_them_off_is_let_in(shops: Shops) -> None:
    """A superuser's sessions run none; another role's are opened as they always were."""
    require_major(MAJOR)
    source = shops.database(MAJOR, "login_live")
    with source.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS login_app")
        connection.execute("CREATE ROLE login_app LOGIN")
    url = DatabaseUrl.of(source)

    for role, expected in (("postgres", "off"), ("login_app", "on")):
        found = open_database(url.replace("postgres@", f"{role}@", 1), lambda _: source.binaries)
        with found.connect() as connection:
            assert connection.execute("SHOW event_triggers").fetchone() == (expected,)


def test_a_copy_to_write_in_runs_them(shops: Shops) -> None:
    """Code that writes and commits meets the event triggers that it meets in production."""
    require_major(MAJOR)
    source = shops.source(MAJOR)

    assert "event_triggers" not in DatabaseUrl.of(source)
    assert "event_triggers" in DatabaseUrl.of(source, read_only=True)
