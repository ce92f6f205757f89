"""Where an embedded server lives: in memory when its data surely fit there, else on a disk."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

import psutil

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes
from restore_drill.servers import cleanup
from restore_drill.servers.launcher import Launcher

MINIMUM_ROOM = 400_000_000
"""Free bytes below which no server is started: an empty cluster and its first WAL files."""
GROUP = Path("/sys/fs/cgroup")
"""Where the control group around us shows its limits, inside a container."""
LIMIT = ("memory.max", "memory/memory.limit_in_bytes")
USED = ("memory.current", "memory/memory.usage_in_bytes")
"""Its files, in the second and the first version of control groups."""
GROWTH = 6
"""Bytes of memory a byte of SQL: tables of twice its size, as many indexes, sorting, to spare."""
SHARE = 0.5
"""Part of the memory that is available which a data directory may take."""


def memory() -> int:
    """Bytes of memory that this machine, or the container around us, has."""
    limit = cgroup_number(*LIMIT)
    total = int(psutil.virtual_memory().total)
    return min(total, limit) if limit else total


def available_memory() -> int:
    """Bytes of memory that can be used without anyone being swapped out or killed."""
    free = int(psutil.virtual_memory().available)
    limit = cgroup_number(*LIMIT)
    used = cgroup_number(*USED)
    return min(free, max(0, limit - used)) if limit else free


def cgroup_number(*names: str) -> int:
    """Number that the control group around us gives under one of `names`; 0 for none."""
    for name in names:
        with suppress(OSError, ValueError):
            return int((GROUP / name).read_text(encoding="ascii"))
    return 0


def choose_base(launcher: Launcher, room: int) -> Path:
    """Directory for run directories with `room` free bytes; CouldNotRun with what speaks against.

    The user's TMPDIR is taken unless the server could not live there.
    """
    against = {}
    for base in cleanup.bases():
        against[base] = unfit(base, launcher, room + MINIMUM_ROOM)
        if not against[base]:
            return base
    raise CouldNotRun(
        "no temporary directory is suitable for the server",
        checked=[f"{base}: {reason}" for base, reason in against.items()],
        remedy=remedy_for("machine", "no_temporary_folder"),
    )


def why_elsewhere(base: Path, launcher: Launcher, room: int) -> str:
    """Why a server for `room` bytes lives in `base` and not in TMPDIR; empty where it does."""
    named = os.environ.get("TMPDIR", "")
    folder = Path(named).resolve()
    if not named or folder == base:
        return ""
    why = "it is no folder"
    if folder.is_dir():
        why = unfit(folder, launcher, room + MINIMUM_ROOM) or "no file can be written there"
    return f"in {base}, not in TMPDIR ({named}): {why}"


def fits_in_memory(launcher: Launcher, room: int) -> bool:
    """Whether a database of `room` bytes of SQL surely fits in memory, and may live there.

    A TMPDIR that the user has set is where it is to live.
    """
    kept = {item.mountpoint for item in psutil.disk_partitions(all=True) if item.fstype == "tmpfs"}
    memory_dir = cleanup.MEMORY
    if os.environ.get("TMPDIR") or str(memory_dir) not in kept:
        return False
    # A build that the server's account cannot get at is copied there, and runs there.
    if os.statvfs(memory_dir).f_flag & os.ST_NOEXEC:
        return False
    free = min(shutil.disk_usage(memory_dir).free, int(available_memory() * SHARE))
    wanted = GROWTH * room + MINIMUM_ROOM
    return wanted <= free and not unfit(memory_dir, launcher, wanted)


def unfit(base: Path, launcher: Launcher, room: int) -> str:
    """Why no run directory can be made in `base`; empty when it can."""
    socket = base / f"{cleanup.PREFIX}12345678" / cleanup.WAY / cleanup.SOCKET
    free = shutil.disk_usage(base).free
    if len(os.fsencode(socket)) > cleanup.SOCKET_LIMIT:
        return "its path is too long for a Unix socket"
    if re.search(r"[^\w./+@:, -]", str(base)):
        return "its path has characters that pg_ctl's shell would interpret"
    if not os.access(base, os.W_OK | os.X_OK):
        return "it is not writable"
    if not launcher.can_enter(base):
        return "the account that runs the server cannot enter it"
    if free < room:
        return f"not enough space: {show_bytes(free)} free, {show_bytes(room)} needed"
    return ""
