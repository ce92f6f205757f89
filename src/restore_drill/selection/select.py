"""Chooses the backup to drill: the one that is named, else the newest of the newest series."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from restore_drill.backups.cache import use_cache
from restore_drill.backups.choice import NotDrilled, Schedule
from restore_drill.backups.folders import place_of_what
from restore_drill.backups.foreign import PLAIN_FOLDER, REPOSITORY
from restore_drill.backups.model import Backup
from restore_drill.backups.wraps.keys import keyring, use_keys
from restore_drill.config.choice import NEWEST
from restore_drill.config.settings import Settings
from restore_drill.core.errors import UsageError
from restore_drill.core.mirrors import as_written
from restore_drill.selection.beside import (
    MOST_LISTED,
    may_be_gone,
    no_backups,
    none_left,
    not_drilled,
    not_known,
    pass_over_closed,
)
from restore_drill.selection.candidate import Series, as_backup
from restore_drill.selection.considered import considered
from restore_drill.selection.groups import Shelf, name_of, shelf_of, wanted
from restore_drill.selection.holes import schedule_of
from restore_drill.selection.in_full import in_full, use_repository
from restore_drill.selection.named import one_named
from restore_drill.selection.numbered import differ_by_number, numbered_hint
from restore_drill.selection.pick import Proofs, picked, picked_record, unproved, words_on
from restore_drill.selection.unsealed import are_comparable, first_of_databases

EARLIER = 7
"""How many earlier backups a new one is compared with."""


def check_paths(settings: Settings) -> None:
    """UsageError where --backup or BACKUP_PATH names something of the wrong kind."""
    named, folder = settings.backup, settings.backup_path
    if named is not None:
        refuse_running(named)
        if is_plain_folder(named):
            raise UsageError(
                f"--backup names {named}, a directory without toc.dat, so not "
                f"a directory-format dump; for a folder of backups set BACKUP_PATH={named}"
            )
    elif folder is not None and os.access(folder, os.F_OK) and not folder.is_dir():
        raise UsageError(
            f"BACKUP_PATH names {folder}, which is not a directory; name a file with --backup"
        )
    elif folder is not None and settings.recovery.pgbackrest is not None:
        refuse_two_places(folder)


def is_plain_folder(path: Path) -> bool:
    """Whether `path` is a folder that may hold backups, and is none itself."""
    with contextlib.suppress(OSError):
        is_dump = (path / "toc.dat").exists()
        return path.is_dir() and not is_dump and place_of_what(path) is PLAIN_FOLDER
    return False


def refuse_running(named: Path) -> None:
    """UsageError where `named` is the data directory of a server that runs."""
    if (named / "postmaster.pid").is_file():
        from restore_drill.backups.physical.live import refuse_live  # noqa: PLC0415 - few are

        refuse_live(named)


def refuse_two_places(folder: Path) -> None:
    """UsageError where `folder` is no repository, and the criteria file names one of pgBackRest."""
    if place_of_what(folder).cause != REPOSITORY:
        raise UsageError(
            f"BACKUP_PATH names {as_written(folder)}, and the criteria file a repository of "
            "pgBackRest (pgbackrest under [backup]): only one of them can be drilled; unset "
            "BACKUP_PATH, or name another criteria file"
        )


def select_backup(
    settings: Settings,
    shelf: Shelf | None = None,
    proofs: Proofs = unproved,
    beside: Collection[str] = (),
) -> Backup:
    """Backup that this run drills: the one named, else one of the newest series that is wanted.

    `shelf` is what lies there, where that is known, `proofs` says what was proved before; the
    series `beside` are drilled in this run too. Raises BackupFault where there is none, and
    UsageError where there is not what was asked for.
    """
    zone, pick = settings.criteria.timezone, settings.choice.pick
    make_ready(settings)
    if settings.backup is not None or (shelf is None and settings.backup_path is None):
        return one_named(settings)
    shelf = shelf or shelf_of(settings)
    listing, before = shelf.listing, pool_of(shelf, settings)
    picking = partial(picked, pick=pick, zone=zone, proofs=proofs)
    pool, one, chosen = first_of_databases(before, shelf.source, listing, zone, picking)
    series, old = pool[0], picked_record(one, pool[0], pick)
    pass_over_closed(listing, series[0], is_drilled=old is None)
    remarks = [*listing.remarks, *keyring().new_notes()]
    alike = [] if beside or settings.choice.series else differ_by_number(list(map(name_of, before)))
    remarks += [numbered_hint(alike)] if alike else []
    remarks += [f"one of {len(beside)} series, each drilled by itself"] if beside else []
    remarks += [words_on(one, series, pick, proofs)] if pick.how != NEWEST else []
    older = series[series.index(one) + 1 :]
    earlier = [each.size for each in older if are_comparable(each, one, chosen)]
    found = as_backup(
        chosen,
        passed_over=tuple(listing.passed_over),
        earlier_sizes=tuple(earlier[:EARLIER]),
        not_drilled=others_than(series, pool, before, shelf, beside),
        remarks=tuple(remarks),
        considered=considered(shelf.series, one, pool, settings.criteria.backup_name),
        picked=old,
        schedule=kept_to(series, settings),
    )
    return in_full(chosen, found, settings)


def make_ready(settings: Settings) -> None:
    """Have what opens backups used as it is set: keys, the cache, a repository's configuration."""
    use_keys(settings.decrypt)
    use_cache(settings.leaves.cache, settings.leaves.cache_size)
    use_repository(settings)


def pool_of(shelf: Shelf, settings: Settings) -> list[Series]:
    """Series that are wanted, what is none in the rest noted; BackupFault where there is none.

    Where nothing can be restored and nobody has asked for a name, all that has content is.
    """
    listing, live, pattern = shelf.listing, shelf.live, settings.criteria.backup_name
    pool = wanted(shelf, settings)
    if not pool and live and settings.choice.series and not settings.choice.is_all:
        raise none_left(shelf.source, settings.choice.whole or ", ".join(settings.choice.series))
    if not pool and not pattern and shelf.source.instead is None:
        pool = [each for each in shelf.series if any(one.size for one in each)]
    for each in shelf.series:
        if each not in live and each not in pool[:1]:
            listing.passed_over += [f"{one.label}: {one.why_not}" for one in each[:MOST_LISTED]]
    if not pool:
        pass_over_closed(listing, None)
        raise no_backups(shelf.source, listing, live, pattern)
    return pool


def others_than(
    series: Series,
    pool: Sequence[Series],
    before: Sequence[Series],
    shelf: Shelf,
    beside: Collection[str],
) -> tuple[NotDrilled, ...]:
    """Series that are not drilled, without those `beside` and role files, which left the `pool`."""
    others = [each for each in shelf.live if each is not series and name_of(each) not in beside]
    found = [not_drilled(each) for each in others if each in pool or each not in before]
    gone = [may_be_gone(name) for name in shelf.gone if name not in beside]
    _, why_unknown = shelf.known
    return (*found, *gone, *([not_known(why_unknown)] if why_unknown else []))


def kept_to(series: Series, settings: Settings) -> Schedule | None:
    """How `series` keeps to `[backup] every`; None where that is not set."""
    every = settings.criteria.backup_every
    if not every:
        return None
    taken = [each.taken_at for each in series if each.is_backup]
    return schedule_of(taken, every, datetime.now(UTC))
