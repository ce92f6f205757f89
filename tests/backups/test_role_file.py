"""A role file is read whole, found by its content, and refused where it is anything else."""

from __future__ import annotations

import gzip
import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from restore_drill.backups.model import Backup
from restore_drill.backups.role_file import is_role_file, read_role_file
from restore_drill.backups.role_model import Membership, Role
from restore_drill.core.errors import CouldNotRun
from restore_drill.selection.candidate import look_at
from restore_drill.selection.role_files import line_on, role_file_beside, role_file_for
from tests.helpers.shop import Shops, fill_shop

SOURCE = r"""
CREATE ROLE file_owner NOLOGIN CREATEDB;
CREATE ROLE "We""ird Rolle ü" LOGIN PASSWORD 'x' NOINHERIT CONNECTION LIMIT 5
    VALID UNTIL '2030-01-01 UTC';
CREATE ROLE file_app LOGIN PASSWORD 's3cret' IN ROLE file_owner;
ALTER ROLE file_app SET search_path = public, "$user";
ALTER ROLE file_app SET statement_timeout = '5s';
COMMENT ON ROLE file_app IS E'the\\ app''s';
GRANT pg_monitor TO file_app WITH ADMIN OPTION;
GRANT SET ON PARAMETER log_statement TO file_app;
"""
HEAD = "--\n-- PostgreSQL database cluster dump\n--\n\n"
END = "\n--\n-- PostgreSQL database cluster dump complete\n--\n"


def test_what_pg_dumpall_writes_is_read(shops: Shops, tmp_path: Path) -> None:
    """Attributes, verifiers, settings, comments and memberships, through a compression too."""
    source = shops.source(15)
    fill_shop(source, SOURCE)
    with source.connect() as connection:
        connection.execute("SET allow_in_place_tablespaces = on")
        connection.execute("CREATE TABLESPACE file_space LOCATION ''")
    written = subprocess.run(
        [source.binaries.tool("pg_dumpall"), "--globals-only", "--clean"],
        env=source.tool_environment, check=True, capture_output=True,
    ).stdout  # fmt: skip
    with source.connect() as connection:
        connection.execute("DROP TABLESPACE file_space")
        connection.execute("REVOKE SET ON PARAMETER log_statement FROM file_app")
        connection.execute('DROP ROLE file_app, file_owner, "We""ird Rolle ü"')
    path = tmp_path / "anything.bin"
    path.write_bytes(gzip.compress(written))

    assert is_role_file(path)
    found = read_role_file(path)

    app = found.roles["file_app"]
    assert app.can_log_in and not app.privileges and app.comment == "the\\ app's"
    assert str(app.password).startswith("SCRAM-SHA-256$") and "SCRAM" not in repr(found)
    settings = (("search_path", ("public", "$user")), ("statement_timeout", ("5s",)))
    assert app.settings == settings
    assert found.roles["file_owner"] == Role("file_owner", may_create_databases=True)
    odd = found.roles['We"ird Rolle ü']
    assert (odd.inherits, odd.connection_limit) == (False, 5)
    assert str(odd.valid_until).startswith("2030-01-01")
    assert found.roles["postgres"].privileges == ["SUPERUSER", "REPLICATION", "BYPASSRLS"]
    assert Membership("file_owner", "file_app") in found.memberships
    assert Membership("pg_monitor", "file_app", admin=True) in found.memberships
    assert found.has_passwords
    assert "tablespaces" in str(found.left_out) and "ON PARAMETER" in str(found.left_out)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("CREATE TABLE t (id int);", "CREATE"),
        ("SELECT pg_reload_conf();", "SELECT"),
        ("ALTER SYSTEM SET fsync = off;", "ALTER"),
        ("DO $$BEGIN END$$;", "DO"),
        ("GRANT SELECT ON t TO a;", "GRANT of other than roles"),
        ("ALTER ROLE b SUPERUSER;", "a role that it does not create"),
        ("CREATE ROLE b SUPERUSER SYSID 10;", "an attribute of a role: SYSID"),
        ("CREATE ROLE b PASSWORD 'se' 'cret' ", "it ends inside a statement"),
        ("CREATE ROLE b CONNECTION LIMIT many;", "an invalid number"),
        ("COPY t FROM STDIN;\n1\n\\.\n", "COPY"),
        ("\\! touch /tmp/x\n", "it is not a role file"),
        ("INSERT INTO pg_authid VALUES (1);", "INSERT"),
        ("COMMENT ON ROLE nobody IS 'x';", "COMMENT ON ROLE"),
        ("GRANT a TO b WITH MAGIC TRUE;", "GRANT with options"),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, statement: str, why: str) -> None:
    """By its kind and line, and none of its text is shown."""
    path = tmp_path / "roles.sql"
    path.write_text(f"{HEAD}CREATE ROLE a;\n{statement}{END}")
    with pytest.raises(CouldNotRun, match="cannot be used") as refusal:
        read_role_file(path)
    assert why in str(refusal.value)
    assert "line " in str(refusal.value) and "cret" not in str(refusal.value)


