"""The mirror of a place of another machine: its files by name, and the one that is fetched."""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from restore_drill.backups.arrival import arrivals
from restore_drill.backups.cache import ident_of
from restore_drill.backups.formats import recognise
from restore_drill.backups.origins import (
    Origin,
    ask_for_room,
    begin,
    is_awaited,
    keep_arrived,
    origins,
)
from restore_drill.backups.physical.manifests import MANIFEST
from restore_drill.config.place_kinds import KINDS
from restore_drill.config.remote import Place, mirror_around, places
from restore_drill.core.below import files_below
from restore_drill.core.deadline import at_work
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.places.errors import NotAllowed, remedy_of
from restore_drill.places.store import Object, Store, open_store
from restore_drill.places.waiting import each_at_once
from restore_drill.selection.candidate import ITSELF, MODIFIED, Candidate, recorded_head
from restore_drill.selection.left_mirrors import LOCK, clean_left_mirrors

MOST = 100_000
"""Objects of a place that are listed."""
COMPANIONS = (".sha256", ".manifest.json")
AT_ONCE = 4
"""Files of a folder that are fetched at a time."""
OWN = 0o700
held: dict[Path, BinaryIO] = {}
"""Locks on the folders of this process, by the mirror in each."""
filled: set[Path] = set()
"""Mirrors of places that have been listed."""
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
    for each in found:
        stand_in_for(each, store, root, place)


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


def stand_in_for(what: Object, store: Store, root: Path, place: Place) -> None:
    """Put a file of its size and time, which takes no room, where the object `what` lies."""
    key = what.key.removeprefix(place.prefix)
    parts = key.split("/")
    if not key or key.endswith("/") or "\0" in key:
        return
    if any(not part or part.startswith(".") for part in parts):
        return  # as in a folder of this machine: what begins with a dot is no backup
    path = root.joinpath(*parts)
    if path in origins:
        return
    try:
        path.parent.mkdir(mode=OWN, parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.truncate(what.size)
    except OSError:
        return  # `a` beside `a/b`, or a name that no file can have: no backup tool writes these
    when = what.modified.timestamp()
    os.utime(path, (when, when))
    ident = ident_of(store.url_of(what.key), what.version)
    give = partial(store.pieces, what)
    origins[path] = Origin(what.version, what.size, what.modified, give, store.is_guarded, ident)


def fetch(path: Path) -> None:
    """Begin to bring the backup at `path` of a mirror; wait for a folder, and what lies beside.

    With an incremental base backup come those that it needs.
    """
    fetch_one(path)
    root = mirror_around(path)
    if root and (path / MANIFEST).is_file():
        from restore_drill.selection.chain_there import (  # noqa: PLC0415 - few are base backups
            fetch_before,
        )

        fetch_before(path, fetch_one, partial(fill, root))


def fetch_one(path: Path) -> None:
    """The same, of one backup by itself."""
    files = [path / name for name, _ in files_below(path)] if path.is_dir() else []
    beside = [path.with_name(f"{path.name}{suffix}") for suffix in COMPANIONS]
    awaited = [each for each in (*files, *beside) if is_awaited(each)]
    ask_for_room(path, sum(origins[each].size for each in awaited))
    with at_work(lambda: f"fetching {path.name}"):
        each_at_once(lambda each: begin(each).wait(), awaited, AT_ONCE)
    if is_awaited(path):
        begin(path)


def fetched(candidate: Candidate) -> Candidate:
    """`candidate`, with its file on this machine, by what it holds."""
    path = candidate.path
    fetch(path)
    kind = recognise(path)
    head = recorded_head(path, kind)
    found = replace(candidate, kind=kind, database=head.database)
    if head.dumped_at and candidate.time_source == MODIFIED:
        return replace(found, taken_at=head.dumped_at, time_source=ITSELF)
    return found


def fetch_named(path: Path) -> None:
    """Bring what --backup names, and what lies beside it; CouldNotRun where it is not there."""
    find_named(path)
    if mirror_around(path):
        fetch(path)


def find_named(path: Path) -> None:
    """Put what an option names into its mirror, and what lies beside it; nothing is brought yet.

    Nothing else is listed: it may lie in somebody's home, or in a bucket that may not be listed.
    CouldNotRun where it is not there.
    """
    root = mirror_around(path)
    if root is None:
        return
    place, store = places[root], open_store(places[root])
    key = place.prefix + path.name
    found = list(filter(None, (store.find(key), *beside(store, key))))
    if key not in (each.key for each in found):
        found += listed(store, f"{key}/", f"{store.url_of(key)}/")
    make_mirror(root)
    for each in found:
        stand_in_for(each, store, root, place)
    if not path.exists():
        raise CouldNotRun(
            f"{store.url_of(key)} cannot be read: there is no such {KINDS[place.scheme].file}",
            checked=[f"{store.url_of(key)}/ is empty as well"],
            remedy=remedy_of(place.url, KINDS[place.scheme].file),
        )


def beside(store: Store, key: str) -> Iterator[Object]:
    """What lies beside the object `key`, as far as that can be known.

    A key that may only get objects is told of one that is not there that it may not get it.
    """
    for suffix in COMPANIONS:
        with suppress(NotAllowed):
            if found := store.find(key + suffix):
                yield found


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
    closed.clear()
