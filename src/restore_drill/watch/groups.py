"""Which drills of a history belong together: those of one series in one place, oldest first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from restore_drill.selection.series import name_in_series, without_numbers
from restore_drill.watch.history import Drill


class Key(NamedTuple):
    """What drills belong together by; empty where it is not known."""

    series: str
    place: str


def by_series(drills: Sequence[Drill]) -> dict[str, list[Drill]]:
    """Drills by the name of their series, each oldest first, as `drills` are.

    Where two places have a series of one name, the name has the place behind it.
    """
    keys = keys_of(drills)
    found: dict[str, list[Drill]] = {}
    for drill, name in zip(drills, names_of(keys), strict=True):
        found.setdefault(name, []).append(drill)
    return {name: found[name] for name in sorted(found)}


def group_of(drills: Sequence[Drill], now: Drill) -> tuple[str, list[Drill]]:
    """Name of the series of `now`, which comes after `drills`, and those of them that are of it."""
    groups = by_series([*drills, now])
    return next((name, of_it[:-1]) for name, of_it in groups.items() if of_it[-1] is now)


def newer_than(now: Drill, drills: Sequence[Drill]) -> Drill | None:
    """Of the `drills` of its series that of the newest backup, where that is newer than `now`'s.

    Where an older backup passes, nothing is known of the newer one that has failed.
    """
    of_it = [each for each in drills if each.backup != now.backup and taken_at(each) is not None]
    newest = max(of_it, key=lambda each: taken_at(each) or 0.0, default=None)
    mine = taken_at(now)
    if newest is None or mine is None or (taken_at(newest) or 0.0) <= mine + NEARLY:
        return None
    return newest


def taken_at(drill: Drill) -> float | None:
    """When the backup of `drill` was taken, in seconds since 1970, None where that is not known."""
    return None if drill.age is None else drill.at.timestamp() - drill.age


NEARLY = 60.0
"""Seconds by which the times of two backups may differ by reading alone."""


def keys_of(drills: Sequence[Drill]) -> list[Key]:
    """By what each of `drills` belongs to others.

    One that found no backup may have been of any series of its place: it belongs to the one that
    was drilled next there, or to the only one there is; until then the place itself is red. One
    that was noted before there were places belongs to the place where its series came next.
    """
    known = {drill.series for drill in drills if drill.series}
    counted = {name for each in known if (name := without_numbers(each)) != each}
    drills = [of_its_database(drill, known) for drill in drills]
    drills = [of_its_number(each, known) if each.series in counted else each for each in drills]
    places: dict[str, set[str]] = {}
    for drill in drills:
        if drill.series:
            places.setdefault(drill.place or "", set()).add(drill.series)
    after: dict[str, Key] = {}
    keys = []
    for drill in reversed(drills):
        place, series = drill.place or "", drill.series or named_alike(drill, known)
        if series:
            key = Key(series, place or next_place(after, series))
            after |= {place: key, "": key, f"{ANY}{series}": key}
        else:
            key = after.get(place) or only_one(places.get(place, set()), place)
        keys.append(key)
    return keys[::-1]


def of_its_database(drill: Drill, known: Collection[str]) -> Drill:
    """`drill`, noted when databases under one name still were one series, with that of its own."""
    own = f"{drill.series}@{drill.database}"
    return replace(drill, series=own) if drill.database and own in known else drill


def of_its_number(drill: Drill, known: Collection[str]) -> Drill:
    """`drill`, noted when numbers in names made no series, with that of its backup's name."""
    if not drill.series or not drill.backup:
        return drill
    own = f"{drill.series.rpartition('/')[0]}/{name_in_series(Path(drill.backup))}"
    is_its = own in known and own != drill.series == without_numbers(own)
    return replace(drill, series=own) if is_its else drill


UNNAMED = "no backup in "
"""Before a place, in place of a series: drills there have found no backup."""
ANY = "series "
"""Before a series, in place of a place."""


def next_place(after: Mapping[str, Key], series: str) -> str:
    """The place where `series` was drilled next, empty where that is not known."""
    key = after.get(f"{ANY}{series}")
    return key.place if key else ""


def only_one(series: set[str], place: str) -> Key:
    """The only one of `series`, which were drilled in `place`, or none."""
    return Key(next(iter(series)) if len(series) == 1 else "", place)


def named_alike(drill: Drill, known: set[str]) -> str:
    """Series of a drill that was noted before there were any; empty where it had no backup.

    It is the only one of those `known` whose backups are named alike.
    """
    if not drill.backup:
        return ""
    name = name_in_series(Path(drill.backup))
    alike = [each for each in known if each.rpartition("/")[2] == name]
    return alike[0] if len(alike) == 1 else name or drill.backup


def names_of(keys: Sequence[Key]) -> list[str]:
    """A name for each of `keys`: its series, with the place where it needs that."""
    places: dict[str, set[str]] = {}
    for key in keys:
        places.setdefault(key.series, set()).add(key.place)
    return [name_of(key, is_alone=len(places[key.series]) == 1) for key in keys]


def name_of(key: Key, *, is_alone: bool) -> str:
    """`db/shop`, `db/shop (host:/srv/a)`, `no backup in host:/srv/a`; empty of nothing known."""
    if not key.place or (key.series and is_alone):
        return key.series
    return f"{key.series} ({key.place})" if key.series else f"{UNNAMED}{key.place}"
