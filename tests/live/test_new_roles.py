"""Roles that a live server lacks: made from a role file or with passwords, kept by a promotion."""

from __future__ import annotations

import hashlib
import hmac
import os
import pty
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from restore_drill.backups.model import Backup
from restore_drill.backups.read import read_head
from restore_drill.config.settings import settings_from
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.record import Record
from restore_drill.core.steps import Steps
from restore_drill.live.beside.database import database_beside
from restore_drill.live.roles import new_roles
from restore_drill.live.roles.new_roles import NewRoles
from restore_drill.live.roles.passwords import read_passwords
from restore_drill.servers.embedded import start_embedded
from restore_drill.servers.find import find_binaries
from restore_drill.servers.model import Target
from tests.helpers.drills import ROOT, Drill, run_drill
from tests.helpers.live import clean_by_command, databases, start_and_wait, url_of
from tests.helpers.shop import fill_shop, pg_dump, quiet

ROLES = r"""
CREATE ROLE till_owner NOLOGIN;
CREATE ROLE till_reader NOLOGIN;
CREATE ROLE till_app LOGIN PASSWORD 'secret 1' IN ROLE till_reader;
CREATE ROLE stranger LOGIN PASSWORD 'secret 2';
ALTER ROLE till_app SET search_path = public, "$user";
COMMENT ON ROLE till_app IS 'the application';
CREATE TABLE sales AS SELECT generate_series(1, 5) AS id;
ALTER TABLE sales OWNER TO till_owner;
GRANT SELECT ON sales TO till_reader;
"""
NEW = ["till_app", "till_owner", "till_reader"]
THERE = """
    SELECT rolname, coalesce(shobj_description(oid, 'pg_authid'), '') FROM pg_roles
    WHERE rolname ~ '^till_|^stranger' ORDER BY 1
"""


class Till(NamedTuple):
    """A live database on a server that lacks all roles of its backup, and those backups."""

    live: Target
    folder: Path

    def roles(self) -> dict[str, str]:
        """Roles of the backup that the server has, with their comments."""
        with self.live.connect(dbname="postgres") as connection:
            return dict(connection.execute(THERE.encode()).fetchall())

    def drill(self, *arguments: str, **environment: str) -> Drill:
        """A drill of the live database."""
        given = {"BACKUP_PATH": str(self.folder), "DATABASE_URL": url_of(self.live)}
        given |= environment
        report = self.folder / "report"
        return run_drill("--target=database", *arguments, report_dir=report, cwd=ROOT, **given)

    def new_roles(self, user: str = "", **options: str) -> NewRoles:
        """Roles of a drill in this process, as `user`, with an own backup file."""
        url = url_of(self.live, user) if user else url_of(self.live)
        path = backup_in(self.folder)
        given = {"target": "database", "backup": str(path), "create_roles": "yes"} | options
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DATABASE_URL", url)
            settings = settings_from(given, here=self.folder, root=ROOT)
        when = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        backup = Backup(path, "custom", "", path.stat().st_size, when, "its name")
        backup = replace(backup, head=read_head(backup))
        return NewRoles(settings, backup, Steps(nullcontext, lambda: 80), Record())


def backup_in(folder: Path) -> Path:
    """The one backup in `folder`."""
    return folder / "db" / "till.dump"


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Till]:
    """A server without the roles of the backup that lies beside its role file."""
    folder = tmp_path_factory.mktemp("till")
    (folder / "db").mkdir()
    with start_embedded(find_binaries(15, note=quiet), note=quiet) as server:
        source = server.create_database("till")
        fill_shop(source, ROLES)
        pg_dump(source, backup_in(folder), "--format=custom")
        with (folder / "db" / "globals").open("wb") as file:
            subprocess.run(
                [source.binaries.tool("pg_dumpall"), "--globals-only"],
                env=source.tool_environment, check=True, stdout=file,
            )  # fmt: skip
        with source.connect() as connection:
            connection.execute("DROP OWNED BY till_owner, till_reader")
            connection.execute("DROP ROLE till_owner, till_reader, till_app, stranger")
            connection.execute("CREATE TABLE sales AS SELECT generate_series(1, 5) AS id")
            connection.execute("CREATE ROLE app LOGIN SUPERUSER PASSWORD 'p@ss:w/rd#1'")
        yield Till(source, folder)


def test_refused_then_made_and_dropped(till: Till) -> None:
    """Without --create-roles nothing is made; with it, what a drill has made it drops."""
    with pytest.raises(CouldNotRun, match="roles that the server lacks: till_owner") as refusal:
        till.new_roles(create_roles="no").check(till.live)
    assert "role file: globals, beside the backup" in str(refusal.value)
    assert "of these it holds till_owner" in str(refusal.value)
    assert "add --create-roles" in str(refusal.value)
    assert till.roles() == {}

    drill = till.drill("--create-roles")
    assert drill.code == 0, drill.output
    notes = str(drill.result["notes"])
    assert "role till_owner made: NOLOGIN" in notes
    assert "role till_app made: LOGIN, member of till_reader" in notes
    assert "roles dropped again, since nothing was promoted" in notes
    assert "SCRAM-SHA-256" not in drill.output and "stranger" not in drill.output
    assert till.roles() == {}


