"""Series among the backups of a place, and which of them are drilled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache

from restore_drill.backups.role_file import may_hold_roles
from restore_drill.config.choice import Choice
from restore_drill.config.settings import Settings
from restore_drill.config.where import is_told_apart
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.printable import printable
from restore_drill.core.units import some
from restore_drill.selection.candidate import Candidate, Series
from restore_drill.selection.listing import Listing
from restore_drill.selection.missing import Expected, There, none_expected
from restore_drill.selection.schemes import in_series
from restore_drill.selection.sources import Source, source_of

MOST_SERIES = 20
"""So many series are drilled in one run at most, unless the user has named them."""
MOST_NAMED = 8


@dataclass(frozen=True)
class Shelf:
    """What lies in a place: all its `series`, the newest first; those `live` hold a backup.

    `expected` gives the names of those that the history has from there, or CouldNotRun.
    """

    source: Source
    listing: Listing
    series: list[Series]
    expected: Callable[[], Expected] = none_expected

    @cached_property
    def live(self) -> list[Series]:
        """Series with something in them that can be restored.

        Beside one of them also such as hold nothing but empty files: their job has never worked.
        """
        is_whole = [any(one.is_backup for one in each) for each in self.series]
        return [
            each
            for each, is_one in zip(self.series, is_whole, strict=True)
            if is_one or (any(is_whole) and len(each) > 1 and not any(one.size for one in each))
        ]

    @cached_property
    def known(self) -> tuple[Expected, str]:
        """The series that are expected here; none, and why, where that is not known."""
        try:
            return self.expected(), ""
        except CouldNotRun as error:
            return Expected(), error.what

    @cached_property
    def gone(self) -> list[str]:
        """Names of those that were renewed, and of which nothing is left."""
        return self.missing(self.known[0].renewed)

    @cached_property
    def there(self) -> There:
        """What its series are called."""
        return There.of(self.series)

    def missing(self, names: Iterable[str]) -> list[str]:
        """Those of `names`, which the history has, of which nothing is left."""
        return self.there.missing(names, self.known[0].direct)


def shelf_of(settings: Settings, expected: Callable[[], Expected] = none_expected) -> Shelf:
    """What lies in BACKUP_PATH, and what is `expected` to; CouldNotRun where it cannot be read."""
    assert settings.backup_path is not None
    source = source_of(settings.backup_path)
    listing = source.listing(settings.criteria.timezone)
    series = in_series(listing.found, numbered=settings.criteria.backup_numbered)
    return Shelf(source, listing, series, expected)


def several_words(names: Sequence[str]) -> str:
    """`BACKUP_PATH holds several series of backups (a, b)`."""
    return f"BACKUP_PATH holds several series of backups ({some(names, MOST_NAMED)})"


def name_of(series: Series) -> str:
    """What `--series` calls it."""
    return series[0].series


def fits(candidate: Candidate, pattern: str) -> bool:
    """Whether the name of `candidate`, or that with its folder's, is like `pattern`."""
    path = candidate.path
    return any(
        fnmatchcase(name, pattern) for name in (path.name, f"{path.parent.name}/{path.name}")
    )


def wanted(shelf: Shelf, settings: Settings) -> list[Series]:
    """Series that are to be drilled by their names; UsageError where a series is not there.

    `--series` and `[backup] series` go by the names of series, else `[backup] name` by those of
    files. One that was drilled before, and has no backup left, is not there either; one of which
    nothing can be restored is, where nothing else is called so.
    """
    pattern, choice, found = settings.criteria.backup_name, settings.choice, shelf.live
    if not choice.series or choice.is_all:
        return [each for each in found if not pattern or fits(each[0], pattern)]
    if exact := [each for each in shelf.series if name_of(each) == choice.whole]:
        return exact
    if lost_by_name(shelf, choice.whole):
        return []
    chosen: list[Series] = []
    for name in choice.series:
        alike = called(found, name) or called(shelf.series, name)
        if found and not alike and not none_left_of(shelf, name):
            raise no_such_series(name, found)
        chosen += [each for each in alike if each not in chosen]
    return [each for each in shelf.series if each in chosen]


def called(found: Sequence[Series], name: str) -> list[Series]:
    """Those of `found` that are called `name`."""
    return [each for each in found if is_called(each, name)]


def none_left_of(shelf: Shelf, name: str) -> list[str]:
    """Series called `name` that were drilled here, and of which no backup is left."""
    shown, gone = printable(name), shelf.missing(shelf.known[0].drilled)
    return [each for each in gone if shown in short_names(each)]


def lost_by_name(shelf: Shelf, whole: str) -> list[str]:
    """The series of the name `whole`, which may look like a pattern, where it is such a one."""
    name = printable(whole)
    return shelf.missing([name] if name in shelf.known[0].drilled else [])


def one_lost(shelf: Shelf, choice: Choice) -> str:
    """The one series that was chosen, in full, where nothing is left of it; else empty."""
    found = lost_by_name(shelf, choice.whole) or none_left_of(shelf, choice.one)
    return found[0] if len(found) == 1 else ""


def is_called(series: Series, name: str) -> bool:
    """Whether `name` is that of `series`, its last part, its database, or a pattern of these."""
    whole = name_of(series)
    names = short_names(whole) | ({series[0].database} - {""})
    return name in names or any(fnmatchcase(each, name) for each in names)


@lru_cache(maxsize=65536)  # each of many databases is looked for among all
def short_names(whole: str) -> frozenset[str]:
    """What the series of the name `whole` may be called by, also as it is shown."""
    names = frozenset((whole, whole.strip("/"), whole.rpartition("/")[2])) - {""}
    return names.union(map(printable, names))


def no_such_series(name: str, found: list[Series]) -> UsageError:
    """No series is called `name`."""
    there = some([name_of(each) for each in found], MOST_NAMED) or "none"
    return UsageError(
        f"--series (DRILL_SERIES, [backup] series) names {name!r}, and there is no such series; "
        f"in BACKUP_PATH there are: {there}"
    )


def to_drill(shelf: Shelf, settings: Settings) -> list[str]:
    """Names of the series that one run drills, the newest first: those named, else all.

    Nobody has named them: then a single backup that is older than it may be is taken for what
    somebody put aside, unless the history has seen its series renewed. One of those of which
    nothing is left is red. Where there are too many series, the newest alone is drilled.
    """
    found = wanted(shelf, settings)
    if settings.choice.series:
        gone = lost_by_name(shelf, settings.choice.whole) or [
            each for name in settings.choice.series for each in none_left_of(shelf, name)
        ]
        return [*map(name_of, found), *dict.fromkeys(gone)]
    young = datetime.now(UTC) - timedelta(seconds=settings.max_backup_age)
    kept = []
    for each in found:
        if each[0].is_sealed and may_hold_roles(each[0].path):
            continue
        is_old = each is not found[0] and len(each) == 1 and each[0].taken_at < young
        if is_old and printable(name_of(each)) not in shelf.known[0].renewed:
            continue
        kept.append(name_of(each))
    if kept and not settings.criteria.backup_name and is_told_apart(settings):
        kept += shelf.gone
    return kept if len(kept) <= MOST_SERIES else []
