"""Series of a place that no database of the fleet is of yet: each is to be one itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from restore_drill.backups.foreign import OF_OTHERS
from restore_drill.config.criteria.pgbackrest import PgBackRest
from restore_drill.core.mirrors import as_written
from restore_drill.core.printable import printable
from restore_drill.fleet.inventory.sealed_roles import is_of_roles
from restore_drill.fleet.model import Database
from restore_drill.selection.candidate import Series
from restore_drill.selection.groups import Shelf, is_called, name_of, short_names

Sources = Collection[tuple[str, str]]
"""Account and place of each `[[discover]]`."""


@dataclass
class Named:
    """What the `databases` of a fleet are of, among the backups in the place of `whole`.

    `above` gives the backups that the drills of those see whose place is one above that. What lies
    in one of the `sources` below it is listed with that.
    """

    databases: Iterable[Database]
    whole: Database
    sources: Sources
    above: Callable[[Sequence[Database]], set[str]]
    files: set[str] = field(default_factory=set)
    places: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        """By files, and by names of series in places."""
        source, higher = self.whole.backups, defaultdict[str, list[Database]](list)
        for each in self.databases:
            if each.repository:
                self.files |= folders_of(each.repository)
            elif each.account != self.whole.account or each.unlisted:
                continue
            elif not each.backups:
                self.files.add(each.backup)
            elif is_below(each.backups, source):
                self.places[each.backups].add(each.series)
            elif is_below(source, each.backups):
                higher[each.backups].append(each)
        self.files |= {path for each in higher.values() for path in self.above(each)}

    @property
    def is_anywhere(self) -> bool:
        """Whether a database has its backups at the source, or below it."""
        return bool(self.places)

    def is_place(self, folder: Path) -> bool:
        """Whether `folder` is the place of a database, or is listed by itself."""
        url, (account, source) = as_written(folder), (self.whole.account, self.whole.backups)
        return url in self.places or any(
            its == account and is_below(url, other) and other != source and is_below(other, source)
            for its, other in self.sources
        )

    def has(self, series: Series) -> bool:
        """Whether `series` is that of a database: by all its backups, or by its name.

        A place may be a folder of the source; without a name all that lies there is meant.
        """
        paths = [as_written(each.path) for each in series]
        names = {"", series[0].database, *short_names(name_of(series))}
        return self.files.issuperset(paths) or self.has_called(paths[0], names)

    def has_called(self, path: str, names: set[str]) -> bool:
        """Whether a database is of what has one of `names`, and lies at `path`."""
        here = (wanted for place, wanted in self.places.items() if is_below(path, place))
        return any(not names.isdisjoint(each) for each in here)


def left_of(shelf: Shelf, named: Named, ignore: Sequence[str]) -> list[Series]:
    """Series of `shelf` that no database is of, and none of `ignore` is like.

    One of which nothing can be restored is among them: its drill says so. What by its content is no
    database of PostgreSQL is not, unless a drill has proved one there.
    """
    return [
        each
        for each in shelf.series
        if (not is_of_others(each) or printable(name_of(each)) in shelf.known[0].proved)
        and not is_of_roles(each, shelf)
        and not named.has(each)
        and not any(is_called(each, pattern) for pattern in ignore)
    ]


def is_of_others(series: Series) -> bool:
    """Whether `series` holds roles alone, or backups of other systems."""
    return all(each.size and each.kind.unrecognised.startswith(OF_OTHERS) for each in series)


def gone_of(shelf: Shelf, named: Named, ignore: Sequence[str]) -> list[str]:
    """Series of which a drill has seen a backup here, and none is left, likewise."""
    return [
        name
        for name in shelf.missing(shelf.known[0].drilled)
        if not named.has_called(named.whole.backups, {"", *short_names(name)})
        and not is_like(short_names(name), ignore)
    ]


def is_like(names: Iterable[str], patterns: Sequence[str]) -> bool:
    """Whether one of `names` is like one of `patterns`."""
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


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
