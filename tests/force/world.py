"""The world of a case: a live server, a backup, and a live database of its own for each case."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from shutil import rmtree

import psycopg

from tests.force.disks import Disk
from tests.force.proxy import Proxy
from tests.force.server import LiveServer
from tests.helpers.drills import CLEARED, ROOT

SHOP = """
CREATE TABLE meta (what text);
INSERT INTO meta VALUES ('live');
CREATE TABLE artists (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
INSERT INTO artists (name) SELECT 'artist ' || n FROM generate_series(1, 20) n;
CREATE TABLE cards (
    id serial PRIMARY KEY, title text NOT NULL, artist_id int NOT NULL REFERENCES artists,
    slug text GENERATED ALWAYS AS (lower(title)) STORED
);
INSERT INTO cards (title, artist_id) SELECT 'Card ' || n, 1 + n % 20 FROM generate_series(1, 200) n;
CREATE INDEX ON cards (artist_id);
CREATE VIEW shown AS SELECT title, name FROM cards c JOIN artists a ON a.id = c.artist_id;
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * n';
CREATE TABLE orders (writer int, seq int, note text NOT NULL, PRIMARY KEY (writer, seq));
CREATE TABLE ledger (writer int PRIMARY KEY, entries int[] NOT NULL DEFAULT '{}');
INSERT INTO ledger (writer) SELECT generate_series(1, 4);
INSERT INTO orders VALUES (0, 0, 'order 0 0');
GRANT SELECT, INSERT, UPDATE ON orders, ledger TO app;
"""
"""The application writes to `orders` and `ledger`; all else has to stay as it is."""
ROLES = """
CREATE ROLE drill LOGIN CREATEDB;
GRANT pg_signal_backend TO drill;
CREATE ROLE app LOGIN;
"""
WRITTEN = ("orders", "ledger")
LIVE, BACKUP = "source_live", "source_backup"


class World:
    """Server, backup and folders; `temporary` is the TMPDIR of all drills, `proxy` their way."""

    def __init__(self) -> None:
        """Start the server, and dump what the drills are to restore."""
        self.folder = Path(tempfile.mkdtemp(prefix="force-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.temporary = self.folder / "t"
        self.temporary.mkdir(mode=0o777)
        self.temporary.chmod(0o1777)
        self.server = LiveServer(self.folder)
        self.proxy = Proxy(self.server.port)
        self.backups_disk = Disk.make(self.folder / "b")
        self.backups = self.backups_disk.path
        (self.backups / "db").mkdir()
        self.count = 0
        self.fill()
        self.looks = {LIVE: self.text_of(LIVE), BACKUP: self.text_of(BACKUP)}

    @property
    def snapshots(self) -> Path:
        """Where snapshots and journals lie."""
        return self.backups / "snapshots"

    def fill(self) -> None:
        """Make roles, the two databases that are copied, and the backup."""
        with self.server.connect("postgres") as connection:
            connection.execute(ROLES.encode())
            connection.execute(f"CREATE DATABASE {LIVE} OWNER drill".encode())
        with self.server.connect(LIVE, user="drill") as connection:
            connection.execute(SHOP.encode())
        with self.server.connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {BACKUP} TEMPLATE {LIVE} OWNER drill".encode())
        with self.server.connect(BACKUP) as connection:
            connection.execute("UPDATE meta SET what = 'backup'")
        self.tool("pg_dump", "--format=custom", f"--file={self.backups}/db/backup.dump", BACKUP)

    def tool(self, name: str, *given: str) -> str:
        """Output of a client tool, run by the superuser."""
        where = ["--host", str(self.server.socket), "--port", str(self.server.port)]
        done = subprocess.run(
            [self.server.bin_dir / name, *where, "--username=postgres", *given],
            capture_output=True, text=True, check=False, env=os.environ | {"LC_ALL": "C"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def text_of(self, database: str) -> str:
        """pg_dump's text of a database, without what the application writes."""
        left_out = [f"--exclude-table-data={name}" for name in WRITTEN]
        text = self.tool("pg_dump", *left_out, database)
        return re.sub(r"^\\(un)?restrict .*$", "", text, flags=re.MULTILINE)

    def make_live(self) -> str:
        """New live database; its name."""
        self.count += 1
        name = f"shop{self.count}"
        copy = f"CREATE DATABASE {name} TEMPLATE {LIVE} OWNER drill STRATEGY file_copy"
        with self.server.connect("postgres") as connection:
            connection.execute(copy.encode())
            connection.execute(f"ALTER DATABASE {name} SET work_mem = '5MB'".encode())
            connection.execute(f"COMMENT ON DATABASE {name} IS 'the shop'".encode())
        return name

    def environment(self, database: str, user: str = "drill") -> dict[str, str]:
        """Environment of a drill of `database`, on its way through the proxy."""
        kept = {
            key: value
            for key, value in os.environ.items()
            if key not in CLEARED and not key.startswith(("DRILL_", "PYTEST"))
        }
        return kept | {
            "BACKUP_PATH": str(self.backups),
            "DATABASE_URL": f"postgresql://{user}@127.0.0.1:{self.proxy.port}/{database}",
            "TMPDIR": str(self.temporary),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "PYTHONIOENCODING": "utf-8",
            "PYTHONPATH": str(ROOT / "src"),
        }

    def heal(self) -> None:
        """Undo every fault: disks, folder, server, rights, network."""
        self.backups_disk.heal()
        gone = self.backups / "snapshots.gone"
        if gone.exists():
            self.snapshots.mkdir(exist_ok=True)
            for path in gone.iterdir():
                path.replace(self.snapshots / path.name)
            gone.rmdir()
        self.server.heal()
        self.proxy.heal()
        with self.server.connect("postgres") as connection:
            connection.execute("ALTER ROLE drill LOGIN CREATEDB")
            connection.execute("GRANT pg_signal_backend TO drill")
            connection.execute("GRANT CONNECT ON DATABASE postgres TO PUBLIC")
            for name in self.databases():
                connection.execute(f'ALTER DATABASE "{name}" OWNER TO drill'.encode())

    def databases(self) -> list[str]:
        """Names of all databases of cases."""
        with self.server.connect("postgres") as connection:
            rows = connection.execute(
                "SELECT datname FROM pg_database WHERE starts_with(datname, 'shop')"
            ).fetchall()
        return [name for (name,) in rows]

    def clear(self) -> None:
        """Drop all databases of cases, and all snapshots: the next case begins anew."""
        with self.server.connect("postgres") as connection:
            for name in self.databases():
                with suppress(psycopg.Error):
                    connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
        rmtree(self.snapshots, ignore_errors=True)

    def remove(self) -> None:
        """End everything."""
        self.proxy.close()
        self.server.remove()
        self.backups_disk.remove()
        rmtree(self.folder, ignore_errors=True)
