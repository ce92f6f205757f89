"""Series of backups: those of one database, which differ by their time alone."""

from __future__ import annotations

import re
from pathlib import Path

from restore_drill.backups.formats import SUFFIXES
from restore_drill.selection.times import NAME_TIME

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONG_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HOW_OFTEN = ("hourly", "daily", "nightly", "weekly", "monthly", "yearly")
WORDS = {*DAYS, *LONG_DAYS, *HOW_OFTEN, "latest", "current", "last", "newest"}
"""Words in names that say when, or how often, and not what."""
BETWEEN = re.compile(r"[\s_.\-+@,()]+")


def series_of(path: Path) -> str:
    """Key of the series of the backup at `path`: `db/shop` of `db/shop_2026-11-28.sql.gz`.

    It is made of the folder's name and the file's, without times, numbers that stand alone, words
    like `daily` and the suffixes of formats; what changes with the day does not change it.
    """
    return f"{what_in(path.parent.name)}/{name_in_series(path)}"


def name_in_series(path: Path) -> str:
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
