"""Folders of embedded Redis servers: made, locked by their process, cleaned up after it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO

import psutil

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.servers.cleanup import SOCKET_LIMIT, bases
from restore_drill.servers.owned import claimed, directories, make_owned, remove_owned

FOLDER = "restore-drill-redis-"
SERVERS = ("redis-server", "valkey-server")
PATIENCE = 5.0
"""Seconds for a killed process to end."""


def private_folder(note: Callable[[str], None], stack: ExitStack) -> tuple[Path, BinaryIO]:
    """A folder for one server, locked; `stack` removes it. What dead runs have left goes before.

    By callbacks alone: whoever keeps the server takes them off the stack. Raises CouldNotRun.
    """
    for line in clean_left_over_redis():
        note(f"Cleaned up after an earlier run: {line}")
    folder, lock = make_folder()
    stack.callback(lock.close)
    stack.callback(remove_owned, folder)
    return folder, lock


def make_folder() -> tuple[Path, BinaryIO]:
    """Make a folder whose path is short enough for a socket, and lock it; TMPDIR comes first."""
    against = []
    for base in bases():
        if len(os.fsencode(base / f"{FOLDER}12345678" / "redis.12345.sock")) > SOCKET_LIMIT:
            against.append(f"{base}: its path is too long for a Unix socket")
            continue
        try:
            return make_owned(base, FOLDER)
        except OSError as error:
            against.append(f"{base}: {error.strerror}")
    raise CouldNotRun(
        "no temporary directory is suitable for the embedded Redis",
        checked=against,
        remedy=remedy_for("machine", "no_temporary_folder"),
    )


def clean_left_over_redis() -> list[str]:
    """End the embedded servers of dead runs and delete their folders; what was done, in words.

    A folder is ours to delete when this user owns it and nobody holds its lock any more.
    """
    done = []
    for folder in directories(bases(), f"{FOLDER}????????"):
        with claimed(folder) as owner:
            if owner is None:
                continue
            ended = "stopped" if end_processes_in(folder) else "cleaned up after"
            remove_owned(folder)
            done.append(f"{ended} the embedded Redis of a run that died; removed {folder}")
    for process, folder in servers_without_folder():
        kill(process)
        done.append(f"stopped the embedded Redis (process {process.pid}) of {folder}, already gone")
    return done


def end_processes_in(folder: Path) -> bool:
    """Kill the servers in `folder` or below, also one that was just starting; whether any was."""
    found = [each for each, place in at_work() if folder in (place, *place.parents)]
    for process in found:
        kill(process)
    return bool(found)


def servers_without_folder() -> list[tuple[psutil.Process, Path]]:
    """Embedded servers that run on in a folder which is not there any more."""
    homes = bases()
    return [
        (process, place)
        for process, place in at_work()
        if place.parent in homes and place.name.startswith(FOLDER) and not place.exists()
    ]


def at_work() -> Iterator[tuple[psutil.Process, Path]]:
    """Servers of this user that work in a folder for embedded ones, and which it is.

    No other program: a user may look into the folder of a kept server with a shell of his.
    """
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            place = process.cwd()
            # There may be hundreds of processes: most are left at the first question.
            if f"/{FOLDER}" in place and is_server_of_ours(process):
                yield process, Path(place)


def is_server_of_ours(process: psutil.Process) -> bool:
    """Whether `process` is a server, of this user, and its paths mean the same to us.

    To one in a container they do not: it has a folder for temporary files of its own.
    """
    is_server = process.uids().effective == os.geteuid() and process.name() in SERVERS
    return bool(is_server and mounts_seen_by(process.pid) == mounts_seen_by(os.getpid()))


def mounts_seen_by(pid: int) -> int | None:
    """Number of the table of mounts of the process `pid`; None where there is but one."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/ns/mnt").stat().st_ino
    return None


def kill(process: psutil.Process) -> None:
    """Kill `process`, and wait until it has ended: it must not write into its folder again."""
    with suppress(psutil.Error):
        process.kill()
        process.wait(PATIENCE)
