"""The mirror of a place of another machine: its files by name, size and time."""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from restore_drill.backups.arrival import arrivals
from restore_drill.backups.cache import ident_of
from restore_drill.backups.origins import (
    Origin,
    keep_arrived,
    origins,
)
from restore_drill.config.remote import Place, places
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.places.store import Object, Store, open_store
from restore_drill.selection.left_mirrors import LOCK, clean_left_mirrors
from restore_drill.selection.listing import Unseen

MOST = 100_000
"""Objects of a place that are listed."""
OWN = 0o700
held: dict[Path, BinaryIO] = {}
"""Locks on the folders of this process, by the mirror in each."""
filled: set[Path] = set()
"""Mirrors of places that have been listed."""
unseen: dict[Path, list[Unseen]] = {}
"""Objects that no file can stand for, by the mirrors of their places."""
closed: dict[Path, tuple[Place, CouldNotRun]] = {}
"""Places that could not be listed, by their mirrors, and why: dumps and Redis do not both wait.

Settings that are read anew name another `Place`, which is asked again.
"""


def fill(root: Path) -> None:
    """List the place that is mirrored at `root`, once; CouldNotRun where it cannot be listed."""
    if root in filled:
        return
    place = places[root]
    if root in closed and closed[root][0] is place:
        raise closed[root][1].with_traceback(None)
    try:
        store = open_store(place)
        found = listed(store, place.prefix, place.url)
    except CouldNotRun as error:
        closed[root] = (place, error)
        raise
    make_mirror(root)
    filled.add(root)
    folders = {parent for each in found for parent in folders_above(each.key)}
    unseen[root] = []
    for each in found:
        if each.key not in folders:
            why = stand_in_for(each, store, root, place)
        elif each.size:
            why = "an object beside a folder of the same name"
        else:
            continue  # how some tools mark a folder
        if why:
            unseen[root].append(Unseen(each.key.removeprefix(place.prefix), why))


def folders_above(key: str) -> Iterator[str]:
    """What the object `key` lies in: `a` and `a/b` of `a/b/c`."""
    at = key.find("/")
    while at >= 0:
        yield key[:at]
        at = key.find("/", at + 1)


def listed(store: Store, prefix: str, url: str) -> list[Object]:
    """What lies in the folder `prefix`, which is at `url`; CouldNotRun where that is too much."""
    found = list(islice(store.list(prefix), MOST + 1))
    if len(found) > MOST:
        raise CouldNotRun(
            f"{url} holds more than {MOST:,} objects",
            remedy=remedy_for("place", "many", url=f"{url}folder"),
        )
    return found


def make_mirror(root: Path) -> None:
    """Make the folder `root` where it is not there, and remove those of processes that are dead."""
    if root in held:
        return
    clean_left_mirrors()
    root.mkdir(mode=OWN, parents=True, exist_ok=True)
    root.parent.chmod(OWN)
    owner = (root.parent / LOCK).open("wb")
    fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if not held:
        atexit.register(clear)
    held[root] = owner


def stand_in_for(what: Object, store: Store, root: Path, place: Place) -> str:
    """Put a file of its size and time, which takes no room, where the object `what` lies.

    Why that cannot be; empty where it lies there, or need not.
    """
    key = what.key.removeprefix(place.prefix)
    parts = key.split("/")
    if not key or key.endswith("/"):
        return ""
    if any(part.startswith(".") for part in parts):
        return ""  # as in a folder of this machine: what begins with a dot is no backup
    path = root.joinpath(*parts)
    if path in origins:
        return ""
    if "" in parts:
        return "a name with an empty folder in it"
    try:
        path.parent.mkdir(mode=OWN, parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.truncate(what.size)
    except (OSError, ValueError) as error:  # too long, or with a zero byte in it
        return f"a name that no file can have ({getattr(error, 'strerror', error)})"
    when = what.modified.timestamp()
    os.utime(path, (when, when))
    ident = ident_of(store.url_of(what.key), what.version)
    give = partial(store.pieces, what)
    origins[path] = Origin(what.version, what.size, what.modified, give, store.is_guarded, ident)
    return ""


def clear() -> None:
    """Fetch no more, and remove what was fetched, but for what a cache keeps."""
    with suppress(CouldNotRun):
        keep_arrived()
    for each in list(arrivals.values()):
        each.close()
    origins.clear()
    for root, lock in held.items():
        shutil.rmtree(root.parent, ignore_errors=True)
        lock.close()
    held.clear()
    filled.clear()
    unseen.clear()
    closed.clear()
