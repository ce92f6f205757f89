"""Embedded servers that stay up after their drill: kept, found again, and ended.

What is known of one stands in the command line of its keeper, a process of this user: no file that
a dump's code could write is believed.
"""

from __future__ import annotations

import errno
import json
import os
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from psycopg.conninfo import make_conninfo

from restore_drill.core.calling import PACKAGE
from restore_drill.core.printable import printable
from restore_drill.core.units import show_time
from restore_drill.servers import cleanup
from restore_drill.servers.embedded import EmbeddedServer
from restore_drill.servers.executor import SUPERUSER
from restore_drill.servers.kept_lines import MARK, READY
from restore_drill.servers.model import EVENT_TRIGGERS_OFF, SWITCHED_SINCE
from restore_drill.servers.tuning import PORT

KEEPER = "restore_drill.servers.keeper"
ORDERS = (signal.SIGTERM, signal.SIGINT)
"""What ends a keeper, and its server first."""
PATIENCE = 30.0
"""Seconds for a keeper to be ready, and to end its server."""


@dataclass(frozen=True)
class Kept:
    """A kept server: `way` is the folder of its socket, `psql` the program that fits it."""

    run: Path
    way: Path
    until: datetime
    database: str
    psql: Path
    major: int
    keeper: psutil.Process

    @property
    def conninfo(self) -> str:
        """How libpq reaches the restored database; no login trigger of the backup runs then."""
        found: dict[str, str | int] = {
            "host": str(self.way),
            "port": PORT,
            "user": SUPERUSER,
            "dbname": self.database,
        }
        if self.major >= SWITCHED_SINCE:
            found["options"] = EVENT_TRIGGERS_OFF
        return make_conninfo("", **found)

    @property
    def command(self) -> str:
        """What a user types to open it."""
        return printable(f"{shlex.quote(str(self.psql))} {shlex.quote(self.conninfo)}")

    @property
    def words(self) -> str:
        """Which one it is: `database shop, until 2026-11-28 21:30 UTC`."""
        return printable(f"database {self.database}, until {show_time(self.until)}")

    def end(self) -> bool:
        """End it, and remove its files; False where that takes too long."""
        with suppress(psutil.NoSuchProcess):
            self.keeper.terminate()
            try:
                self.keeper.wait(PATIENCE)
            except psutil.TimeoutExpired:
                return False
        return not self.run.exists()


def keep(server: EmbeddedServer, database: str, seconds: float) -> Kept:
    """Leave `server` running for so many seconds, with `database`; raises OSError, and then it is.

    From then on it is its keeper's: this process neither watches nor stops it.
    """
    executor, run = server.executor, server.run
    until = time.time() + seconds
    process = executor.process if executor.is_isolated else None
    walls = process.stdin.fileno() if process is not None and process.stdin is not None else None
    spec: dict[str, Any] = {
        "run": str(run.path),
        "way": str(server.way),
        "until": until,
        "database": database,
        "psql": str(server.binaries.bin_dir / "psql"),
        "major": server.binaries.major,
        "walls": walls,
    }
    # It obeys orders once it can carry them out: until then they wait.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ORDERS)
    try:
        keeper = subprocess.Popen(
            [sys.executable, "-m", KEEPER, json.dumps(spec)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=environment_of_keeper(),
            start_new_session=True,
            pass_fds=[run.lock.fileno(), *([walls] if walls is not None else [])],
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    await_ready(keeper)
    found = kept_of(spec, psutil.Process(keeper.pid))
    run.lock.write(f"{MARK}{show_time(found.until)}".encode())
    let_go(server, keeper)
    return found


def environment_of_keeper() -> dict[str, str]:
    """Where it finds what this process has imported: not all of that is where Python looks."""
    path = dict.fromkeys([str(PACKAGE.parent), *filter(os.path.isabs, sys.path)])
    return {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": os.pathsep.join(path)}


def await_ready(keeper: subprocess.Popen[bytes]) -> None:
    """Wait until the `keeper` holds the server; OSError, and it is ended, where it does not."""
    assert keeper.stdout is not None
    with keeper.stdout as said:
        if select.select([said], [], [], PATIENCE)[0] and said.read(len(READY)) == READY:
            return
    keeper.kill()
    keeper.wait()
    raise OSError(errno.ECHILD, "the process that should keep the server running did not start")


def let_go(server: EmbeddedServer, keeper: subprocess.Popen[bytes]) -> None:
    """Forget `server`, which the `keeper` has, and the keeper: both are to outlive this process."""
    server.watch.stop()
    executor = server.executor
    if executor.is_isolated and executor.process is not None:
        for pipe in (executor.process.stdin, executor.process.stdout):
            if pipe is not None:
                pipe.close()
        executor.process.returncode = 0
        executor.process = None
    executor.datadir = ""  # it would remove that when it is forgotten
    keeper.returncode = 0
    server.run.lock.close()


def kept_of(spec: dict[str, Any], keeper: psutil.Process) -> Kept:
    """The server that `spec` describes to its `keeper`."""
    return Kept(
        run=Path(spec["run"]),
        way=Path(spec["way"]),
        until=datetime.fromtimestamp(spec["until"], UTC),
        database=spec["database"],
        psql=Path(spec["psql"]),
        major=spec["major"],
        keeper=keeper,
    )


def kept_servers() -> list[Kept]:
    """Kept servers of this user where left-overs are looked for too, the newest first."""
    found, here = [], {*cleanup.bases(), cleanup.MEMORY}
    for process in psutil.process_iter():
        with suppress(psutil.Error, ValueError, KeyError, TypeError):
            arguments = process.cmdline()
            if KEEPER in arguments[:-1] and process.uids().effective == os.geteuid():
                kept = kept_of(json.loads(arguments[-1]), process)
                found += [(process.create_time(), kept)] if kept.run.parent in here else []
    return [kept for _, kept in sorted(found, key=lambda each: each[0], reverse=True)]


def end_kept() -> Iterator[str]:
    """End all kept servers of this user; what was done, in words."""
    for each in kept_servers():
        did = "ended the kept server of" if each.end() else "could not end the kept server of"
        yield f"{did} {each.words}; {each.run}"
