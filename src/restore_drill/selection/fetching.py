"""Brings a backup of a mirror to this machine, and what lies beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from restore_drill.backups.formats import recognise
from restore_drill.backups.origins import ask_for_room, begin, is_awaited, origins
from restore_drill.backups.physical.manifests import MANIFEST
from restore_drill.config.place_kinds import KINDS
from restore_drill.config.remote import mirror_around, places
from restore_drill.core.below import files_below
from restore_drill.core.deadline import at_work
from restore_drill.core.errors import CouldNotRun
from restore_drill.places.errors import NotAllowed, remedy_of
from restore_drill.places.store import Object, Store, open_store
from restore_drill.places.waiting import each_at_once
from restore_drill.selection.candidate import ITSELF, MODIFIED, Candidate, recorded_head
from restore_drill.selection.remote import fill, listed, make_mirror, stand_in_for

COMPANIONS = (".sha256", ".manifest.json")
AT_ONCE = 4
"""Files of a folder that are fetched at a time."""


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
