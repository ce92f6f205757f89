"""The data of the user's own Redis as the file that it saves itself: BGSAVE, on this machine.

For a server that lets nobody replicate. It forks as for any of its saves; SAVE, which keeps all its
clients waiting, is never asked for. That the file is what it has saved shows the time in it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_duration
from restore_drill.redis.backup.header import HEAD_BYTES, header_in
from restore_drill.redis.faults import explain

if TYPE_CHECKING:
    from restore_drill.redis.connection import Server

RIGHTS = "+bgsave +lastsave +info +config|get"
"""With a file that is named, the last one is not needed; without +info a failed save shows late."""
LONGEST = 900.0
"""Seconds that a save may take."""
POLL = 0.1
IDLE = 2.0
"""Seconds without any save at work after which the last one has failed, if it says so."""
PIECE = 1 << 20
Say = Callable[[str], None]


@contextmanager
def saved_by(server: Server, named: str, note: Say, progress: Say) -> Iterator[Iterator[bytes]]:
    """The RDB file that `server` saves now, in pieces: the one that is `named`, else that it tells.

    `note` hears of what is to be known of it. Raises CouldNotRun where it cannot be asked, does not
    save within LONGEST, or saves elsewhere.
    """
    import redis  # noqa: PLC0415 - loads slowly

    for command, plain in (("LASTSAVE", int), ("BGSAVE", str)):  # not as redis-py words them
        server.client.set_response_callback(command, plain)
    try:
        path = Path(named).expanduser() if named else told(server)
        refuse_unreadable(path)
        before, last = identity_of(path), last_save(server)
        begin(server, last, note)
        wait(server, last, progress)
        file = opened(path)
        with file:
            refuse_another(file, path, before, last, last_save(server))
            yield iter(partial(file.read, PIECE), b"")
    except redis.RedisError as error:
        raise could_not(error, server) from None


def could_not(error: Exception, server: Server) -> CouldNotRun:
    """An error of Redis while it was to save."""
    found = explain(error, server, "asking it to save (BGSAVE)")
    if "NoPermission" in type(error).__name__:
        found.remedy = remedy_for("redis_taking", "save_rights", rights=RIGHTS)
    return CouldNotRun(found.what, checked=found.checked, remedy=found.remedy)


def told(server: Server) -> Path:
    """Where it saves, by its own account."""
    names = ("dir", "dbfilename")
    return Path(*(str(server.client.config_get(each)[each]) for each in names))


def refuse_unreadable(path: Path) -> None:
    """CouldNotRun where its file, or the folder that is yet to hold it, cannot be read here."""
    is_there = os.path.lexists(path)
    if os.access(path, os.R_OK) or (not is_there and os.access(path.parent, os.R_OK | os.X_OK)):
        return
    raise CouldNotRun(
        f"the file that Redis saves, {path}, cannot be read on this machine",
        remedy=remedy_for("redis_taking", "elsewhere"),
    )


def identity_of(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file is replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def last_save(server: Server) -> int:
    """When it has last saved, in seconds of its own clock."""
    return int(server.client.execute_command("LASTSAVE"))  # type: ignore[no-untyped-call]


def begin(server: Server, last: int, note: Say) -> None:
    """Ask for a save; one that runs already is waited for in its place."""
    import redis  # noqa: PLC0415 - loads slowly

    # Its clock has seconds: two saves within one could not be told apart.
    time.sleep(min(max(last + 1.1 - time.time(), 0.0), 1.1))
    try:
        answer = server.client.bgsave(schedule=True)
    except redis.ResponseError as error:
        if "in progress" not in str(error):
            raise
        note("a save was already running: its file was taken")
    else:
        if "scheduled" in str(answer):
            note("it was rewriting its append-only files, and saved after that")


def wait(server: Server, last: int, progress: Say) -> None:
    """Wait for the end of the save, by LASTSAVE."""
    began = idle_since = time.monotonic()
    while last_save(server) == last:
        now = time.monotonic()
        state = state_of(server)
        if state != "err":
            idle_since = now
        if now - idle_since > IDLE:
            raise CouldNotRun(
                "saving (BGSAVE) failed: rdb_last_bgsave_status is err",
                remedy=remedy_for("redis_taking", "broken_off"),
            )
        if now - began > LONGEST:
            raise CouldNotRun(
                f"Redis did not finish saving within {show_duration(LONGEST)} (BGSAVE, LASTSAVE)",
                remedy=remedy_for("redis_taking", "slow_save"),
            )
        progress(f"Redis saves its data: {show_duration(now - began)}")
        time.sleep(POLL)


def state_of(server: Server) -> str:
    """`err` where nothing is at work and the last save has failed, as far as it says so."""
    import redis  # noqa: PLC0415 - loads slowly

    try:
        found = server.client.info("persistence")
    except redis.ResponseError:
        return ""
    names = ("rdb_bgsave_in_progress", "aof_rewrite_in_progress")
    if any(found.get(name) for name in names):
        return ""
    return str(found.get("rdb_last_bgsave_status", ""))


def opened(path: Path) -> IO[bytes]:
    """The file, which stays what it is where another save replaces it."""
    try:
        return path.open("rb")
    except OSError as error:
        raise CouldNotRun(
            f"the file that Redis saved, {path}, cannot be read on this machine: {error.strerror}",
            remedy=remedy_for("redis_taking", "elsewhere"),
        ) from None


def refuse_another(
    file: IO[bytes], path: Path, before: tuple[int, int, int] | None, last: int, saved: int
) -> None:
    """CouldNotRun where the `file` at `path` is not what was saved between `last` and `saved`."""
    found = os.fstat(file.fileno())
    header = header_in(file.read(HEAD_BYTES))
    file.seek(0)
    made = header.made_at.timestamp() if header and header.made_at else -1.0
    is_new = before != (found.st_ino, found.st_mtime_ns, found.st_size)
    if not is_new or not last <= made <= saved:
        raise CouldNotRun(
            f"{path} is not the file that Redis just saved: it saves elsewhere",
            remedy=remedy_for("redis_taking", "elsewhere"),
        )
