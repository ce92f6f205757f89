"""What of a place was not looked at, though databases may lie there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import tzinfo
from pathlib import Path, PurePosixPath

from restore_drill.backups.folders import folder_of_what
from restore_drill.backups.foreign import OF_OTHERS
from restore_drill.backups.formats import SUFFIXES, recognise
from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.mirrors import as_written
from restore_drill.core.units import some
from restore_drill.fleet.inventory.left import is_like
from restore_drill.selection.candidate import claims_to_be_backup
from restore_drill.selection.flat import OURS, own_paths
from restore_drill.selection.groups import Shelf
from restore_drill.selection.listing import (
    DUMPS,
    NOT_SUPPORTED,
    Listing,
    Unseen,
    entries_of,
    is_directory_dump,
)
from restore_drill.selection.tree import DEEPEST, REDIS, list_folder

MOST_NAMED = 3
HINT = "mend it, give it a [[discover]] of its own, or add it to ignore"
DUMP_NAMES = (".sql", ".dump", ".pgdump", ".psql", ".pgc", ".custom")
"""What the name of an encrypted file has that is no backup of Redis."""
OF_MONGODB = (".bson.gz", ".json.gz")
"""What a dump of MongoDB consists of that is compressed."""
BESIDE_DB = (REDIS, OURS)
"""Folders beside the folder `db` of a place that are for something else."""
IsKnown = Callable[[Path], bool]
"""Whether a drill looks at a backup or folder, or the folder is listed by itself."""


def unseen_in(shelf: Shelf, settings: Settings, is_known: IsKnown) -> list[Unseen]:
    """What of BACKUP_PATH is not on `shelf`."""
    root, zone = settings.backup_path, settings.criteria.timezone
    assert root is not None
    live = {one.scheme for each in shelf.live for one in each}
    found = (*not_looked_at(shelf.listing), *below(shelf, root, zone, is_known))
    return [each for each in found if each.series not in live]


def in_words(unseen: Sequence[Unseen], ignore: Sequence[str]) -> str:
    """What is `unseen` and not to be ignored; empty where nothing is."""
    lines = [f"{each.label}: {each.why}" for each in unseen if not is_like(names_of(each), ignore)]
    return f"it cannot be listed in full ({HINT}): {some(lines, MOST_NAMED)}" if lines else ""


def names_of(what: Unseen) -> set[str]:
    """What `[[discover]]` may ignore it by: as a series, a folder, or by what may lie in it."""
    around = {str(each) for each in PurePosixPath(what.label).parents}
    return {what.label, f"{what.label}/", what.label.rpartition("/")[2], what.series} | around


def not_looked_at(listing: Listing) -> Iterator[Unseen]:
    """What lies beside those that were found, and could not be looked at."""
    yield from listing.unseen
    for each in listing.closed:
        if each.path.is_dir():
            yield Unseen(each.label, each.kind.unrecognised)
        elif not each.path.suffix or each.path.name.lower().endswith(SUFFIXES):
            yield Unseen(each.label, each.kind.unrecognised, each.scheme)


def below(shelf: Shelf, root: Path, zone: tzinfo, is_known: IsKnown) -> Iterator[Unseen]:
    """Folders that were not searched, and hold something: which, and why."""
    place, listing = shelf.source.place, shelf.listing
    why_not = {
        **dict.fromkeys(listing.unsearched, "not searched, since backups lie beside the folder"),
        **dict.fromkeys(
            listing.deeper, f"not searched: more than {DEEPEST} folders down, or too many"
        ),
    }
    if place != root:
        why_not |= dict.fromkeys(beside(place), f"not searched, since the folder {place.name} is")
    for folder, why in why_not.items():
        if not is_known(folder) and (what := first_in(folder, zone, is_known)):
            yield Unseen(label_of(folder, root), f"{why}; in it is {label_of(what, root)}")
    for folder in listing.others:
        if not is_known(folder) and (what := among_others(folder, zone, is_known)):
            why = f"not searched, since it is {folder_of_what(folder).what}"
            yield Unseen(label_of(folder, root), f"{why}; in it is {label_of(what, root)}")
    for redis in {place / REDIS, root / REDIS}:
        if redis.is_dir() and not is_known(redis) and (what := dump_in(redis, zone, is_known)):
            why = "not searched, since it is for backups of Redis"
            yield Unseen(label_of(redis, root), f"{why}; in it is {label_of(what, root)}")


def beside(place: Path) -> list[Path]:
    """What lies beside the folder `db` of a place, which alone is searched where there is one."""
    return [
        each for each in entries_of(place.parent) if each != place and each.name not in BESIDE_DB
    ]


def label_of(path: Path, root: Path) -> str:
    """What `path` is called below `root`."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else as_written(path)


def first_in(path: Path, zone: tzinfo, is_known: IsKnown) -> Path | None:
    """What may be a backup at `path`, or in it; what is closed may be one."""
    if path.is_file():
        is_one = claims_to_be_backup(path) or NOT_SUPPORTED.search(path.name)
        if not is_one or is_known(path):
            return None
        return None if recognise(path).unrecognised.startswith(OF_OTHERS) else path
    listing = Listing()
    try:
        for each in own_paths(path, listing, zone, 1, DUMPS):
            is_whole = each.is_dir() and not is_known(each)
            if is_whole or (each.is_file() and first_in(each, zone, is_known)):
                return each
    except OSError:
        return path
    if listing.closed or listing.unseen:
        return path
    ways = ((first_in, listing.folders), (among_others, listing.others))
    found = (
        way(each, zone, is_known) for way, folders in ways for each in folders if not is_known(each)
    )
    return next(filter(None, found), None)


def among_others(folder: Path, zone: tzinfo, is_known: IsKnown) -> Path | None:
    """What may be a backup in the `folder` of another system, where much else is closed."""
    for each in entries_of(folder):
        with suppress(OSError, CouldNotRun):
            if each.is_dir() and not is_directory_dump(each):
                found = among_others(each, zone, is_known)
            elif each.name.lower().endswith(OF_MONGODB):
                continue
            else:
                found = each if each.is_dir() else first_in(each, zone, is_known)
            if found:
                return found
    return None


def dump_in(redis: Path, zone: tzinfo, is_known: IsKnown) -> Path | None:
    """A backup of PostgreSQL in the folder `redis`; what is encrypted is told by its name."""
    for each in list_folder(redis, zone).found:
        is_dump = any(word in each.path.name.lower() for word in DUMP_NAMES)
        if each.is_backup and (is_dump or not each.is_sealed) and not is_known(each.path):
            return each.path
    return None
