"""Chooses the backup to drill: the one that is named, else the newest of the newest series."""

from __future__ import annotations

import contextlib
import os
from collections import defaultdict
from dataclasses import replace
from datetime import tzinfo
from fnmatch import fnmatchcase
from itertools import count
from pathlib import Path

from restore_drill.backups.choice import NotDrilled
from restore_drill.backups.folders import place_of_what
from restore_drill.backups.foreign import PLAIN_FOLDER
from restore_drill.backups.formats import Kind
from restore_drill.backups.model import Backup
from restore_drill.backups.wraps.keys import keyring, use_keys
from restore_drill.config.settings import Settings
from restore_drill.core.access import cannot_read, closed_in
from restore_drill.core.calling import DRILL
from restore_drill.core.errors import BackupFault, UsageError
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count, show_time
from restore_drill.selection.candidate import Candidate, Series, as_backup, look_at
from restore_drill.selection.considered import considered
from restore_drill.selection.links import followed
from restore_drill.selection.listing import Listing
from restore_drill.selection.series import name_in_series
from restore_drill.selection.sources import Source, source_of
from restore_drill.selection.times import NAME_TIME
from restore_drill.selection.unsealed import are_comparable, first_of_databases, opened

EARLIER = 7
"""How many earlier backups a new one is compared with."""
MOST_LISTED = 10


def check_paths(settings: Settings) -> None:
    """UsageError where --backup or BACKUP_PATH names something of the wrong kind."""
    named, folder = settings.backup, settings.backup_path
    if named is not None:
        with contextlib.suppress(OSError):
            is_dump = (named / "toc.dat").exists()
            if named.is_dir() and not is_dump and place_of_what(named) is PLAIN_FOLDER:
                raise UsageError(
                    f"--backup names {named}, a directory without toc.dat, so not "
                    f"a directory-format dump; for a folder of backups set BACKUP_PATH={named}"
                )
    elif folder is not None and os.access(folder, os.F_OK) and not folder.is_dir():
        raise UsageError(
            f"BACKUP_PATH names {folder}, which is not a directory; name a file with --backup"
        )


def select_backup(settings: Settings) -> Backup:
    """Backup that this run drills: the one named, else the newest of the newest series.

    Raises BackupFault where there is none.
    """
    zone, pattern = settings.criteria.timezone, settings.criteria.backup_name
    use_keys(settings.decrypt)
    if settings.backup is not None:
        return named_backup(settings.backup, zone)
    assert settings.backup_path is not None
    source = source_of(settings.backup_path)
    listing = source.listing(zone)
    series = in_series(listing.found)
    live = [each for each in series if any(one.is_backup for one in each)]
    wanted = [each for each in live if not pattern or fits(each[0], pattern)]
    pool = wanted
    if not pool and not pattern and source.instead is None:
        pool = [each for each in series if any(one.size for one in each)]
    for each in series:
        if each not in live and each not in pool[:1]:
            listing.passed_over += [f"{one.path.name}: {one.why_not}" for one in each[:MOST_LISTED]]
    if not pool:
        pass_over_closed(listing, None)
        raise no_backups(source, listing, live, pattern)
    before, (pool, chosen) = pool, first_of_databases(pool, source, listing, zone)
    live = [each for each in live if each in pool or each not in before]
    newest, *alike = pool[0]
    pass_over_closed(listing, newest)
    unwanted = [one for each in series if each not in pool for one in each if pattern]
    earlier = [each.size for each in alike if are_comparable(each, newest, chosen)]
    return as_backup(
        chosen,
        passed_over=tuple(listing.passed_over),
        earlier_sizes=tuple(earlier[:EARLIER]),
        not_drilled=tuple(not_drilled(each) for each in live if each is not pool[0]),
        remarks=(*listing.remarks, *keyring().new_notes()),
        considered=considered(listing.found, newest, alike, unwanted, pattern),
    )


def pass_over_closed(listing: Listing, newest: Candidate | None) -> None:
    """Note what may not be read; CouldNotRun where it is to be drilled, and not `newest`."""
    for each in sorted(listing.closed, key=lambda each: each.order, reverse=True):
        if newest is None or (each.series == newest.series and each.order > newest.order):
            raise cannot_read("the backup", each.path)
        listing.passed_over.append(f"{each.path.name}: {each.kind.unrecognised}")


