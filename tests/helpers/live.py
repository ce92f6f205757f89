"""A live database to drill into, and drills that are stopped in the middle."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.snapshot import read_fingerprint
from restore_drill.servers.model import Target
from tests.helpers.drills import ROOT, Drill, command, inherited
from tests.helpers.shop import quiet
from tests.helpers.warm import Kept

Promote = Callable[..., Drill]

LIVE = """
CREATE ROLE app LOGIN SUPERUSER PASSWORD 'p@ss:w/rd#1';
CREATE TABLE artists (id serial PRIMARY KEY, name text);
CREATE TABLE only_live (id int);
INSERT INTO artists (name) SELECT 'live ' || n FROM generate_series(1, 5) n;
INSERT INTO only_live SELECT generate_series(1, 7);
SELECT lo_from_bytea(0, 'live');
"""


PASSWORD = "p%40ss%3Aw%2Frd%231"


def url_of(target: Target, user: str = f"app:{PASSWORD}") -> str:
    """DATABASE_URL of `target`, with a password that needs percent-encoding."""
    host = target.conninfo["host"].replace("/", "%2F")
    port, name = target.conninfo["port"], quote(target.conninfo["dbname"], safe="")
    return f"postgresql://{user}@{host}:{port}/{name}"


def name_of(target: Target) -> str:
    """Name of the live database."""
    return target.conninfo["dbname"]


def fingerprint(target: Target) -> Fingerprint:
    """What the live database is."""
    return read_fingerprint(target, 2, quiet)


BESIDE = (".source", ".json", ".sha256")
"""Files that lie beside a snapshot, and journals."""


def snapshots(backups: Path) -> list[str]:
    """Names of what lies in the snapshots' folder, without the files that say what they are of."""
    found = (backups / "snapshots").glob("*")
    return sorted(path.name for path in found if path.suffix not in BESIDE)


def journals(backups: Path) -> list[Path]:
    """Journals of resets that are not over."""
    return sorted((backups / "snapshots").glob("reset_*.json"))


def start_and_wait_for_reset(live: Target, backups: Path, report_dir: Path) -> Kept:
    """Start a drill whose verification hangs, and wait until it has reset the database."""
    confirmed = f"--confirm-reset={live.conninfo['dbname']}"
    return start_and_wait(live, backups, report_dir, confirmed)


def start_and_wait(live: Target, backups: Path, report_dir: Path, *options: str) -> Kept:
    """Start a drill of a live database whose verification hangs, and wait for that."""
    criteria = report_dir.parent / "hang.toml"
    criteria.write_text(
        '[sql]\ntimeout = "10m"\n'
        '[facts.hang]\nsql = "SELECT count(*) FROM pg_sleep(600)"\nmin = 1\n'
    )
    process = Kept(
        ["pytest", str(ROOT / "drill"), f"--report-dir={report_dir}", f"--criteria={criteria}",
         "-p", "no:cacheprovider", "--target=database", *options],
        cwd=ROOT, env=inherited() | {"BACKUP_PATH": str(backups), "DATABASE_URL": url_of(live)},
    )  # fmt: skip
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    deadline = time.monotonic() + 60
    with live.connect(dbname="postgres") as connection:
        while connection.execute(query.encode()).fetchone() == (0,):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.1)
    return process


def roll_back_by_command(
    live: Target, snapshot: Path, name: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `python -m drill rollback`, for the database `name` or the right one."""
    return roll_back(live, None, str(snapshot), "--confirm-reset", name or live.conninfo["dbname"])


def databases(live: Target) -> dict[str, str]:
    """Names of all databases of the server of `live`, with their comments."""
    query = "SELECT datname, coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database"
    with live.connect(dbname="postgres") as connection:
        return dict(connection.execute(query.encode()).fetchall())


def clean_by_command(live: Target) -> str:
    """Output of `python -m drill clean` for the server of `live`."""
    done = command("clean", DATABASE_URL=url_of(live))
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows_of(live: Target, name: str, table: str) -> Any:
    """How many rows a table of the database `name` has; None where it is not there."""
    with live.connect(dbname=name) as connection:
        there = connection.execute("SELECT to_regclass(%s)", [table]).fetchone()
        if there == (None,):
            return None
        row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    return row and row[0]


def roll_back(
    live: Target, backups: Path | None, *given: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `python -m drill rollback`."""
    where = {"DATABASE_URL": url_of(live)} | ({"BACKUP_PATH": str(backups)} if backups else {})
    return command("rollback", *given, **where | environment)
