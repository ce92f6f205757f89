"""The ways to restore: WAYS holds each of ours, forced, with what proves that it was taken.

A way that only large tables, large dumps or many of them would go is forced by setting the module's
own thresholds; that it was gone is seen from calls of the function that is at its heart.
"""

from __future__ import annotations

import functools
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from restore_drill.backups.archive import header_of
from restore_drill.backups.model import Backup, Contents
from restore_drill.restore.archive import restore_archive
from restore_drill.restore.model import Restoration
from restore_drill.restore.plain import restore_plain
from restore_drill.restore.restorers import restorer_of
from restore_drill.restore.single_transaction import restore_in_one_transaction
from restore_drill.restore.split import restore_split
from restore_drill.restore.transactions import restore_in_transactions
from restore_drill.servers.model import Target
from tests.helpers.shop import quiet

Restore = Callable[[Target, Backup, Contents], Restoration | None]
OURS = "restore_drill."


@dataclass(frozen=True)
class Way:
    """One way: `restore` with the constants in `forced` set, by `module.NAME` below OURS.

    `said` must match what the restoration says of itself. Where not None, `heart` is a function
    that was called if the way was really gone. `archives` says whether it is only for those (True)
    or for SQL and what is made SQL (None: for all).
    """

    name: str
    restore: Restore
    said: str
    forced: Mapping[str, object] = field(default_factory=dict)
    heart: str | None = None
    archives: bool | None = None

    def fits(self, backup: Backup) -> bool:
        """Whether a backup of its format goes this way."""
        return self.archives is None or self.archives == backup.is_archive


def serial(target: Target, backup: Backup, contents: Contents) -> Restoration:
    """Statement by statement."""
    return restore_plain(target, backup, contents, quiet)


def at_once(target: Target, backup: Backup, contents: Contents) -> Restoration | None:
    """In one transaction; None where it was rolled back, which leaves nothing."""
    return restore_in_one_transaction(target, backup, contents, quiet)


def split(jobs: int) -> Restore:
    """Over `jobs` connections."""

    def way(target: Target, backup: Backup, contents: Contents) -> Restoration:
        return restore_split(target, backup, contents, jobs=jobs, progress=quiet)

    return way


def in_transactions(jobs: int) -> Restore:
    """In transactions of some statements each, over `jobs` connections."""

    def way(target: Target, backup: Backup, contents: Contents) -> Restoration:
        return restore_in_transactions(target, backup, contents, jobs=jobs, progress=quiet)

    return way


def by_pg_restore(jobs: int) -> Restore:
    """By pg_restore over `jobs` connections."""

    def way(target: Target, backup: Backup, contents: Contents) -> Restoration:
        header_of(backup.restorable, backup.format)
        return restore_archive(target, backup, len(contents.entries), jobs, quiet)

    return way


def chosen(target: Target, backup: Backup, contents: Contents) -> Restoration:
    """What a drill chooses."""
    return restorer_of(backup).restore(target, backup, contents, 2, quiet)


FEW_BYTES = {
    "backups.plaindump.lines.CHUNK": 61, "restore.blocks.PIECE": 37,
    "backups.members.LARGE": 0, "backups.members.WORTH": 0,
}  # fmt: skip
"""Everything that is read piece by piece ends its pieces wherever it can; rows come beside text."""
SMALL_IS_BIG = {"restore.table_work.BIG": 0, "restore.loader.FRESH_SIZE": 0}
"""Small tables take the steps that pay for large ones."""


def all_hands(_size: int, _total: int, jobs: int) -> int:
    """Every table is worth all connections."""
    return jobs


PORTION = "restore.lane.Lane.commit"
PORTIONED = {
    "restore.transactions.MOST": 5, "restore.crew.FEWEST": 2, "restore.portions.LARGEST": 2000,
}  # fmt: skip
"""Small tables are many transactions too, and some are as large as one may be."""


def never(*_: object, **__: object) -> bool:
    """Not so, whatever is asked."""
    return False


