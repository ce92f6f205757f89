"""Backups that lie on another machine: known by name, size and time until they are fetched."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from restore_drill.backups.arrival import Arrival, arrivals
from restore_drill.backups.cache import current
from restore_drill.core.below import files_below
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes

MD5 = re.compile(r'"?([0-9a-f]{32})"?')


@dataclass(frozen=True)
class Origin:
    """What lies elsewhere: its version, bytes, time of change, and what begins to give it.

    It `is_guarded` where nothing can change it unseen on its way: by TLS, or SSH. `ident` names
    this version of it among all that a cache keeps.
    """

    version: str
    size: int
    modified: datetime
    pieces: Callable[[], Iterable[bytes]]
    is_guarded: bool = True
    ident: str = ""

    @property
    def md5(self) -> str:
        """Its MD5 in hexadecimal, where the version may be that: an ETag of no upload by parts."""
        found = MD5.fullmatch(self.version)
        return found[1] if found else ""


origins: dict[Path, Origin] = {}
"""By the path of the file that stands for it here, empty until it is fetched."""


def is_awaited(path: Path) -> bool:
    """Whether the file at `path` stands for one that has not been asked for."""
    return path in origins and path not in arrivals


def modified_at(path: Path) -> datetime:
    """When what lies at `path` was changed, also at its place on another machine.

    A folder there has no time of its own: the newest of its files counts.
    """
    if origin := origins.get(path):
        return origin.modified
    if origins and path.is_dir():
        there = (origins.get(path / name) for name, _ in files_below(path))
        if times := [origin.modified for origin in there if origin]:
            return max(times)
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def begin(path: Path) -> Arrival:
    """Begin to fetch what the file at `path` stands for; CouldNotRun where there is no room."""
    if path in arrivals:
        return arrivals[path]
    origin = origins[path]
    ask_for_room(path, origin.size)
    cache = current()
    kept = cache.find(origin.ident, origin.size) if cache and origin.ident else None
    path.unlink()
    arrival = Arrival(path, kept or origin.pieces(), origin.size, origin.md5)
    arrival.is_kept = kept is not None
    return arrival


def ask_for_room(path: Path, size: int) -> None:
    """CouldNotRun where `size` bytes cannot be fetched to `path`, or into it."""
    free = shutil.disk_usage(path.parent).free
    if free < size:
        raise CouldNotRun(
            f"there is not enough room to fetch {path.name}, which has {show_bytes(size)}",
            checked=[f"{path.parent}: {show_bytes(free)} free"],
            remedy=remedy_for("machine", "disk_full"),
        )


def keep_arrived() -> None:
    """Keep what has come whole in the cache, if one is in use; what is damaged is not kept."""
    for path, arrival in arrivals.items():
        origin = origins.get(path)
        if origin is None or not origin.ident or not arrival.is_whole or arrival.is_kept:
            continue
        is_sound = origin.is_guarded or not origin.md5 or arrival.summed.hexdigest() == origin.md5
        if is_sound and (cache := current()):
            cache.keep(path, origin.ident, arrival.digest.hexdigest())
