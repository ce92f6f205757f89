"""Copies of physical backups in run directories of tests, and servers that are started on them."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from restore_drill.backups.physical.kinds import physical_at
from restore_drill.backups.physical.model import Physical
from restore_drill.recovery.copying import Copied, copy_backup
from restore_drill.recovery.safe import make_safe
from tests.helpers.physical import Source
from tests.helpers.shop import quiet

CONFIG = """
listen_addresses = ''
unix_socket_directories = '{run}'
port = 5432
hba_file = '{run}/hba.conf'
ident_file = '{run}/ident.conf'
archive_mode = off
wal_level = minimal
max_wal_senders = 0
max_logical_replication_workers = 0
shared_preload_libraries = ''
logging_collector = off
log_destination = stderr
fsync = off
ssl = off
hot_standby = off
"""
"""As a drill starts a copy: nothing of the backup's own configuration is read."""


@contextmanager
def run_directory() -> Iterator[Path]:
    """A folder that the server's account can enter, removed at the end."""
    run = Path(tempfile.mkdtemp(prefix="drill-copied-", dir="/tmp"))
    run.chmod(0o755)
    try:
        yield run
    finally:
        shutil.rmtree(run, ignore_errors=True)


def physical_of(backup: Path) -> Physical:
    """The physical backup in the folder `backup`."""
    found = physical_at(backup)
    assert found is not None
    return found


def copied_to(run: Path, backup: Path) -> Copied:
    """What came of copying `backup` into the data directory in `run`, which is safe then."""
    (run / "data").mkdir(mode=0o700)
    found = copy_backup(physical_of(backup), run / "data", quiet)
    make_safe(run / "data")
    return found


@contextmanager
def started(source: Source, run: Path) -> Iterator[psycopg.Connection[Any]]:
    """Connection to `shop` of a server on the copy in `run`, which is stopped at the end."""
    (run / "drill.conf").write_text(CONFIG.format(run=run), encoding="utf-8")
    (run / "hba.conf").write_text("local all all trust\n", encoding="utf-8")
    (run / "ident.conf").touch()
    source.launcher.own(run)
    command = ["-D", str(run / "data"), "-w", "-l", str(run / "log")]
    control = source.binaries.tool("pg_ctl")
    options = f"-c config_file={run}/drill.conf"
    done = source.launcher.run([control, "start", *command, "-o", options], cwd=run)
    assert done.returncode == 0, (run / "log").read_text(encoding="utf-8", errors="replace")
    try:
        with connected(run) as connection:
            yield connection
    finally:
        source.launcher.run([control, "stop", "-m", "immediate", *command], cwd=run)


def connected(run: Path) -> psycopg.Connection[Any]:
    """Connection to `shop` of the server in `run`, once it has recovered."""
    until = time.monotonic() + 30
    while True:
        try:
            return psycopg.connect(
                host=str(run), port=5432, user="postgres", dbname="shop", autocommit=True,
                options="-c session_preload_libraries= -c local_preload_libraries=",
            )  # fmt: skip
        except psycopg.OperationalError as error:
            if "not accepting" not in str(error) and "starting up" not in str(error):
                raise
            assert time.monotonic() < until, (run / "log").read_text(errors="replace")
            time.sleep(0.02)


def census_of(source: Source) -> dict[str, tuple[int, int, int, str]]:
    """Census of a running server's files, without those that it writes while nothing is done."""
    own = ("pg_wal", "pg_stat", "pg_stat_tmp", "pg_logical", "pg_subtrans", "global", "pg_xact")
    data = [each for each in source.data.iterdir() if each.name not in own]
    wal = {str(each): (0, 0, 0, "") for each in (source.data / "pg_wal").iterdir()}
    return census(source.tablespace, source.archive, *data) | wal


def census(*folders: Path) -> dict[str, tuple[int, int, int, str]]:
    """Owner, mode, time and content (a link's aim, a file's hash) of all in `folders`, by path."""
    found = {}
    for top in folders:
        for path in (top, *sorted(top.rglob("*"))):
            status = path.lstat()
            content = ""
            if path.is_symlink():
                content = str(path.readlink())
            elif path.is_file():
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            time = status.st_mtime_ns
            found[str(path)] = (status.st_uid, status.st_mode, time, content)
    return found