AT_ONCE = {
    "backups.plaindump.insert_reader.FIRST": 16, "backups.plaindump.insert_reader.MOST": 200,
    "restore.loader.MB": 0,
}  # fmt: skip
"""Runs of INSERTs come in many pieces, and go to a connection before they are read to their end."""
RANGED = SMALL_IS_BIG | {
    "restore.ranges.hands_for": all_hands, "restore.ranges.RANGE": 50, "restore.loader.MB": 0,
}  # fmt: skip
"""Every table is loaded by ranges of a few rows, beginning before it is read to its end."""
WAYS = [
    Way("statement by statement", serial, "^statement by statement"),
    Way("the same, read in bites of 61 bytes", serial, "^statement by statement", FEW_BYTES),
    Way("one transaction", at_once, "^in one transaction"),
    Way(
        "one transaction, messages of 1 byte", at_once, "^in one transaction",
        {"restore.batch.MESSAGE": 1},
    ),
    Way("split over 2", split(2), "^split over 2 connections"),
    Way(
        "split over 4, small tables taken for big", split(4), "^split over 4 connections",
        SMALL_IS_BIG, "restore.session.Session.load_frozen",
    ),
    Way(
        "split over 2, big, in bites of 61 bytes", split(2), "^split over 2 connections",
        SMALL_IS_BIG | FEW_BYTES, "restore.blocks.Block.pieces",
    ),
    Way(
        "large objects over 4", split(4), "^split over 4 connections$", SMALL_IS_BIG,
        "restore.large_objects.load",
    ),
    Way(
        "large objects over 2, in bites of 61 bytes", split(2), "^split over 2 connections",
        FEW_BYTES | {"backups.plaindump.object_reader.SHORT": 0}, "restore.large_objects.load",
    ),
    Way(
        "ranges over 3", split(3), "^split over 3 connections", RANGED,
        "restore.session.Session.load_part",
    ),
    Way(
        "ranges over 4, in bites of 61 bytes", split(4), "^split over 4 connections",
        RANGED | FEW_BYTES, "restore.session.Session.load_part",
    ),
    Way(
        "INSERTs as COPY over 3", split(3), "^split over 3 connections", SMALL_IS_BIG | AT_ONCE,
        "restore.as_copy.AsCopy.text_of",
    ),
    Way(
        "INSERTs in portions, in bites of 61 bytes", split(3), "^split over 3 connections",
        FEW_BYTES | AT_ONCE | {"restore.fill.Fill.at_once": never}, "restore.fill.Fill.portion",
    ),
    Way("transactions over 1", in_transactions(1), "^in .*transaction", PORTIONED, PORTION),
    Way(
        "transactions over 3, in bites of 61 bytes", in_transactions(3), "^in .*transaction",
        PORTIONED | FEW_BYTES | {"restore.batch.MESSAGE": 1}, PORTION,
    ),
    Way("pg_restore, 1 job", by_pg_restore(1), "^pg_restore", archives=True),
    Way("pg_restore, 2 jobs", by_pg_restore(2), "^pg_restore", archives=True),
    Way("what a drill chooses", chosen, ""),
]  # fmt: skip


def resolved(path: str) -> tuple[Any, str]:
    """Module or class, and the name in it, of what `path` names below OURS."""
    parts = (OURS + path).split(".")
    for end in range(len(parts) - 1, 0, -1):
        module = sys.modules.get(".".join(parts[:end]))
        if module is not None:
            holder: Any = module
            for part in parts[end:-1]:
                holder = getattr(holder, part)
            return holder, parts[-1]
    raise LookupError(path)


def replaced(patch: pytest.MonkeyPatch, path: str, value: object) -> None:
    """Set what `path` names, in every module of ours that has taken it over under its name too."""
    holder, name = resolved(path)
    old = getattr(holder, name)
    patch.setattr(holder, name, value)
    for key, module in list(sys.modules.items()):
        if key.startswith(OURS) and vars(module).get(name) is old:
            patch.setattr(module, name, value)


@contextmanager
def forced(way: Way, calls: Counter[str]) -> Iterator[None]:
    """Thresholds as `way` wants them; `calls` counts those of its heart."""
    with pytest.MonkeyPatch.context() as patch:
        for path, value in way.forced.items():
            replaced(patch, path, value)
        if way.heart is not None:
            holder, name = resolved(way.heart)
            replaced(patch, way.heart, counting(getattr(holder, name), way.heart, calls))
        yield


def counting(function: Callable[..., Any], name: str, calls: Counter[str]) -> Callable[..., Any]:
    """`function`, which counts its calls in `calls`."""

    @functools.wraps(function)
    def counted(*arguments: Any, **options: Any) -> Any:
        calls[name] += 1
        return function(*arguments, **options)

    return counted


@dataclass(frozen=True)
class Gone:
    """What came of going a way: None where it gave up, and whether it was really gone."""

    restoration: Restoration | None
    is_taken: bool


def go(way: Way, target: Target, backup: Backup, contents: Contents) -> Gone:
    """Restore `backup` by `way` into the empty database of `target`."""
    calls: Counter[str] = Counter()
    with forced(way, calls):
        done = way.restore(target, backup, contents)
    is_said = done is not None and re.search(way.said, done.way) is not None
    return Gone(done, is_said and (way.heart is None or calls[way.heart] > 0))
