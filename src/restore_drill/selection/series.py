"""Series of backups: those of one database, which differ by their time alone."""

from __future__ import annotations

import re
from pathlib import PurePath

from restore_drill.backups.formats import SUFFIXES
from restore_drill.selection.times import NAME_TIME

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONG_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HOW_OFTEN = ("hourly", "daily", "nightly", "weekly", "monthly", "yearly", "week", "month")
WORDS = {*DAYS, *LONG_DAYS, *HOW_OFTEN, "latest", "current", "last", "newest"}
"""Words in names that say when, or how often, and not what."""
BETWEEN = re.compile(r"[\s_.\-+@,()]+")


def series_of(path: PurePath, below: int = 0) -> str:
    """Key of the series of the backup at `path`: `db/shop` of `db/shop_2026-11-28.sql.gz`.

    It is made of the folder's name and the file's, without times, numbers that stand alone, words
    like `daily` and the suffixes of formats; what changes with the day does not change it.
    The file lies so many folders `below` the place of the backups: `shop/2026-11-28/db.dump`, two
    folders below, is of `shop/db`.
    """
    folders = [what_in(each) for each in path.parent.parts[-max(below, 1) :]]
    return f"{'/'.join(filter(None, folders))}/{name_in_series(path)}"


def name_in_series(path: PurePath) -> str:
    """The file's part of `series_of`; empty where its name is a time and nothing else."""
    name = path.name
    while (shorter := without_suffix(name)) != name:
        name = shorter
    return what_in(name)


def without_suffix(name: str) -> str:
    """`name` without the last of SUFFIXES that it ends with."""
    lower = name.lower()
    suffix = next((suffix for suffix in SUFFIXES if lower.endswith(suffix)), "")
    return name[: len(name) - len(suffix)]


def what_in(name: str) -> str:
    """What `name` says beside times and numbers."""
    words = BETWEEN.split(NAME_TIME.sub(" ", name))
    return "_".join(w for w in words if w and not w.isdigit() and w.lower() not in WORDS)
