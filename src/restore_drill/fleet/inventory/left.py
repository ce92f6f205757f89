"""Series of a place that no database of the fleet is of yet: each is to be one itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

from restore_drill.backups.foreign import OF_OTHERS
from restore_drill.config.criteria.pgbackrest import PgBackRest
from restore_drill.core.mirrors import as_written
from restore_drill.core.printable import printable
from restore_drill.fleet.inventory.claims import claimed, paths_of, seen_in, upwards
from restore_drill.fleet.inventory.sealed_roles import is_of_roles
from restore_drill.fleet.model import Database
from restore_drill.selection.candidate import Series
from restore_drill.selection.groups import Shelf, is_called, name_of, short_names
from restore_drill.selection.tree import REDIS

Sources = Collection[tuple[str, str]]
"""Account and place of each `[[discover]]`."""


@dataclass
class Named:
    """What the `databases` of a fleet are of, among the backups in the place of `whole`.

    `shelf` is what lies there, and `look` gives what lies in the place of a database. What lies in
    one of the `sources` below is listed with that. `files` are backups that are named singly, or
    seen from above; a series whose newest is `seen` is that of a database here.
    """

    databases: Iterable[Database]
    whole: Database
    sources: Sources
    shelf: Shelf
    look: Callable[[Database], Shelf | None]
    files: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)
    places: dict[str, list[Database]] = field(default_factory=lambda: defaultdict(list))
    seen_in_full: dict[str, bool] = field(default_factory=dict)

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
                self.places[each.backups].append(each)
            elif is_below(source, each.backups):
                higher[each.backups].append(each)
        for several in higher.values():
            shelf = self.look(several[0])
            self.files |= paths_of(claimed(shelf, several)) if shelf else set()
        self.seen = seen_in(self.shelf, self.whole, self.places)

    @property
    def is_anywhere(self) -> bool:
        """Whether a database has its backups at the source, or below it."""
        return bool(self.places)

    def is_known(self, path: Path) -> bool:
        """Whether a drill looks at what lies at `path`, or the folder there is listed by itself.

        It is below a folder that was not searched: databases that have their place there are asked.
        """
        url, (account, source) = as_written(path), (self.whole.account, self.whole.backups)
        around = [each for each in upwards(url) if each in self.places and each != source]
        return (
            any(self.sees_all(each) for each in around)
            or url in self.files
            or url in self.seen
            or any(
                its == account and is_below(url, other) and other != source
                for its, other in self.sources
                if is_below(other, source)
            )
        )

    def sees_all(self, place: str) -> bool:
        """Whether the drills of those at `place` look at all there; what they see is known then."""
        if place not in self.seen_in_full:
            shelf = self.look(self.places[place][0])
            self.seen_in_full[place] = shelf is not None and self.is_seen(shelf, place)
        return self.seen_in_full[place]

    def is_seen(self, shelf: Shelf, place: str) -> bool:
        """Whether the drills of those at `place` look at all that is on its `shelf`, or beside."""
        own = claimed(shelf, self.places[place])
        own += [each for each in shelf.series if is_of_others(each) or is_of_roles(each, shelf)]
        listing, paths = shelf.listing, paths_of(own)
        self.seen |= paths | {as_written(each) for each in listing.copies}
        return paths.issuperset(paths_of(shelf.series)) and not (
            listing.unsearched
            or listing.deeper
            or listing.unseen
            or listing.closed
            or as_written(shelf.source.place) != place
            or (shelf.source.place / REDIS).is_dir()
        )

    def has(self, series: Series) -> bool:
        """Whether `series` is that of a database: by all its backups, or by its newest."""
        paths = [as_written(each.path) for each in series]
        return paths[0] in self.seen or (self.files | self.seen).issuperset(paths)

    def has_gone(self, names: Collection[str]) -> bool:
        """Whether a series of `names`, of which nothing is left, is a database's at the source.

        One that names no series is of it only where its drill finds no other.
        """
        return any(
            each.series in names if each.series else self.number_seen != 1
            for each in self.places.get(self.whole.backups, ())
        )

    @cached_property
    def number_seen(self) -> int:
        """How many series of the source are those of databases here."""
        return sum(as_written(each[0].path) in self.seen for each in self.shelf.series)


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
        if not named.has_gone(short_names(name)) and not is_like(short_names(name), ignore)
    ]


def unused_of(shelf: Shelf, other_names: Iterable[str], ignore: Sequence[str]) -> list[str]:
    """What of `ignore` is like no series of `shelf`, of now or once, and none of `other_names`."""
    names = {*other_names, *(each for name in shelf.known[0].drilled for each in short_names(name))}
    return [
        each
        for each in ignore
        if not is_like(names, [each]) and not any(is_called(one, each) for one in shelf.series)
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