def in_series(found: list[Candidate]) -> list[Series]:
    """`found` in series, the newest first; by their names, and the databases that they name.

    One that names no database (a plain dump, a damaged file) belongs to the newest of its name; one
    whose name says nothing (`latest.dump`) to the only other series that there is.
    """
    schemes: defaultdict[str, Series] = defaultdict(list)
    for each in sorted(found, key=lambda each: each.order, reverse=True):
        schemes[each.series].append(each)
    unnamed = [key for key, each in schemes.items() if not name_in_series(each[0].path)]
    if len(schemes) == 2 and len(unnamed) == 1:
        (other,) = schemes.keys() - set(unnamed)
        schemes[other] += schemes.pop(unnamed[0])
        schemes[other].sort(key=lambda each: each.order, reverse=True)
    series: list[Series] = []
    for scheme in schemes.values():
        usual = next((each.database for each in scheme if each.database), "")
        split: defaultdict[str, Series] = defaultdict(list)
        for each in scheme:
            split[each.database or usual].append(each)
        series += split.values()
    return sorted(series, key=lambda each: each[0].order, reverse=True)


def fits(candidate: Candidate, pattern: str) -> bool:
    """Whether the name of `candidate`, or that with its folder's, is like `pattern`."""
    path = candidate.path
    return any(
        fnmatchcase(name, pattern) for name in (path.name, f"{path.parent.name}/{path.name}")
    )


def not_drilled(series: Series) -> NotDrilled:
    """What of a series that is not drilled is there, and how to drill it."""
    newest = series[0]
    numbers = count()
    label = NAME_TIME.sub(lambda _: "" if next(numbers) else "*", newest.path.name)
    of = f" of database {newest.database}" if newest.database else ""
    bad = "" if newest.is_backup else f", not a backup: {newest.why_not}"
    what = (
        f"another series of backups: {label}{of} ({show_count(len(series), 'backup')}, "
        f"newest {newest.path.name} of {show_time(newest.taken_at)}{bad})"
    )
    return NotDrilled(what, f"drill it too: {DRILL} --backup {newest.path}")


def no_backups(source: Source, listing: Listing, live: list[Series], pattern: str) -> BackupFault:
    """No backup lies in `source`, or none that is named like `pattern`."""
    folder = source.place
    if live:
        names = [each[0].path.name for each in live]
        return BackupFault(
            f"no backup in {folder} matches the pattern {pattern!r} ([backup] name)",
            checked=[str(folder), *names[:MOST_LISTED]],
            remedy=remedy_for("select", "other_names", folder=folder),
        )
    what = source.instead
    if what is not None:
        return BackupFault(
            f"no backups found in {folder}: it is {what.what}",
            checked=[str(folder)],
            remedy=what.remedy_at(folder),
        )
    deeper = [str(path.parent) for below in listing.folders for path in below.glob("*/*.*")]
    checked = [str(folder), *(f"{below}/" for below in listing.folders[:MOST_LISTED])]
    remedy = remedy_for("select", "deeper", deeper=deeper[0]) if deeper else []
    return BackupFault(
        f"no backups found in {folder}",
        checked=[*checked, *listing.passed_over],
        remedy=remedy + remedy_for("select", "empty_folder", folder=folder),
    )


def named_backup(path: Path, zone: tzinfo) -> Backup:
    """Backup that --backup names."""
    if closed_in(path):
        raise cannot_read("the backup", path)
    try:
        target = followed(path)
        candidate = opened(in_its_place(look_at(target, zone)), zone)
    except OSError as error:
        raise cannot_read("the backup", path, error) from None
    links = (f"{path.name} is a link to {target}",) if target != path else ()
    alone = considered([candidate], candidate, (), (), "")
    return as_backup(candidate, remarks=(*links, *keyring().new_notes()), considered=alone)


def in_its_place(candidate: Candidate) -> Candidate:
    """`candidate`; a file that is no backup as the part of a physical one that it may be."""
    path = candidate.path
    if not candidate.kind.unrecognised or path.is_dir():
        return candidate
    whole = place_of_what(path)
    if whole is PLAIN_FOLDER:
        return candidate
    return replace(candidate, kind=Kind("", "", whole.what, whole.remedy_at(path)))
