"""Load on a source, of every kind of transaction, and recoveries to points of its WAL."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from restore_drill.backups.physical.model import lsn_of, show_lsn
from restore_drill.backups.physical.wal_names import segment_name
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.snapshot import read_fingerprint
from restore_drill.manifest.compare import compare
from restore_drill.manifest.physical import PhysicalFacts, comparable, without
from restore_drill.manifest.point import Point
from restore_drill.servers.database import open_database
from restore_drill.servers.launcher import small_environment
from restore_drill.servers.model import Target
from restore_drill.taking.physical.facts import Seen, facts_at, positions_of
from restore_drill.taking.physical.point import Finding
from restore_drill.taking.physical.wal import Wal
from tests.helpers.physical import Source
from tests.helpers.shop import quiet

TABLES = """
CREATE TABLE accounts (id int PRIMARY KEY, sum bigint NOT NULL DEFAULT 0, by int);
INSERT INTO accounts (id) SELECT generate_series(1, 200);
CREATE TABLE history (id bigserial, account int, by int, what text);
INSERT INTO history (account, by) SELECT n, 0 FROM generate_series(1, 100) n;
CREATE TABLE queue (id int, what text);
"""
EMPTIED = "emptied"
"""Not usual: what waits to TRUNCATE a table that we read keeps pg_dump waiting in turn."""
AID = "\\set a random(1, 200)\n"
SCRIPTS = {
    "usual": AID + "BEGIN; UPDATE accounts SET sum = sum + 1, by = :client_id WHERE id = :a;"
    " UPDATE history SET by = by + 1 WHERE id = :client_id; COMMIT;",
    "async": AID + "BEGIN; SET LOCAL synchronous_commit = off;"
    " UPDATE accounts SET by = by + 1 WHERE id = :a; COMMIT;",
    "nested": AID + "BEGIN; UPDATE accounts SET sum = sum - 1 WHERE id = :a; SAVEPOINT s;"
    " INSERT INTO history (account, what) VALUES (:a, 'lost'); ROLLBACK TO s; SAVEPOINT t;"
    " INSERT INTO history (account, what) VALUES (:a, 'nested'); RELEASE t; COMMIT;",
    "prepared": AID + "BEGIN; INSERT INTO history (account, what) VALUES (:a, 'two phases');"
    " PREPARE TRANSACTION 'g:client_id'; COMMIT PREPARED 'g:client_id';",
    "undone": AID + "BEGIN; DELETE FROM accounts WHERE id = :a; ROLLBACK;",
    EMPTIED: "BEGIN; TRUNCATE queue; INSERT INTO queue SELECT n, 'q' FROM"
    " generate_series(1, :client_id + 1) n; COMMIT;",
    "object": "SELECT lo_from_bytea(0, decode(md5(random()::text), 'hex'));",
    "cleaned": "VACUUM history;",
}  # fmt: skip
WEIGHTS = {"usual": 30, "async": 10, "nested": 10, "prepared": 5, "undone": 5}


def target_of(source: Source, database: str = "shop") -> Target:
    """The database of `source` as `backup` opens it."""
    url = f"postgresql://postgres@/{database}?host={source.folder}&port=5432"
    assert conninfo_to_dict(url)["dbname"] == database
    return open_database(url, lambda _: source.binaries)


@contextmanager
def load(
    source: Source, clients: int = 8, names: Collection[str] = SCRIPTS.keys() - {EMPTIED}
) -> Iterator[None]:
    """Write to the `shop` of `source` by pgbench while this goes on."""
    with tempfile.TemporaryDirectory() as folder:
        options = []
        for name in sorted(names):
            path = Path(folder) / name
            path.write_text(SCRIPTS[name] + "\n", encoding="utf-8")
            options.append(f"--file={path}@{WEIGHTS.get(name, 1)}")
        process = subprocess.Popen(
            [source.binaries.tool("pgbench"), "--no-vacuum", f"--client={clients}", "--time=3600",
             f"--host={source.folder}", "--username=postgres", *options, "shop"],
            env=small_environment(source.binaries, folder),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            time.sleep(0.3)
            assert process.poll() is None, process.communicate()[1]
            yield
        finally:
            ended = process.poll()
            process.terminate()
            errors = process.communicate()[1].decode()
            with source.connect() as connection:  # it may end between the two phases
                for (name,) in connection.execute("SELECT gid FROM pg_prepared_xacts").fetchall():
                    connection.execute(sql.SQL("ROLLBACK PREPARED {}").format(sql.Literal(name)))
        assert ended is None, errors


class Known(NamedTuple):
    """A point, and what its snapshot sees."""

    point: Point
    seen: Seen

    def why_not(self, recovered: Target) -> str:
        """Why `recovered` cannot be held to it."""
        facts = PhysicalFacts("tar", "", 0, 0, 1, point=self.point)
        return comparable(facts, "", recovered)

    def differences(self, recovered: Target) -> list[str]:
        """How `recovered` differs."""
        now = read_fingerprint(recovered, 1, quiet)
        return differences(self.seen.fingerprint, now, self.seen.apart, is_moved=self.seen.is_moved)


def finding_on(source: Source, folder: Path) -> Finding:
    """How points of `source` are found, as if a backup had ended now; its WAL goes to `folder`."""
    target, size = target_of(source), 1 << 24
    here = lsn_of(source.sql("SELECT pg_current_wal_insert_lsn()::text"))
    first = segment_name(1, here - 1, size)
    folder.mkdir()
    wal = Wal(target, folder, first, source.binaries.tool("pg_waldump"))
    return Finding(target, wal, here, 1, size)


def known_point(source: Source, folder: Path) -> Known:
    """A point of `source`, which others write to."""
    finding = finding_on(source, folder)
    stood = positions_of(finding.target)
    found = finding.find(quiet)
    assert found
    held, point = found
    with closing(held.session):
        return Known(point, facts_at(finding.target, held, stood, 1, quiet))


def differences(
    was: Fingerprint, now: Fingerprint, apart: Mapping[str, str], *, is_moved: bool = False
) -> list[str]:
    """How they differ, but for what is `apart`."""
    return compare(was, without(now, apart, is_moved=is_moved)).lines


@contextmanager
def recovered(
    source: Source, data: Path, lsn: int, *, fetch: str = "false", action: str = "promote"
) -> Iterator[Target]:
    """The server in `data`, recovered to `lsn`; `fetch` is its restore_command."""
    with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(
            f"\narchive_mode = off\nunix_socket_directories = '{data}'\nhot_standby = on\n"
            f"restore_command = '{fetch}'\nlisten_addresses = ''\n"
            f"recovery_target_lsn = '{show_lsn(lsn)}'\nrecovery_target_action = '{action}'\n"
        )
    (data / "recovery.signal").touch()
    source.launcher.own(data / "recovery.signal")
    started = ["pg_ctl", "start", "-w", "-s", "-D", str(data), "-l", str(data / "log")]
    source.run(*started)
    here = Source(data, source.binaries, source.launcher)
    try:
        wait_for(here, action)
        yield target_of(here)
    finally:
        source.run("pg_ctl", "stop", "-w", "-s", "-m", "fast", "-D", str(data), check=False)


def wait_for(server: Source, action: str) -> None:
    """Wait until recovery has reached its target."""
    query = {
        "promote": "SELECT NOT pg_is_in_recovery()",
        "pause": "SELECT pg_get_wal_replay_pause_state() = 'paused'",
    }[action]
    until = time.monotonic() + 60
    while not server.sql(query):
        assert time.monotonic() < until, server.log()[-2000:]
        time.sleep(0.02)
