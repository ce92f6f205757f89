"""What fills a disk or a memory, or never ends, is reported: no hang and no traceback."""

from __future__ import annotations

import gzip
import os
import resource
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from psycopg import capabilities

from restore_drill.backups.model import Backup
from restore_drill.backups.read import read_contents, sha256_of
from restore_drill.backups.written import write_all
from restore_drill.config.budgets import FLOOR, SECONDS_A_GB, seconds_of
from restore_drill.config.settings import Settings
from restore_drill.core.deadline import INTERRUPTS, Deadline, TookTooLong, at_work
from restore_drill.core.errors import EXIT_COULD_NOT_RUN, CouldNotRun
from restore_drill.core.record import Record
from restore_drill.restore import split
from restore_drill.restore.blocks import Blocks
from restore_drill.restore.pool import Pool
from restore_drill.restore.split import restore_split
from restore_drill.restore.wire import CANCEL_WAIT, Wire
from tests.helpers.shop import Shops, quiet

MB = 1_000_000
GUIDE = {"max_restore_time": 120.0, "max_verify_time": 30.0, "max_total_time": 300.0}
BOMB = """
import resource, sys
sys.path.insert(0, "src")
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]),) * 2)
from datetime import UTC, datetime
from pathlib import Path
from restore_drill.backups.plaindump import lines
from restore_drill.backups.model import Backup
from restore_drill.backups.read import read_contents
lines.LONGEST = 100_000_000
path = Path(sys.argv[1])
backup = Backup(path, "plain", "gzip", path.stat().st_size, datetime.now(UTC), "")
print(read_contents(backup, path.parent, lambda _: None).faults[0])
"""