def test_options_of_a_membership_and_a_file_by_hand(tmp_path: Path) -> None:
    """Those of 16 and later; no frame of pg_dumpall is needed where none begins."""
    path = tmp_path / "by_hand.sql"
    path.write_text(
        "CREATE USER a PASSWORD 'p';\nCREATE GROUP b;\n"
        "GRANT b TO a WITH ADMIN FALSE, INHERIT TRUE, SET FALSE GRANTED BY postgres;"
        "ALTER ROLE a SET auto_explain.log_min_duration = -1;"
    )
    found = read_role_file(path)
    assert found.roles["a"].can_log_in and not found.roles["b"].can_log_in
    assert found.memberships == (Membership("b", "a", admin=False, inherit=True, set_role=False),)
    assert found.roles["a"].settings == (("auto_explain.log_min_duration", ("-1",)),)

    path.write_text(HEAD + "CREATE ROLE a;\n")
    with pytest.raises(CouldNotRun, match="end marker is missing"):
        read_role_file(path)
    path.write_text("-- nothing\n")
    with pytest.raises(CouldNotRun, match="creates no role"):
        read_role_file(path)
    with pytest.raises(CouldNotRun, match="cannot be read"):
        read_role_file(tmp_path / "missing.sql")


def test_the_nearest_in_time_is_found_beside_the_backup(tmp_path: Path) -> None:
    """By its content; pg_dumpall's whole output is none, and neither is another dump."""
    when = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)
    backup = Backup(tmp_path / "shop.dump", "custom", "", 1, when, "its name")
    roles = f"{HEAD}CREATE ROLE a;\n{END}"
    assert role_file_beside(backup, UTC) is None
    (tmp_path / "all.sql").write_text(f"{HEAD}CREATE ROLE a;\n\\connect shop\n{END}")
    (tmp_path / "other.sql").write_text("-- PostgreSQL database dump\nCREATE TABLE t ();\n")
    assert role_file_beside(backup, UTC) is None

    for name, days in (("old.sql", 9), ("near", 1), ("later.sql", -2)):
        (tmp_path / name).write_text(roles)
        at = (when - timedelta(days=days)).timestamp()
        os.utime(tmp_path / name, (at, at))
    many = "".join(f"CREATE ROLE role_number_{number};\n" for number in range(5000))
    (tmp_path / "shop.many").write_text(HEAD + many + END)
    for name, pack in (("shop.many", bytes), ("shop_20261201.sql.gz", gzip.compress)):
        path = tmp_path / name
        path.write_bytes(pack((HEAD + many + END).encode()))
        assert is_role_file(path) and not look_at(path, UTC).is_backup, "it is no backup either"
        path.write_bytes(pack((HEAD + many + "\n\\connect shop\n" + END).encode()))
        assert not is_role_file(path) and look_at(path, UTC).is_backup
        path.unlink()

    found = role_file_beside(backup, UTC)
    assert found is not None and found.path.name == "near"
    line = line_on(found, backup)
    assert "beside the backup, of 2026-11-27 05:00:00 UTC, 1 d before" in line

    whole = replace(backup, path=tmp_path / "all.sql", format="plain")
    of_itself = role_file_for(whole, None, UTC)
    assert of_itself is not None and list(read_role_file(of_itself[0]).roles) == ["a"]
