"""What the drills of named databases look at, of the backups in a place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from restore_drill.config.choice import ALL
from restore_drill.core.errors import DrillError, UsageError
from restore_drill.core.mirrors import as_written
from restore_drill.fleet.model import Database
from restore_drill.fleet.settings import settings_of
from restore_drill.selection.candidate import Candidate, Series
from restore_drill.selection.flat import OURS
from restore_drill.selection.groups import Shelf, name_of, short_names, to_drill
from restore_drill.selection.listing import Listing
from restore_drill.selection.missing import none_expected
from restore_drill.selection.schemes import in_series
from restore_drill.selection.sources import Folder
from restore_drill.selection.tree import REDIS

Places = Mapping[str, Sequence[Database]]
"""Databases by the places of their backups, written as a user would."""


def paths_of(series: Iterable[Series]) -> set[str]:
    """Where the backups of `series` lie."""
    return {as_written(one.path) for each in series for one in each}


def claimed(shelf: Shelf, databases: Sequence[Database]) -> list[Series]:
    """Series on `shelf`, which is the place of `databases`, that their drills are of.

    One that names no series and finds several has no drill: it is red for all of them.
    """
    live = {id(each) for each in shelf.live}
    calls: defaultdict[str, list[Series]] = defaultdict(list)
    for each in shelf.series:
        for name in short_names(name_of(each)) | ({each[0].database} - {""}):
            calls[name].append(each)
    found: dict[int, Series] = {}
    for database in databases:
        if not database.series or database.series == ALL or set(database.series) & set(",["):
            own = by_its_drill(shelf, database)
        else:
            alike = calls.get(database.series, [])
            exact = [each for each in alike if name_of(each) == database.series]
            own = exact or [each for each in alike if id(each) in live] or alike
        found |= {id(each): each for each in own}
    return list(found.values())


def by_its_drill(shelf: Shelf, database: Database) -> list[Series]:
    """Series on `shelf` that the drill of `database` is of, which names not just one.

    The history is not asked: it may show that there are more, and then there is no drill.
    """
    if len(shelf.live) < 2:
        return shelf.live or shelf.series
    try:
        names = to_drill(replace(shelf, expected=none_expected), settings_of(database))
    except (DrillError, UsageError, OSError):
        return []
    return [each for each in shelf.series if len(names) != 1 or name_of(each) in names]


def seen_in(shelf: Shelf, source: Database, places: Places) -> set[str]:
    """Backups on `shelf`, the place of `source`, that are of databases with `places` in it.

    No place is listed for that: what their drills see there is on the shelf.
    """
    found: set[str] = set()
    for place, there in inside(shelf, places, source.backups).items():
        by_reading: defaultdict[bool, list[Database]] = defaultdict(list)
        for each in places[place]:
            by_reading[each.rules.backup_numbered].append(each)
        for numbered, alike in by_reading.items():
            is_same = place == source.backups and numbered == source.rules.backup_numbered
            own = shelf if is_same else shelf_of_some(there, alike[0], numbered=numbered)
            found |= paths_of(claimed(own, alike))
    return found


def shelf_of_some(found: list[Candidate], database: Database, *, numbered: bool) -> Shelf:
    """What was `found` in the place of `database`, as its drill would see it."""
    series = in_series(found, numbered=numbered)
    return Shelf(Folder(Path(database.backups)), Listing(found=found), series)


def inside(shelf: Shelf, places: Places, source: str) -> dict[str, list[Candidate]]:
    """What drills of `places` would look at, of what lies on `shelf`, which is at `source`."""
    found: defaultdict[str, list[Candidate]] = defaultdict(list)
    has_folder: dict[Path, bool] = {}
    for each in shelf.listing.found:
        url = as_written(each.path)
        for up, place in enumerate(upwards(url)):
            if place in places and place != source:
                folder = each.path if not up else each.path.parents[up - 1]
                if folder not in has_folder:
                    has_folder[folder] = (folder / "db").is_dir()
                base = folder / "db" if has_folder[folder] else folder
                found[place] += looked_at(each, base)
    if source in places:
        found[source] = shelf.listing.found
    return found


def upwards(url: str) -> Iterator[str]:
    """`url`, and what it lies in, from the inside out."""
    while url:
        yield url
        url = url.rpartition("/")[0]


def looked_at(candidate: Candidate, base: Path) -> list[Candidate]:
    """`candidate` as a drill sees it whose backups lie in `base`; nothing where it does not."""
    if not candidate.path.is_relative_to(base):
        return []
    parts = candidate.path.relative_to(base).parts
    if len(parts) > 1 and parts[0] in (REDIS, OURS):
        return []
    return [replace(candidate, below=max(len(parts) - 1, 0), key="")]