def test_a_killed_drill_leaves_marked_roles_which_clean_drops(till: Till, tmp_path: Path) -> None:
    """They are known by their comment, and no other drill takes them for its own."""
    process = start_and_wait(till.live, till.folder, tmp_path / "report", "--create-roles")
    made = till.roles()
    with till.new_roles() as roles:
        roles.check(till.live)
        with pytest.raises(CouldNotRun, match="was created by another drill"):
            roles.begin(till.live)
    process.kill()
    process.communicate()
    assert list(made) == NEW and all(
        "restore-drill: made for till_drill_" in c for c in made.values()
    )
    with till.live.connect() as connection:
        connection.execute("CREATE ROLE till_own")
        connection.execute("COMMENT ON ROLE till_own IS 'restore-drill: made by hand'")

    done = clean_by_command(till.live)

    assert "dropped the role till_app, which a killed drill left" in done
    assert list(till.roles()) == ["till_own"]
    assert not [name for name in databases(till.live) if "_drill_" in name]
    with till.live.connect() as connection:
        connection.execute("DROP ROLE till_own")


def test_passwords_from_a_file_where_there_is_no_role_file(till: Till, tmp_path: Path) -> None:
    """Every role can log in then; without passwords it is refused, and nothing is made."""
    alone = tmp_path / "db"
    alone.mkdir()
    alone.joinpath("till.dump").write_bytes(backup_in(till.folder).read_bytes())
    here = Till(till.live, tmp_path)
    with database_beside(till.live, pytest.fail) as made:
        with here.new_roles() as roles:
            roles.check(till.live)
            with pytest.raises(CouldNotRun, match="passwords are not known: till_owner") as refusal:
                roles.begin(made)
        assert "run it on a terminal" in str(refusal.value)
        assert "--role-passwords FILE" in str(refusal.value)
        assert till.roles() == {}

        secrets = tmp_path / "passwords"
        secrets.write_text("# of the till\ntill_owner:a\\:b\\\\c\ntill_reader:\n")
        secrets.chmod(0o640)
        with here.new_roles(role_passwords=str(secrets)) as roles:
            roles.check(till.live)
            with pytest.raises(CouldNotRun, match="cannot be used") as refusal:
                roles.begin(made)
        assert "its mode is 0640" in str(refusal.value)
        secrets.chmod(0o600)
        for line, why in (
            ("till_owner:s3c\\ret", "line 2: a backslash that is before neither"),
            ("till_owner:s3cret\\", "line 2: a backslash that is before neither"),
            ("till_owner:s3:cret", "line 2: a second colon"),
        ):
            with pytest.raises(CouldNotRun, match=why) as refusal:
                read_passwords(written(tmp_path, f"\n{line}\n"))
            assert "s3" not in str(refusal.value)
            assert "write \\: for a colon, and \\\\ for a backslash" in str(refusal.value)
        verifier = "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy"
        assert read_passwords(written(tmp_path, f"a:{verifier}\n")) == {"a": verifier}
        with here.new_roles(role_passwords=str(secrets)) as roles:
            roles.check(till.live)
            roles.begin(made)
            roles.provide(["till_reader"])
            assert can_log_in(till.live, "till_owner") == (True, True, "a:b\\c")
            assert can_log_in(till.live, "till_reader")[:2] == (True, False)
        assert till.roles() == {}

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(new_roles, "make_roles", interrupt)
            roles = here.new_roles(role_passwords=str(secrets))
            roles.check(till.live)
            with pytest.raises(KeyboardInterrupt), roles:
                roles.begin(made)
        assert "stay" not in str(roles.record.notes)


def written(folder: Path, text: str) -> Path:
    """A file of passwords with this `text`."""
    path = folder / "other passwords"
    path.touch(0o600)
    path.write_text(text)
    return path


def interrupt(*_: object) -> None:
    """What Ctrl-C does."""
    raise KeyboardInterrupt


def can_log_in(live: Target, role: str) -> Any:
    """Whether `role` may log in, has a password, and which of two it is."""
    with live.connect() as connection:
        row = connection.execute(
            "SELECT rolcanlogin, rolpassword FROM pg_authid WHERE rolname = %s", [role]
        ).fetchone()
    assert row is not None
    password = next((each for each in ("a:b\\c",) if row[1] and fits(row[1], each)), "")
    return row[0], row[1] is not None, password


def fits(verifier: str, password: str) -> bool:
    """Whether the SCRAM verifier is that of `password` (RFC 5802)."""
    _, rest = verifier.split("$", 1)
    (count, salt), (stored, _) = (each.split(":") for each in rest.split("$"))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), b64decode(salt), int(count))
    client = hmac.digest(salted, b"Client Key", "sha256")
    return hashlib.sha256(client).digest() == b64decode(stored)


ASK = """
from restore_drill.live.roles.passwords import ask_password
print("got", len(ask_password("till_app", print)))
"""


def test_a_person_is_asked_twice() -> None:
    """At the terminal, which shows nothing of it."""
    process, terminal = pty.fork()
    if process == 0:
        os.environ["PYTHONPATH"] = str(ROOT / "src")
        os.execv(sys.executable, [sys.executable, "-c", ASK])  # noqa: S606
    seen = b""
    for typed in (b"one\n", b"two\n", b"tree\n", b"tree\n"):
        while not seen.rstrip(b" ").endswith((b"role till_app:", b"Again:")):
            seen += os.read(terminal, 1024)
        os.write(terminal, typed)
        seen += b"."
    while b"got 4" not in seen:
        seen += os.read(terminal, 1024)
    assert os.waitpid(process, 0)[1] == 0
    assert b"the two differ" in seen
    assert b"tree" not in seen and b"one" not in seen


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"target": "embedded"}, "cannot be combined with --target embedded"),
        (
            {"target": "database", "in_place": "yes", "confirm": "x"},
            "cannot be combined with --in-place",
        ),
    ],
)
def test_roles_are_made_beside_a_live_database_alone(options: dict[str, str], why: str) -> None:
    """Anything else is an error in the options."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", "postgresql://app@127.0.0.1:1/x")
        with pytest.raises(UsageError, match=f"--create-roles {why}"):
            settings_from({"create_roles": "yes"} | options, here=ROOT, root=ROOT)
