"""Backups of a place in series: by their names, and the databases that they name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from restore_drill.selection.candidate import Candidate, Series
from restore_drill.selection.listing import newest_first
from restore_drill.selection.series import without_numbers


def in_series(found: Iterable[Candidate], *, numbered: bool = False) -> list[Series]:
    """`found` in series, the newest first; by their names, and the databases that they name.

    Where they are `numbered`, numbers and commits in names count the backups of one database.

    One that names no database (a plain dump, a damaged file) belongs to the newest of its name; one
    whose name says nothing (`latest.dump`) to the only other series that there is. Databases under
    the same names have series of their own: `db/backup@shop`.
    """
    schemes: defaultdict[str, Series] = defaultdict(list)
    for each in newest_first(found):
        schemes[without_numbers(each.scheme) if numbered else each.scheme].append(each)
    unnamed = [key for key, each in schemes.items() if key.endswith("/")]
    if len(schemes) == 2 and len(unnamed) == 1:
        (other,) = schemes.keys() - set(unnamed)
        if schemes[other][0].is_physical == schemes[unnamed[0]][0].is_physical:
            schemes[other] = newest_first(schemes[other] + schemes.pop(unnamed[0]))
    series: list[Series] = []
    for scheme, alike in schemes.items():
        usual = next((each.database for each in alike if each.database), "")
        split: defaultdict[str, Series] = defaultdict(list)
        for each in alike:
            split[each.database or usual].append(each)
        for database, own in split.items():
            key = f"{scheme}@{database}" if len(split) > 1 else scheme
            series.append([replace(each, key=key) for each in own])
    return sorted(series, key=lambda each: each[0].order, reverse=True)
