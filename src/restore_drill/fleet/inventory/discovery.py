"""`[[discover]]`: each series of backups in a place is a database, beside those that are named."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from restore_drill.backups.wraps.keys import use_keys
from restore_drill.config.criteria.place import line_of
from restore_drill.config.environment import variables_set
from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun, DrillError, UsageError
from restore_drill.core.mirrors import as_written
from restore_drill.core.units import show_duration
from restore_drill.fleet.inventory.databases import completed, database_of
from restore_drill.fleet.inventory.file import Written
from restore_drill.fleet.inventory.files import FleetFile
from restore_drill.fleet.inventory.left import Named, Sources, gone_of, left_of
from restore_drill.fleet.inventory.places import FOLDER, behind_the_setting, refuse_link
from restore_drill.fleet.inventory.unseen import unseen_in
from restore_drill.fleet.model import Database
from restore_drill.fleet.settings import settings_of
from restore_drill.places.waiting import begun
from restore_drill.selection.groups import Shelf, is_called, name_of
from restore_drill.selection.select import check_paths
from restore_drill.watch.kept import shelf_here

LIMIT = 120.0
"""Seconds that the listing of one place may take."""
REST = "rest of {}"
"""Name of what of a place cannot be listed."""
T = TypeVar("T")


def discovered(
    file: FleetFile,
    entry: Written,
    named: Mapping[str, Database],
    sources: Sources,
    environment: Mapping[str, str],
) -> Iterator[Database]:
    """Databases that `entry` of `file` finds beside those that are `named`, newest backups first.

    A place without any backup is one itself, so that its drill says so. So is one that gives no
    list, and what of it could not be listed, unless that is one of the `sources`. A series that a
    drill has proved is one when nothing is left of it. UsageError for a source that can be none.
    """
    place, values = entry.place, completed(file, entry)
    template, ignore = values.pop("source"), values.pop("ignore", ())
    where = f"{place.path}, line {line_of(place.text, place.keys)}"
    whole = database_of("", where, values | {"backups": template}, environment)
    refuse_link(place.inside("source"), whole.backups)
    series, rest, why = [""], "", ""
    try:
        with variables_set({**environment, **whole.environment}):
            look = partial(looked_through, whole, list(named.values()), sources, ignore)
            series, rest = within(LIMIT, look)
    except UsageError as error:
        why = str(place.inside("source").error(f"source{of_the_source(error)}"))
    except (DrillError, OSError) as error:
        why = reason_of(error)
    taken = set(named)
    why = f"it cannot be listed: {one_line(why)}" if why else ""
    for each in series:
        name = unique(each or whole.backups, whole, taken)
        taken.add(name)
        yield replace(whole, name=name, series=each, unlisted=why)
    if rest:
        name = unique(REST.format(whole.backups), whole, taken)
        yield replace(whole, name=name, unlisted=rest)


def unique(name: str, place: Database, taken: Collection[str]) -> str:
    """`name`, with the place that it is found in where it is `taken`."""
    more = (name, f"{name} in {place.backups}", f"{name} in {place.backups} ({place.where})")
    return next(each for each in more if each not in taken)


def looked_through(
    whole: Database, named: Sequence[Database], sources: Sources, ignore: Sequence[str]
) -> tuple[list[str], str]:
    """Series in the place of `whole` that are to be databases, and what of it cannot be listed.

    One of which nothing is left may lie in what cannot be listed.
    """
    known = Named(named, whole, sources, seen_by)
    settings, shelf = opened(whole)
    rest = unseen_in(shelf, settings, ignore, known.is_place)
    found = [name_of(each) for each in left_of(shelf, known, ignore)]
    if why := shelf.known[1]:
        why = f"which of its databases have vanished is not known: {one_line(why)}"
        rest = "; ".join(filter(None, [rest, why]))
    elif not rest:
        found += gone_of(shelf, known, ignore)
    is_empty = not (found or rest or shelf.live or known.is_anywhere)
    return [""] if is_empty else found, rest


def seen_by(databases: Sequence[Database]) -> set[str]:
    """Backups that the drills of `databases` see, of one place; none where nobody knows."""
    names = [each.series for each in databases]
    try:
        _, shelf = opened(databases[0])
    except (DrillError, UsageError, OSError):
        return set()
    meant = [
        each for each in shelf.series if any(not name or is_called(each, name) for name in names)
    ]
    return {as_written(one.path) for each in meant for one in each}


def opened(database: Database) -> tuple[Settings, Shelf]:
    """What lies in the place of `database`, as its drill would see it; its keys are used."""
    settings = settings_of(database)
    check_paths(settings)
    use_keys(settings.decrypt)
    return settings, shelf_here(settings)


def of_the_source(error: UsageError) -> str:
    """What an error says of BACKUP_PATH, or of another setting of the drills."""
    said = behind_the_setting(str(error), FOLDER)
    return said if said != str(error) else f": {said}"


def one_line(text: str) -> str:
    """The first line of `text`."""
    return text.partition("\n")[0]


def reason_of(error: Exception) -> str:
    """What an error says, with what was checked."""
    return "; ".join((error.what, *error.checked)) if isinstance(error, DrillError) else str(error)


def within(seconds: float, ask: Callable[[], T]) -> T:
    """What `ask` gives; CouldNotRun where that takes longer than so many seconds."""
    try:
        return begun(ask).result(seconds)
    except TimeoutError:
        raise CouldNotRun(f"no answer within {show_duration(seconds)}") from None
