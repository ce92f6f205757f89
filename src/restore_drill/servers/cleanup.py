"""Run directories of embedded servers: made, owned, removed, and found again after a kill."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from restore_drill.servers import owned
from restore_drill.servers.owned import OWNER
from restore_drill.servers.processes import stop_server

MEMORY = Path("/dev/shm")  # noqa: S108
"""Directory that Linux keeps in memory."""
PREFIX = "restore-drill-"
NAMES = PREFIX + "?" * 8
"""Names of run directories."""
DATA, LOG, BUILD, SOCKET = "data", "server.log", "build", ".s.PGSQL.5432"
WAY = "way"
"""Where our own way to the socket lies, which the server cannot lead elsewhere."""
WAL_ASKED, WAL_ANSWERS = "wal.asked", "wal.answers"
"""Pipes by which a server that recovers asks for WAL."""
CONFIG, HBA, IDENT, COMMANDS = "server.conf", "hba.conf", "ident.conf", "commands.sql"
"""Settings of a server that recovers, in place of the backup's own, and what is run in it alone."""
TABLESPACES = "tablespaces"
"""Where those of a recovered server lie."""
SOCKET_LIMIT = 103
"""Bytes of a socket's path: 103 on macOS, 107 on Linux."""
CONTENTS = {
    OWNER, DATA, LOG, BUILD, SOCKET, f"{SOCKET}.lock", WAY, WAL_ASKED, WAL_ANSWERS,
    CONFIG, HBA, IDENT, COMMANDS, TABLESPACES,
}  # fmt: skip
"""All that we put into a run directory: one without owner that holds more is not ours."""


@dataclass(frozen=True)
class RunDirectory:
    """Private directory of one server: `owner`, `data/`, its socket and its log.

    `lock` is the file `owner`, see `owned`.
    """

    path: Path
    lock: BinaryIO

    @property
    def data(self) -> Path:
        """Data directory of the server."""
        return self.path / DATA

    @property
    def log(self) -> Path:
        """Log of the server."""
        return self.path / LOG

    def remove(self) -> None:
        """Stop the server at once and remove everything; harmless when called twice."""
        stop_and_remove(self.path)
        self.lock.close()


@dataclass(frozen=True)
class LeftOver:
    """Run directory whose owner is dead; `owner` says who that was, as far as it is known."""

    path: Path
    owner: str


def bases() -> list[Path]:
    """Directories for temporary files, the user's own (TMPDIR) first."""
    found = [Path("/tmp"), Path("/var/tmp")]  # noqa: S108
    with suppress(FileNotFoundError):
        found.insert(0, Path(tempfile.gettempdir()))
    return [path for path in dict.fromkeys(map(Path.resolve, found)) if path.is_dir()]


def make_run_directory(base: Path) -> RunDirectory:
    """Make a run directory (mode 0700) in `base`, owned by this process; raises OSError."""
    return RunDirectory(*owned.make_owned(base, PREFIX))


def stop_and_remove(path: Path) -> int | None:
    """Stop what runs in the run directory `path` and remove it; the server's process id, or None.

    Twice at most: a program that was just starting may have written after the first time.
    """
    pid = None
    for _ in range(2):
        if path.exists():
            if (path / DATA).exists():
                pid = stop_server(path / DATA) or pid
            owned.remove_owned(path)
    return pid


def find_left_overs() -> list[LeftOver]:
    """Run directories of this user whose owner is dead."""
    found = []
    for path in owned.directories([*bases(), MEMORY], NAMES):
        with owned.claimed(path, CONTENTS) as owner:
            if owner is not None:
                found.append(LeftOver(path, owner))
    return found


def clean_left_overs() -> list[str]:
    """Stop the servers of dead owners and remove their directories; what was done, in words."""
    return [line for left_over in find_left_overs() if (line := clean(left_over))]


def clean(left_over: LeftOver) -> str:
    """Clean one left-over; what was done, in words, empty when another run was quicker."""
    path = left_over.path
    with owned.claimed(path, CONTENTS) as owner:
        if owner is None:
            return ""
        pid = stop_and_remove(path)
    server = f"stopped the PostgreSQL server {pid} of" if pid else "cleaned up after"
    rest = (
        f"could not remove all of {path}: remove it by hand" if path.exists() else f"removed {path}"
    )
    return f"{server} a run that died ({owner}); {rest}"
