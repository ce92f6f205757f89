"""Backups that are kept, and those of them that no drill has proved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from restore_drill.config.criteria import Criteria
from restore_drill.config.settings import Settings
from restore_drill.config.where import server_at
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.units import show_count, some
from restore_drill.selection.groups import Shelf, shelf_of
from restore_drill.selection.listing import newest_first
from restore_drill.selection.missing import Expected
from restore_drill.selection.schemes import in_series
from restore_drill.selection.series import without_numbers
from restore_drill.selection.sources import source_of
from restore_drill.watch.entry import place_of
from restore_drill.watch.groups import Key, name_of
from restore_drill.watch.history import Drill, History, history_path, load_history
from restore_drill.watch.ledger import Ledger
from restore_drill.watch.skips import open_skip

MOST_NAMED = 3


class Kept(NamedTuple):
    """Labels of the backups that are kept, newest first, and of those that no drill has proved.

    The last drill of those `failing` has failed.
    """

    names: list[str]
    unproved: list[str]
    failing: list[str]

    @property
    def line(self) -> str:
        """`14 backups kept; no drill has proved 2 of them: a.dump, b.dump`."""
        kept = f"{show_count(len(self.names), 'backup')} kept"
        if not self.unproved:
            return f"{kept}, each proved by a drill"
        named = some(self.unproved, MOST_NAMED)
        failed = f"; the last drill of {some(self.failing, MOST_NAMED)} failed"
        proved = f"{kept}; {len(self.unproved)} not yet proved by a drill: {named}"
        return proved + (failed if self.failing else "")


def known_history(settings: Settings) -> History | None:
    """The history of `settings`; None where there is none, or it cannot be read."""
    path = history_path(settings)
    try:
        return load_history(path) if path else None
    except CouldNotRun:
        return None  # the drill says so where it adds its own entry


def ledger_of(settings: Settings) -> Ledger:
    """What the history of `settings` knows."""
    history = known_history(settings)
    return Ledger(noted_here(history, settings) if history else ())


def expected_series(settings: Settings) -> Expected:
    """Series of the backups here that the history has, and that are not retired.

    Of those that were renewed two backups have been drilled: a job takes them, so that one which
    has become old was not put aside by somebody. CouldNotRun where the history cannot be read.
    """
    path = history_path(settings)
    if path is None:
        return Expected()
    history = load_history(path)
    found: defaultdict[str, list[Drill]] = defaultdict(list)
    for drill in noted_here(history, settings):
        if drill.series and drill.sha256:
            found[drill.series].append(drill)
    now, place = datetime.now(UTC), place_of(settings, None)
    skips = {
        name: open_skip(history.skips, name_of(Key(name, place or ""), is_alone=False), drills, now)
        for name, drills in found.items()
    }
    retired = {name for name, skip in skips.items() if skip and skip.retires}
    own = {name: drills for name, drills in found.items() if name not in retired}
    proved = {name for name, drills in own.items() if any(each.has_passed for each in drills)}
    renewed = {name for name, drills in own.items() if len({e.sha256 for e in drills}) > 1}
    direct = {name for name, drills in own.items() if "/" not in (drills[-1].backup or "")}
    names = renewed, proved, set(own), direct
    if not settings.criteria.backup_numbered:
        return Expected(*names)
    return Expected(*(set(map(without_numbers, each)) for each in names))


def shelf_here(settings: Settings) -> Shelf:
    """What lies in BACKUP_PATH, and what the history expects there; CouldNotRun, see `shelf_of`."""
    return shelf_of(settings, partial(expected_series, settings))


def noted_here(history: History, settings: Settings) -> list[Drill]:
    """All drills of backups that lie where `settings` say: others may be called the same."""
    place, server = place_of(settings, None), server_at(settings)
    every = (*history.drills, *history.picks)
    return [each for each in every if each.place in (None, place) and is_at(each, server)]


def is_at(drill: Drill, server: str | None) -> bool:
    """Whether `drill` may be of a bucket at `server`; one that does not say so may be of any."""
    return drill.server is None or drill.server == server


def kept_backups(folder: Path, drills: Iterable[Drill], criteria: Criteria) -> Kept | None:
    """Backups in `folder`, against `drills`; None where there are none, or it cannot be read.

    A backup was proved when a drill of it has passed, see `Ledger`.
    """
    try:
        found = source_of(folder).listing(criteria.timezone).found
    except (OSError, CouldNotRun):
        return None
    ledger, numbered = Ledger(drills), criteria.backup_numbered
    series = in_series(found, numbered=numbered)
    kept = newest_first(one for each in series for one in each if one.is_backup)
    unproved = [each.label for each in kept if not ledger.proved(each)]
    failing = [each.label for each in kept if ledger.is_failing(each)]
    return Kept([each.label for each in kept], unproved, failing) if kept else None
