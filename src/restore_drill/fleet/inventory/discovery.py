"""`[[discover]]`: each series of backups in a place is a database, beside those that are named."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from restore_drill.backups.role_file import may_hold_roles
from restore_drill.config.criteria import Criteria
from restore_drill.config.criteria.pgbackrest import PgBackRest
from restore_drill.config.criteria.place import Place, line_of
from restore_drill.config.environment import variables_set
from restore_drill.config.given import Given, texts_of
from restore_drill.config.options import VARIABLES
from restore_drill.config.settings import check
from restore_drill.core.calling import SUITE
from restore_drill.core.errors import CouldNotRun, DrillError, UsageError
from restore_drill.core.mirrors import as_written
from restore_drill.core.units import show_duration
from restore_drill.fleet.inventory.databases import (
    completed,
    database_of,
    place_of,
    variables_of,
)
from restore_drill.fleet.inventory.file import Written
from restore_drill.fleet.inventory.files import FleetFile
from restore_drill.fleet.inventory.places import FOLDER, behind_the_setting, refuse_link
from restore_drill.fleet.model import Database, standard_criteria
from restore_drill.places.waiting import begun
from restore_drill.selection.candidate import Series
from restore_drill.selection.groups import Shelf, is_called, name_of, shelf_of, short_names
from restore_drill.selection.select import check_paths

LIMIT = 120.0
"""Seconds that the listing of one place may take."""


def discovered(
    file: FleetFile, entry: Written, named: Mapping[str, Database], environment: Mapping[str, str]
) -> Iterator[Database]:
    """Databases that `entry` of `file` finds beside those that are `named`, newest backups first.

    A place without any backup is one itself, so that its drill says so, and so is one that gives
    no list. Raises UsageError for a source that can be none.
    """
    place = entry.place
    values = completed(file, entry)
    source = place_of(values.pop("source"), FOLDER, environment)
    refuse_link(place.inside("source"), source)
    ignore, rules = values.pop("ignore", ()), values.get("criteria") or standard_criteria()
    variables = dict(environment) | variables_of(values, environment)
    where = f"{place.path}, line {line_of(place.text, place.keys)}"
    why = ""
    try:
        shelf = listed(place.inside("source"), source, rules, variables)
        found = [name_of(each) for each in left_of(shelf, named.values(), ignore)]
        if not shelf.live and not any(is_below(each.backups, source) for each in named.values()):
            found = [""]
    except (DrillError, UsageError, OSError) as error:
        found, why = [""], f"it cannot be listed: {reason_of(error)}"
    taken = set(named)
    for series in found:
        name = series or source
        name = f"{name} in {source}" if name in taken else name
        taken.add(name)
        own = values | {"backups": entry.values["source"], "series": series}
        yield replace(database_of(name, where, own, environment), unlisted=why)


def reason_of(error: Exception) -> str:
    """What an error says, on one line, with what was checked."""
    if isinstance(error, DrillError):
        return "; ".join((error.what, *error.checked))
    return str(error).partition("\n")[0]


def left_of(shelf: Shelf, named: Iterable[Database], ignore: Sequence[str]) -> list[Series]:
    """Series of `shelf` that none of the `named` databases is of, and none of `ignore` is like."""
    files, places = set[str](), defaultdict[str, set[str]](set)
    for each in named:
        if each.backups:
            places[each.backups].add(each.series.strip("/"))
        elif each.repository:
            files |= folders_of(each.repository)
        else:
            files.add(each.backup)
    return [
        each
        for each in shelf.live
        if not (each[0].is_sealed and may_hold_roles(each[0].path))
        and not is_named(each, files, places)
        and not any(is_called(each, pattern) for pattern in ignore)
    ]


def is_named(series: Series, files: set[str], places: Mapping[str, set[str]]) -> bool:
    """Whether one of its backups is among `files`, or its name among those of one of the `places`.

    A place may be a folder of the one that was listed; without a name all that lies there is meant.
    """
    paths = [as_written(each.path) for each in series]
    names = {"", series[0].database, *short_names(name_of(series))}
    here = (wanted for place, wanted in places.items() if is_below(paths[0], place))
    return not files.isdisjoint(paths) or any(not names.isdisjoint(each) for each in here)


def folders_of(named: PgBackRest) -> set[str]:
    """Folders that stand for the stanza of a repository in a list, where it lies on this machine.

    A repository of one stanza is found by its root.
    """
    from restore_drill.backups.physical.repositories import place_named, stanzas_in  # noqa: PLC0415

    place = place_named(named)
    if not place.backups.is_dir():
        return set()
    is_only = list(stanzas_in(place.root)) == [named.stanza]
    return {str(place.backups), *([str(place.root)] if is_only else [])}


def is_below(path: str, place: str) -> bool:
    """Whether `path` is `place` or lies in it; both are URLs, or paths."""
    return path == place or path.startswith(place.rstrip("/") + "/")


def listed(place: Place, source: str, rules: Criteria, environment: Mapping[str, str]) -> Shelf:
    """What lies at `source`, which `place` names, listed with the keys in `environment`.

    Times and numbers in names are read as `rules` say. UsageError where there is no such folder,
    CouldNotRun where it gives no list within its time.
    """
    with variables_set(environment):
        try:
            return begun(partial(shelf_at, place, source, rules)).result(LIMIT)
        except TimeoutError:
            raise CouldNotRun(f"no answer within {show_duration(LIMIT)}") from None


def shelf_at(place: Place, source: str, rules: Criteria) -> Shelf:
    """The same, however long it takes, with the keys that the process has."""
    given = texts_of({FOLDER: Given(source, VARIABLES[FOLDER], str(place.path))})
    try:
        settings = check(given, rules, here=place.path.resolve().parent, root=SUITE)
        check_paths(settings)
    except UsageError as error:
        what = behind_the_setting(str(error), FOLDER)
        raise place.error(f"{place.name}{what}") from None
    return shelf_of(settings)