@pytest.mark.parametrize(
    ("opening", "told"),
    [
        ("COPY public.t (x) FROM stdin;\n", "line 2: a row of public.t is longer than"),
        ("SELECT 1;\nSELECT '", "line 2: a line is longer than"),
    ],
)
def test_a_line_without_end_fills_no_memory(opening: str, told: str, tmp_path: Path) -> None:
    """A line far longer than the file is a fault of it, found in bounded memory."""
    path = tmp_path / "bomb.sql.gz"
    with gzip.open(path, "wb", 1) as packed:
        packed.write(opening.encode())
        for _ in range(200):
            packed.write(b"a" * MB)
    done = subprocess.run(
        [sys.executable, "-c", BOMB, str(path), str(1500 * MB)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.stdout.startswith(told), done.stderr
    assert path.stat().st_size < 5 * MB


def test_memory_that_runs_out_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup that this machine's memory does not take is not damaged for it."""

    def run_out(*_: object) -> None:
        raise MemoryError

    path = tmp_path / "backup.sql"
    path.write_bytes(b"SELECT 1;\n")
    monkeypatch.setattr("restore_drill.backups.plaindump.lexer.PlainReader.statement", run_out)

    with pytest.raises(CouldNotRun, match=r"memory ran out while backup\.sql was read"):
        read_contents(backup_of(path), tmp_path, quiet)


def backup_of(path: Path) -> Backup:
    """The plain dump at `path`."""
    return Backup(path, "plain", "", path.stat().st_size, datetime.now(UTC), "")


def test_a_full_disk_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that cannot be spooled, or an archive that cannot be unpacked, are not the backup's."""
    blocks = Blocks(None)
    full = os.open("/dev/full", os.O_WRONLY)
    monkeypatch.setattr(blocks, "descriptor", full)
    with pytest.raises(CouldNotRun, match="not enough space to spool the rows"):
        blocks.add(blocks.new(), b"1\n", 2)
    blocks.close()
    os.close(full)

    with (
        FileIO("/dev/full", "w") as file,
        pytest.raises(CouldNotRun, match="not enough space for the backup in /dev"),
    ):
        write_all(file, b"data", Path("/dev"))


def test_a_digest_is_not_waited_for(tmp_path: Path) -> None:
    """The digest of a long file ends soon after it is stopped."""
    path = tmp_path / "long"
    with path.open("wb") as file:
        file.truncate(50_000 * MB)
    stop = threading.Event()
    thread = threading.Thread(target=sha256_of, args=(path, stop), daemon=True)
    thread.start()
    stop.set()
    thread.join(10)

    assert not thread.is_alive()


def test_rows_that_still_come_are_not_waited_for(
    shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error that is one too many ends a split restore while rows of another table come."""
    path = tmp_path / "dump.sql"
    dump = "SET client_encoding = 'UTF8';\n"
    for name in "ab":
        dump += f"--\n-- Name: {name}; Type: TABLE; Schema: public; Owner: -\n--\n\n"
        dump += f"CREATE TABLE public.{name} (\n    x integer\n);\n\n"
    for name, rows in (("a", "wrong\n"), ("b", "1\n" * 4 * MB)):
        dump += f"--\n-- Data for Name: {name}; Type: TABLE DATA; Schema: public; Owner: -\n--\n\n"
        dump += f"COPY public.{name} (x) FROM stdin;\n{rows}\\.\n\n"
    path.write_text(dump)
    backup = backup_of(path)
    contents = read_contents(backup, tmp_path, quiet)
    target = shops.database(15, "too_many_errors")
    monkeypatch.setattr(split, "MAX_ERRORS", 1)
    told = threading.Event()

    def wait_for_the_error(_: split.Clock, pool: Pool) -> None:
        until = time.monotonic() + 5
        while not pool.sessions[0].restoration.errors and time.monotonic() < until:
            time.sleep(0.01)
        if pool.sessions[0].restoration.errors:
            told.set()

    monkeypatch.setattr(split.Clock, "report", wait_for_the_error)
    found: list[int] = []

    def run() -> None:
        done = restore_split(target, backup, contents, jobs=2, progress=quiet)
        found.append(len(done.errors))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(60)

    assert told.is_set()
    assert not thread.is_alive()
    assert found == [1]


def test_a_limit_interrupts_whatever_waits() -> None:
    """The limit of a stage ends a wait, names what was at work, and is gone with the stage."""
    deadline = Deadline(None, lambda name: 0.1 if name == "short" else None)
    with (
        pytest.raises(TookTooLong, match="the short one took longer") as caught,
        deadline.watching(),
        deadline.stage("long", "the long one"),
        deadline.stage("short", "the short one"),
        at_work(lambda: "a nap"),
    ):
        time.sleep(30)

    assert "running at that time: a nap, for 0.1" in str(caught.value)
    with deadline.watching():
        time.sleep(0.2)


def test_nothing_begins_behind_the_limit_of_the_drill() -> None:
    """Once the whole drill took too long all that follows fails at once, with the same error."""
    deadline = Deadline(0.05, lambda _: None)
    time.sleep(0.1)
    with deadline.stage("cleanup", "a cleanup"):
        time.sleep(0.1)  # nothing is watched here
    errors: list[TookTooLong] = []
    depths: list[int] = []
    reached = 0
    for _ in range(3):
        with pytest.raises(TookTooLong) as caught, deadline.watching():
            reached += 1
        errors.append(caught.value)
        depths.append(len(caught.traceback))

    assert errors[0] is errors[1]
    assert len(set(depths)) == 1, "each criterion added to the traceback"
    assert reached == 0


def test_limits_of_the_stages() -> None:
    """Ten times the budget, ten minutes at least, an hour for a GB; a rollback has none."""
    settings = cast("Settings", SimpleNamespace(**GUIDE))
    record = Record()

    assert seconds_of("restore", settings, record) == 1200
    assert seconds_of("verify", settings, record) == FLOOR
    assert seconds_of("select", settings, record) == 3000
    assert seconds_of("rollback", settings, record) is None
    record.backup = {"bytes": 2_000 * MB}
    assert seconds_of("restore", settings, record) == 1200 + 2 * SECONDS_A_GB


def test_a_query_of_any_length_is_thrown_away(shops: Shops) -> None:
    """Rows that a dump's own query gives are not gathered, and the next statement runs."""
    target = shops.database(15, "long_query")
    conninfo = " ".join(f"{key}='{value}'" for key, value in target.conninfo.items())
    wire = Wire(conninfo, lambda: "")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = wire.exec_(b"SELECT repeat('x', 1000000) FROM generate_series(1, 300)", rows=False)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    next_one = wire.exec_(b"SELECT 1; SELECT 2")
    wire.close()

    assert (found.ntuples, next_one.get_value(0, 0)) == (0, b"2")
    assert after - before < 100_000


@pytest.fixture
def one_answer(shops: Shops) -> Iterator[str]:
    """Connection string of a listener that hands one connection on, and no other."""
    target = shops.database(15, "one_answer")
    server = socket.socket(socket.AF_UNIX)
    server.connect(f"{target.conninfo['host']}/.s.PGSQL.{target.conninfo['port']}")
    listener = socket.create_server(("127.0.0.1", 0))

    def hand_on() -> None:
        client, _ = listener.accept()
        with client, suppress(OSError):
            ends = {client: server, server: client}
            while True:
                for end in select.select([*ends], [], [])[0]:
                    if not (data := end.recv(65536)):
                        return
                    ends[end].sendall(data)

    threading.Thread(target=hand_on, daemon=True).start()
    keywords = {**target.conninfo, "host": "127.0.0.1", "port": str(listener.getsockname()[1])}
    yield " ".join(f"{key}='{value}'" for key, value in keywords.items())
    listener.close()
    server.close()


def test_a_listener_that_never_answers_is_asked_to_cancel_for_a_moment(one_answer: str) -> None:
    """A cancel needs a connection of its own, which nobody may take in."""
    wire = Wire(f"{one_answer} gssencmode=disable sslmode=disable", lambda: "")
    wire.pgconn.send_query(b"SELECT pg_catalog.pg_sleep(60)")

    began = time.monotonic()
    wire.cancel()
    took = time.monotonic() - began
    wire.close()

    assert capabilities.has_cancel_safe(), "psycopg[binary] brings a libpq that can"
    assert CANCEL_WAIT <= took < CANCEL_WAIT + 2


STUBBORN = """
import sys, time
sys.path.insert(0, "src")
from restore_drill.core import deadline
deadline.AGAIN = 0.5
found = deadline.Deadline(0.05, lambda _: None)
with found.watching():
    while True:
        try:
            time.sleep(0.01)
        except BaseException:
            print("caught", flush=True)
"""


def test_what_catches_every_interrupt_is_ended() -> None:
    """A criterion that retries whatever is raised in it does not outlast the limit."""
    done = subprocess.run(
        [sys.executable, "-c", STUBBORN], capture_output=True, text=True, check=False, timeout=30
    )

    assert done.returncode == EXIT_COULD_NOT_RUN
    assert done.stdout.count("caught") == INTERRUPTS
    assert "took longer than" in done.stderr
    assert "stopped without cleaning up" in done.stderr
