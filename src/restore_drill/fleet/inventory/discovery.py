"""`[[discover]]`: each series of backups in a place is a database, beside those that are named."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple, TypeVar

from restore_drill.backups.folders import each_folder_once
from restore_drill.backups.wraps.keys import use_keys
from restore_drill.config.criteria.place import line_of
from restore_drill.config.environment import variables_set
from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun, DrillError, UsageError
from restore_drill.core.units import show_duration
from restore_drill.fleet.inventory.databases import completed, database_of
from restore_drill.fleet.inventory.file import Written
from restore_drill.fleet.inventory.files import FleetFile
from restore_drill.fleet.inventory.left import Named, Sources, gone_of, left_of, unused_of
from restore_drill.fleet.inventory.places import FOLDER, behind_the_setting, refuse_link
from restore_drill.fleet.inventory.unseen import in_words, names_of, unseen_in
from restore_drill.fleet.model import Database
from restore_drill.fleet.settings import settings_of
from restore_drill.places.waiting import begun
from restore_drill.selection.groups import Shelf, name_of
from restore_drill.selection.select import check_paths
from restore_drill.watch.kept import shelf_here

LIMIT = 120.0
"""Seconds that the listing of one place may take."""
BY_FILE, BY_DATABASE = "name a file with --backup", "name a file as backup under [databases]"
"""What a drill is told, and what a fleet is."""
REST = "rest of {}"
"""Name of what of a place cannot be listed."""
T = TypeVar("T")


class Found(NamedTuple):
    """What lies in a place: names of its new `series`, and why the `rest` of it is not known.

    `unused` is what of `ignore` matches nothing.
    """

    series: Sequence[str]
    rest: str = ""
    unused: Sequence[str] = ()


def discovered(
    file: FleetFile,
    entry: Written,
    named: Mapping[str, Database],
    sources: Sources,
    environment: Mapping[str, str],
    warn: Callable[[str], None],
) -> Iterator[Database]:
    """Databases that `entry` of `file` finds beside those that are `named`, by their names.

    A place without any backup is one itself, so that its drill says so. So is one that gives no
    list, and what of it could not be listed, unless that is one of the `sources`. A series that a
    drill has proved is one when nothing is left of it. It may `warn` of what stands in the file.
    UsageError for a source that can be none.
    """
    place, values = entry.place, completed(file, entry)
    template, ignore = values.pop("source"), values.pop("ignore", ())
    where = f"{place.path}, line {line_of(place.text, place.keys)}"
    whole = database_of("", where, values | {"backups": template}, environment)
    refuse_link(place.inside("source"), whole.backups)
    found, why = Found([""]), ""
    try:
        with variables_set({**environment, **whole.environment}), each_folder_once():
            look = partial(looked_through, whole, list(named.values()), sources, ignore)
            found = within(LIMIT, look)
    except (DrillError, UsageError, OSError) as error:
        why = why_unlisted(error, whole.backups)
    for each in found.unused:
        line = line_of(place.text, place.inside("ignore").keys)
        warn(f"ignore {each!r} matches no series in {whole.backups} ({place.path}, line {line})")
    taken = set(named)
    for each in sorted(found.series):
        name = unique(each or whole.backups, whole, taken)
        taken.add(name)
        yield replace(whole, name=name, series=each, unlisted=why)
    if found.rest:
        name = unique(REST.format(whole.backups), whole, taken)
        yield replace(whole, name=name, unlisted=found.rest)


def unique(name: str, place: Database, taken: Collection[str]) -> str:
    """`name`, with the place that it is found in where it is `taken`."""
    more = (name, f"{name} in {place.backups}", f"{name} in {place.backups} ({place.where})")
    return next(each for each in more if each not in taken)


def looked_through(
    whole: Database, named: Sequence[Database], sources: Sources, ignore: Sequence[str]
) -> Found:
    """What lies in the place of `whole` beside the databases that are `named`.

    A series of which nothing is left may lie in what cannot be listed.
    """
    settings, shelf = opened(whole)
    known = Named(named, whole, sources, shelf, looked_at)
    use_keys(settings.decrypt)
    found = [name_of(each) for each in left_of(shelf, known, ignore)]
    unseen = unseen_in(shelf, settings, known.is_known)
    rest, unused = in_words(unseen, ignore), list[str]()
    if why := shelf.known[1]:
        why = f"which of its databases have vanished is not known: {one_line(why)}"
        rest = "; ".join(filter(None, [rest, why]))
    else:
        unused = unused_of(shelf, (name for each in unseen for name in names_of(each)), ignore)
        found += [] if rest else gone_of(shelf, known, ignore)
    is_empty = not (found or rest or shelf.live or known.is_anywhere)
    return Found([""] if is_empty else found, rest, unused)


def looked_at(database: Database) -> Shelf | None:
    """What lies in the place of `database`; None where nobody knows."""
    try:
        return opened(database)[1]
    except (DrillError, UsageError, OSError):
        return None


def opened(database: Database) -> tuple[Settings, Shelf]:
    """What lies in the place of `database`, as its drill would see it; its keys are used."""
    settings = settings_of(database)
    check_paths(settings)
    use_keys(settings.decrypt)
    return settings, shelf_here(settings)


def why_unlisted(error: Exception, place: str) -> str:
    """Why `place` gives no list, by an `error` of BACKUP_PATH or of another setting of the drills.

    The place is named beside it.
    """
    said = one_line(reason_of(error))
    mine = behind_the_setting(said, FOLDER)
    about = mine.removeprefix(f" names {place}, which ")
    if about != mine:
        return f"it {about.replace(BY_FILE, BY_DATABASE)}"
    return f"it cannot be listed: {said if mine == said else f'source{mine}'}"


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
