"""What can be known of a database before its drill: its newest backups and its last drills."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from pathlib import Path

from restore_drill.backups.folders import each_folder_once
from restore_drill.config.choice import NEWEST
from restore_drill.config.environment import variables_set
from restore_drill.config.remote import mirror_around
from restore_drill.config.settings import Settings
from restore_drill.config.where import server_at
from restore_drill.core.errors import BackupFault, CouldNotRun, UsageError
from restore_drill.core.units import show_duration
from restore_drill.fleet.asked import Asked
from restore_drill.fleet.keys import UNNOTED, in_keys
from restore_drill.fleet.model import Database
from restore_drill.fleet.settings import settings_of
from restore_drill.places.waiting import begun, each_at_once
from restore_drill.selection.candidate import Candidate, look_at
from restore_drill.selection.groups import (
    MOST_SERIES,
    name_of,
    to_drill,
    wanted,
)
from restore_drill.selection.in_full import named_candidate
from restore_drill.selection.remote import fill
from restore_drill.watch.entry import place_of
from restore_drill.watch.history import Drill, History, history_path

AT_ONCE = 16
"""So many places are listed at a time."""
LIMIT = 120.0
"""Seconds that the listing of one place, or the reading of one history, may take."""
EMPTY = History(Path(), [])
CANNOT = (CouldNotRun, BackupFault, UsageError, OSError)


@dataclass(frozen=True)
class Known:
    """What is known of `database`: the `newest` backup of each of the `series` that it drills.

    Of those that drills have seen there, and of which nothing is left, there is none. `history` has
    its own drills alone. `why` says why its backups are not known, `why_unnoted` why its drills are
    not: there is no place for a history, or it cannot be read.
    """

    database: Database
    settings: Settings | None = None
    newest: tuple[Candidate, ...] = ()
    series: tuple[str, ...] = ()
    history: History = EMPTY
    why: str = ""
    why_unnoted: str = ""

    @property
    def has_newest(self) -> bool:
        """Whether its drill is of the newest backup, and of no older one that is picked."""
        return self.settings is None or self.settings.choice.pick.how == NEWEST

    @property
    def gone(self) -> list[str]:
        """Those of its series of which nothing is left."""
        left = {each.series for each in self.newest}
        return [each for each in self.series if each not in left]

    @property
    def drills(self) -> list[Drill]:
        """Its drills, oldest first: those of newest backups alone, unless it picks older ones."""
        if self.has_newest:
            return self.history.drills
        return sorted([*self.history.drills, *self.history.picks], key=attrgetter("line"))


def known_of(
    databases: Sequence[Database], limit: float = LIMIT, *, has_backups: bool = True
) -> dict[str, Known]:
    """What is known of each of `databases`, by name; places are listed side by side.

    A place that cannot be listed within `limit` seconds is no error here: its drill says why.
    Without `has_backups` none is listed, and only histories are read.
    """
    groups: dict[tuple[tuple[str, str], ...], list[Database]] = defaultdict(list)
    for each in databases:
        groups[tuple(sorted(each.environment.items()))].append(each)
    found: dict[str, Known] = {}
    for variables, group in groups.items():
        # The clients of buckets read their keys in the environment.
        with variables_set(dict(variables)), each_folder_once():
            places: dict[str, list[Database]] = defaultdict(list)
            for each in group:
                places[each.place].append(each)
            ask = partial(in_place, limit, Asked(has_backups))
            for several in each_at_once(ask, list(places.values()), AT_ONCE):
                found |= {each.database.name: each for each in several}
    return found


def in_place(limit: float, asked: Asked, databases: Sequence[Database]) -> list[Known]:
    """What is known of `databases`, whose backups lie in one place."""
    until, late = time.monotonic() + limit, f"no answer within {show_duration(limit)}"
    found: list[Known] = []
    for each in databases:
        coming: Future[Known] = begun(partial(look, each, asked))
        try:
            found.append(coming.result(max(0.0, until - time.monotonic())))
        except TimeoutError:
            found.append(Known(each, why=late, why_unnoted=late))
    return found


def look(database: Database, asked: Asked) -> Known:
    """What is known of `database`; reasons in place of errors."""
    if why := database.unlisted:
        return Known(database, why=why, why_unnoted=why)
    try:
        settings = settings_of(database)
    except CANNOT as error:
        return Known(database, why=in_words(error), why_unnoted=in_words(error))
    known = Known(database, settings)
    try:
        if asked.has_backups:
            series, newest = backups_of(settings, asked)
            known = replace(known, series=series, newest=newest)
    except CANNOT as error:
        known = replace(known, why=in_words(error))
    try:
        path = history_path(settings)
        if path is None:
            return replace(known, why_unnoted=UNNOTED)
        file = settings.backup.name if settings.backup else None
        place = place_of(settings, None)
        noted = asked.noted_at(path)
        own = noted.of(database, place, known.series, file, server_at(settings))
        return replace(known, history=own)
    except CANNOT as error:
        return replace(known, why_unnoted=in_words(error))


def backups_of(settings: Settings, asked: Asked) -> tuple[tuple[str, ...], tuple[Candidate, ...]]:
    """Names of the series that are drilled, and the newest backup of each.

    Nothing is fetched: of what lies elsewhere no more is known than its list says. Raises what
    cannot be read.
    """
    zone = settings.criteria.timezone
    if settings.backup is not None:
        if (root := mirror_around(settings.backup)) is not None:
            fill(root)
        return (), (look_at(settings.backup, zone),)
    if settings.backup_path is None:
        return (), (named_candidate(settings),)
    shelf = asked.shelf_of(settings)
    series = wanted(shelf, settings)
    all_names = tuple(map(name_of, series))
    names = tuple(to_drill(shelf, settings))
    if len(all_names) > MOST_SERIES:  # one drill would be of the newest alone, and say no more
        names = all_names
    chosen = [each for each in series if name_of(each) in names] or series[:1]
    return names, tuple(each[0] for each in chosen)


def in_words(error: Exception) -> str:
    """What an error says, on one line, by the keys of the inventory."""
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {error.strerror or error}"
    return in_keys(str(error).partition("\n")[0])
