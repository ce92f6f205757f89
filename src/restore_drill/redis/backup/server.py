"""A server of the drill's own that loads a backup: private, and it saves nothing."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import psutil
import redis

from restore_drill.core.deadline import at_work
from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes
from restore_drill.redis.backup.configuration import LOG, NEVER, SOCKET, config_of
from restore_drill.redis.backup.model import Placed
from restore_drill.redis.backup.tools import Binary
from restore_drill.redis.connection import Server, client_options, server_of
from restore_drill.redis.folders import clean_left_over_redis, end_processes_in, make_folder
from restore_drill.redis.throwaway import Throwaway
from restore_drill.servers.owned import remove_owned
from restore_drill.servers.processes import ending_with_us

POLL = 0.02
ANSWERS = 600.0
"""Seconds that it may take to answer once: what goes over all keys takes long."""
CONFIG = "redis.conf"
SHARE = 0.9
"""Share of the memory that is free, and no more, a backup may take."""
REFUSED = re.compile(r"Can't handle RDB format version|Can't handle AOF", re.IGNORECASE)
MODULE = re.compile(r"no matching module(?: type)? '?([\w:-]{1,20})'?")
QUOTED = re.compile(r"'[^']*'")
"""What may be the name of a key."""
UNKNOWN = re.compile(
    r"Unknown command '([\w.|-]{1,40})' reading the append only file", re.IGNORECASE
)
LOADED = re.compile(r"keys loaded: (\d+), keys expired: (\d+)")


class Unreadable(Exception):
    """A server does not know the version of the file; another one may."""


@contextmanager
def private_folder(note: Callable[[str], None]) -> Iterator[tuple[Path, BinaryIO]]:
    """A folder for one server, locked, gone afterwards; what dead runs left goes before."""
    for line in clean_left_over_redis():
        note(f"Cleaned up after an earlier run: {line}")
    folder, lock = make_folder()
    try:
        yield folder, lock
    finally:
        remove_owned(folder)
        lock.close()


def refuse_without_memory(needed: int | None) -> None:
    """CouldNotRun where the data of a backup takes more memory than is free."""
    free = psutil.virtual_memory().available
    if needed is not None and needed > free * SHARE:
        raise CouldNotRun(
            f"the backup of Redis needs {show_bytes(needed)} of memory to be loaded, and "
            f"{show_bytes(free)} are free",
            remedy=remedy_for("redis_backup", "memory"),
        )


class Loader:
    """A server process that loads what is `placed`."""

    def __init__(self, binary: Binary, placed: Placed) -> None:
        """Prepare it; nothing starts yet."""
        self.binary, self.placed = binary, placed
        self.log = placed.folder / LOG
        self.process: subprocess.Popen[bytes] | None = None
        self.log.unlink(missing_ok=True)
        options = client_options() | {"socket_timeout": ANSWERS}
        path = str(placed.folder / SOCKET)
        self.server = server_of(redis.Redis(unix_socket_path=path, **options), own=False)

    def start(self) -> None:
        """Start the process."""
        config = self.placed.folder / CONFIG
        config.write_text(config_of(self.placed, self.binary), encoding="utf-8")
        with (self.placed.folder / "output.log").open("wb") as output:
            self.process = subprocess.Popen(
                [self.binary.path, str(config)],
                cwd=self.placed.folder,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=ending_with_us(os.getpid()),  # noqa: PLW1509 - as for all our servers
            )

    def end(self) -> None:
        """Kill it, also where an interrupt came between its start and the note of its process."""
        self.server.client.close()
        if self.process is None:
            end_processes_in(self.placed.folder)
            return
        with suppress(OSError):
            self.process.kill()
        self.process.wait()

    def wait(self) -> None:
        """Wait until it has loaded all; raises what became of it where it has not."""
        assert self.process is not None
        with at_work(lambda: f"{self.binary.words} loads the backup of Redis"):
            while True:
                with suppress(redis.RedisError, OSError):
                    if self.server.client.ping():
                        return
                if self.process.poll() is not None:
                    raise self.why_ended(self.process.returncode)
                time.sleep(POLL)

    def why_ended(self, code: int) -> BackupFault | CouldNotRun | Unreadable:
        """What it means that the server has ended instead of serving."""
        text = self.text()
        if REFUSED.search(text):
            return Unreadable(self.binary.words)
        if module := MODULE.search(text):
            return CouldNotRun(
                f"the backup of Redis needs the module {module[1]}, which no server here has",
                checked=[f"{self.binary.words} ({self.binary.path})"],
                remedy=remedy_for("redis_backup", "module"),
            )
        if unknown := UNKNOWN.search(text):
            return self.refused(unknown[1])
        if code < 0:
            return CouldNotRun(
                f"{self.binary.words} was ended by signal {-code} while it loaded the backup",
                remedy=remedy_for("redis_backup", "memory"),
            )
        return BackupFault(
            f"{self.binary.words} cannot load the backup of Redis",
            checked=self.last_lines(),
            remedy=remedy_for("test_redis_backup_is_intact", "damaged"),
        )

    def refused(self, command: str) -> BackupFault | CouldNotRun:
        """What it means that a file holds a `command` which the server does not run."""
        if "." in command:  # JSON.SET, FT.CREATE: only modules have such names
            return CouldNotRun(
                f"the backup of Redis needs a module for {command}, which no server here has",
                checked=[f"{self.binary.words} ({self.binary.path})"],
                remedy=remedy_for("redis_backup", "module"),
            )
        why = (
            "which its server does not write there" if command.upper() in NEVER else "unknown here"
        )
        return BackupFault(
            f"the append-only files hold the command {command}, {why}: it was not run",
            checked=[f"{self.binary.words} ({self.binary.path})"],
            remedy=remedy_for("test_redis_backup_is_intact", "damaged"),
        )

    def text(self) -> str:
        """All that it has logged."""
        paths = (self.log, self.placed.folder / "output.log")
        return "\n".join(
            each.read_text(encoding="utf-8", errors="replace") for each in paths if each.exists()
        )

    def last_lines(self) -> list[str]:
        """The last it has logged of an error, without what may be a key."""
        said = [line.partition(" # ")[2] for line in self.text().splitlines() if " # " in line]
        return [f"its log: {QUOTED.sub('...', line)}" for line in said[-3:]]

    def counted(self) -> tuple[int | None, int | None]:
        """Keys that it has loaded, and that had expired, by its own account; None without one."""
        found = LOADED.search(self.text())
        return (int(found[1]), int(found[2])) if found else (None, None)


def load(binary: Binary, placed: Placed, lock: BinaryIO, stack: ExitStack) -> tuple[Loader, Server]:
    """Have `binary` load what is `placed`; `stack` ends it. Unreadable where it cannot."""
    loader = Loader(binary, placed)
    stack.callback(loader.end)
    loader.start()
    loader.wait()
    with suppress(redis.RedisError):  # what had not run out at the start stays for the drill
        order = ("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        loader.server.client.execute_command(*order)  # type: ignore[no-untyped-call]
    kept = Throwaway(stack, folder=placed.folder, lock=lock, end=loader.end)
    return loader, replace(loader.server, throwaway=kept)
