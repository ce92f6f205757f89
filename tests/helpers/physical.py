"""Real servers that archive their WAL, and physical backups of them."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from restore_drill.servers.binaries import Binaries
from restore_drill.servers.cleanup import RunDirectory
from restore_drill.servers.find import find_binaries
from restore_drill.servers.launcher import Launcher, choose_launcher, small_environment
from restore_drill.servers.starting import reachable
from tests.helpers.shop import quiet

SUMMARIES_SINCE = 17
ALL_MAJORS = "DRILL_ALL_MAJORS"
"""Variable that asks for tests on each of their versions, which takes twice the time."""
SCHEMA = """
CREATE TABLE customers (
    id serial PRIMARY KEY, email text NOT NULL UNIQUE, name text, note text,
    CHECK (email LIKE '%%@%%'));
CREATE TABLE orders (
    id bigserial PRIMARY KEY, customer_id int NOT NULL REFERENCES customers,
    total numeric(10,2) NOT NULL, placed_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX orders_by_customer ON orders (customer_id);
CREATE TABLE events (id bigserial PRIMARY KEY, at timestamptz DEFAULT now(), what text);
CREATE UNLOGGED TABLE cache (key text PRIMARY KEY, value text);
CREATE TABLE documents (id serial PRIMARY KEY, body text);
CREATE TABLE bare (a int, b text);
INSERT INTO customers (email, name, note)
    SELECT n || '@example.org', 'Customer ' || n, repeat('x', n %% 90)
    FROM generate_series(1, {rows}) n;
INSERT INTO orders (customer_id, total)
    SELECT 1 + n %% {rows}, n / 7.0 FROM generate_series(1, 4 * {rows}) n;
INSERT INTO cache SELECT 'k' || n, 'v' FROM generate_series(1, 100) n;
INSERT INTO documents (body)
    SELECT string_agg(md5(n::text || m::text), '') FROM generate_series(1, 40) n,
    generate_series(1, 400) m GROUP BY n;
INSERT INTO bare SELECT n, md5(n::text) FROM generate_series(1, {rows}) n;
"""


@dataclass
class Source:
    """A running server in `folder`, which archives its WAL to `archive`.

    Its databases are `shop` and `billing`; with `tablespace`, `events` lies in tablespace `ts1`.
    """

    folder: Path
    binaries: Binaries
    launcher: Launcher
    options: dict[str, str] = field(default_factory=dict)
    initdb: tuple[str, ...] = ()

    @property
    def data(self) -> Path:
        """Its data directory."""
        return self.folder / "data"

    @property
    def archive(self) -> Path:
        """Where it archives its WAL."""
        return self.folder / "archive"

    @property
    def tablespace(self) -> Path:
        """Where its tablespace `ts1` lies."""
        return self.folder / "ts1"

    def run(self, tool: str, *arguments: str | Path, check: bool = True) -> str:
        """Output of a tool of its build, run as the server's account."""
        done = self.launcher.run(
            [self.binaries.tool(tool), *map(str, arguments)],
            cwd=self.folder,
            env=small_environment(self.binaries, str(self.folder)) | {"LC_MESSAGES": "C"},
        )
        assert not check or done.returncode == 0, f"{tool}: {done.stdout}"
        return done.stdout

    def make(self, *, checksums: bool = True, rows: int = 2000) -> None:
        """Make the cluster, start it and fill it."""
        for each in (self.folder, self.archive, self.tablespace):
            each.mkdir(exist_ok=True)
            self.launcher.own(each)
        sums = ["--data-checksums"] if checksums else []
        sums = ["--no-data-checksums"] if not checksums and self.binaries.major >= 18 else sums
        self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--no-sync",
                 "-E", "UTF8", "--locale=C.UTF-8", *sums, *self.initdb)  # fmt: skip
        settings = {
            "listen_addresses": "", "unix_socket_directories": str(self.folder), "port": "5432",
            "archive_mode": "on", "archive_command": f"cp %p {self.archive}/%f",
            "wal_level": "replica", "max_wal_senders": "8", "fsync": "off", "autovacuum": "off",
            "shared_buffers": "32MB", "log_destination": "stderr", "logging_collector": "off",
        } | self.options  # fmt: skip
        if self.binaries.major >= SUMMARIES_SINCE:
            settings |= {"summarize_wal": "on"}
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        self.start()
        self.sql("CREATE DATABASE shop", "postgres")
        self.sql("CREATE DATABASE billing", "postgres")
        self.sql(f"CREATE TABLESPACE ts1 LOCATION '{self.tablespace}'")
        self.sql(SCHEMA.replace("%%", "%").format(rows=rows))
        self.sql("ALTER TABLE events SET TABLESPACE ts1")
        self.sql("INSERT INTO events (what) SELECT 'e' || n FROM generate_series(1, 500) n")
        self.sql("CREATE TABLE invoices (id serial PRIMARY KEY, sum int)", "billing")
        self.sql("INSERT INTO invoices (sum) SELECT n FROM generate_series(1, 300) n", "billing")
        self.sql("CHECKPOINT")

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.run("pg_ctl", "start", "-w", "-s", "-D", self.data, "-l", self.folder / "log")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: fast is a clean shutdown, immediate none."""
        self.run("pg_ctl", "stop", "-w", "-s", "-m", mode, "-D", self.data, check=False)

    def connect(self, database: str = "shop") -> psycopg.Connection[tuple[Any, ...]]:
        """Connection of the superuser, autocommit on."""
        return psycopg.connect(
            host=str(self.folder), port=5432, user="postgres", dbname=database, autocommit=True
        )

    def sql(self, query: str, database: str = "shop") -> Any:
        """First value that `query` gives, None for none."""
        with self.connect(database) as connection:
            cursor = connection.execute(query.encode())
            row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    def commit(self, what: str, rows: int = 1) -> tuple[int, str]:
        """Insert events of this name in one transaction: its xid, and a time just after it."""
        with self.connect() as connection:
            found = connection.execute(
                "WITH new AS (INSERT INTO events (what) SELECT %s FROM generate_series(1, %s)"
                " RETURNING 1) SELECT pg_current_xact_id()::text::int, count(*) FROM new",
                [what, rows],
            ).fetchone()
            time.sleep(0.01)
            after = connection.execute("SELECT clock_timestamp()::text").fetchone()
        assert found is not None and after is not None
        time.sleep(0.01)
        return int(found[0]), str(after[0])

    def restore_point(self, name: str) -> str:
        """Make a restore point; its LSN."""
        return str(self.sql(f"SELECT pg_create_restore_point('{name}')"))

    def switch(self) -> str:
        """End the segment and wait until it is archived; its name."""
        self.sql("SELECT pg_logical_emit_message(true, 'test', 'end')")
        name = str(self.sql("SELECT pg_walfile_name(pg_switch_wal())"))
        until = time.monotonic() + 30
        ready = self.data / "pg_wal" / "archive_status" / f"{name}.ready"
        # By the archiver's own word: on a busy machine the file is there long before it is whole.
        while ready.exists() or not (self.archive / name).exists():
            assert time.monotonic() < until, f"{name} was not archived: {self.log()[-2000:]}"
            time.sleep(0.02)
        return name

    def log(self) -> str:
        """Its log."""
        return (self.folder / "log").read_text(errors="replace")

    def base_backup(self, name: str, *options: str, form: str = "plain") -> Path:
        """Take a base backup `name`; its folder. A plain one has its tablespace beside it."""
        to = self.folder / name
        mapped = [f"--tablespace-mapping={self.tablespace}={to}.ts1"] if form == "plain" else []
        self.run("pg_basebackup", "-D", to, "-F", form, "-h", self.folder, "-U", "postgres",
                 "--checkpoint=fast", "--no-sync", *mapped, *options)  # fmt: skip
        return to


def majors(first: int, *others: int) -> list[int]:
    """Versions that tests run on: the `first`, and the `others` where all are asked for."""
    return [first, *others] if os.environ.get(ALL_MAJORS) else [first]


@contextmanager
def source(
    major: int = 15,
    *,
    checksums: bool = True,
    rows: int = 2000,
    initdb: tuple[str, ...] = (),
    needs: frozenset[str] = frozenset(),
    **options: str,
) -> Iterator[Source]:
    """Running server of `major` with `rows` customers, removed at the end with its backups."""
    binaries = find_binaries(major, needs=needs, note=quiet)
    assert binaries.major == major
    folder = Path(tempfile.mkdtemp(prefix="drill-source-", dir="/tmp"))
    folder.chmod(0o755)
    launcher = choose_launcher()
    binaries = reachable(binaries, RunDirectory(folder, io.BytesIO()), launcher)
    found = Source(folder, binaries, launcher, options, initdb)
    try:
        found.make(checksums=checksums, rows=rows)
        yield found
    finally:
        found.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


def copied(backup: Path, to: Path) -> Path:
    """Copy of a backup that a test may damage, with the owners of its files."""
    subprocess.run(["cp", "-a", str(backup), str(to)], check=True)
    if os.path.lexists(f"{backup}.ts1"):
        subprocess.run(["cp", "-a", f"{backup}.ts1", f"{to}.ts1"], check=True)
        for link in (to / "pg_tblspc").iterdir():
            link.unlink()
            link.symlink_to(f"{to}.ts1")
    return to
