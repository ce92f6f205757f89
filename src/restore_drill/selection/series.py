"""Series of backups: those of one database, which differ by their time alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import PurePath

from restore_drill.backups.formats import SUFFIXES
from restore_drill.selection.times import NAME_TIME

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONG_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HOW_OFTEN = ("hourly", "daily", "nightly", "weekly", "monthly", "yearly")
COUNTED = ("hour", "day", "week", "month", "year")
WORDS = {*DAYS, *LONG_DAYS, *HOW_OFTEN, *COUNTED, "latest", "current", "last", "newest"}
"""Words in names that say when, or how often, and not what; a number after one does too."""
BETWEEN = re.compile(r"[\s_.\-+@,()]+")

YEAR, MONTH, DAY = r"(?:20\d\d)", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
SHORT_MONTH, SHORT_DAY = r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
MONTH_NAME = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
APART = r"[-_. ]"
DATE = re.compile(
    rf"(?<!\d)(?:{SHORT_DAY}{APART}{SHORT_MONTH}{APART}{YEAR}"  # 28-11-2026
    rf"|{SHORT_MONTH}{APART}{SHORT_DAY}{APART}{YEAR}"  # 11-28-2026
    rf"|{DAY}{MONTH}{YEAR}|{MONTH}{DAY}{YEAR}"  # 28112026, 11282026
    rf"|[23]\d{MONTH}{DAY}|{YEAR}{APART}?{MONTH}"  # 261128, 2026-11
    rf"|{YEAR}{APART}?w?[0-5]\d"  # 2026-W48
    rf"|1\d{{9}}(?:\d{{3}})?"  # seconds or milliseconds since 1970
    rf"|{SHORT_DAY}{APART}?{MONTH_NAME}{APART}?(?:{YEAR}|\d\d)"  # 28-Nov-2026
    rf"|{MONTH_NAME}{APART}?{SHORT_DAY}{APART}{YEAR})(?!\d)",  # Nov-28-2026
    re.IGNORECASE,
)
"""Times that name a backup, but are not unambiguous enough to be taken for its time."""
CLOCK = r"(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?"
DATED = re.compile(
    rf"(?:^|/){YEAR}(?:[-/]{SHORT_MONTH}(?:[-/]{SHORT_DAY}(?:/{CLOCK})?)?)?$"
    rf"|(?<!\d){YEAR}[-_.]?{MONTH}[-_.]?{DAY}/{CLOCK}$"
)
"""Folders of a date up to the last one, as in `2026/11/28` and `2026-11-28/0500`."""
ROTATED = re.compile(r"\.\d{1,3}$")
"""What rotation puts behind a whole name: `shop.sql.1`."""
COUNTER = re.compile(r"\d+|(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,40}", re.IGNORECASE)
"""A word that is a number, or may be a commit: hexadecimal, of digits and letters."""
UUID = re.compile(
    r"(?<![0-9a-z])[0-9a-f]{8}(?:_[0-9a-f]{4}){3}_[0-9a-f]{12}(?![0-9a-z])", re.IGNORECASE
)
HOW_TAKEN = re.compile(r"(full|inc|incr|incremental|diff|differential)\d*", re.IGNORECASE)
"""Words that say how a physical backup was taken, and not of what."""
TIME = "\0"
"""Stands for a time among the words of a name."""


def series_of(path: PurePath, below: int = 0, *, is_physical: bool = False) -> str:
    """Key of the series of the backup at `path`: `db/shop` of `db/shop_2026-11-28.sql.gz`.

    It is made of the folder's name and the file's, without times, words like `daily`, numbers that
    belong to these, and the suffixes of formats; what changes with the day does not change it. A
    number that stands alone stays: it may be that of a customer (`tenant_1`, `tenant_2`).
    The file lies so many folders `below` the place of the backups: `shop/2026-11-28/db.dump`, two
    folders below, is of `shop/db`.
    """
    *folders, name = *path.parent.parts, without_suffixes(path)
    first = len(folders) - max(below, 1)
    kept = [
        "" if DATED.search("/".join(folders[: at + 1])) else what_in(each)
        for at, each in enumerate(folders)
        if at >= first
    ]
    own = "" if DATED.search("/".join([*folders, name])) else what_in(name)
    whole = f"{'/'.join(filter(None, kept))}/{own}"
    return physical_series(whole) if is_physical else whole


def physical_series(series: str) -> str:
    """The key `series` for a physical backup: full and incremental ones are of one series.

    One whose name says nothing else is kept apart from dumps of such names.
    """
    folders, _, name = series.rpartition("/")
    own = "_".join(each for each in name.split("_") if not HOW_TAKEN.fullmatch(each))
    return f"{folders}/{own or 'physical'}"


@lru_cache(maxsize=4096)  # a history of years names the same backup again and again
def name_in_series(path: PurePath) -> str:
    """The file's part of `series_of`; empty where its name is a time and nothing else."""
    return what_in(without_suffixes(path))


def without_suffixes(path: PurePath) -> str:
    """The name of `path` without its format's suffixes, and without a rotation's behind them."""
    unrotated = ROTATED.sub("", path.name)
    return stem_of(path.name if without_suffix(unrotated) == unrotated else unrotated)


def stem_of(name: str) -> str:
    """`name` without the suffixes of its format, compression and encryption."""
    while (shorter := without_suffix(name)) != name:
        name = shorter
    return name


def without_suffix(name: str) -> str:
    """`name` without the last of SUFFIXES that it ends with."""
    lower = name.lower()
    suffix = next((suffix for suffix in SUFFIXES if lower.endswith(suffix)), "")
    return name[: len(name) - len(suffix)]


def what_in(name: str) -> str:
    """What `name` says beside its time."""
    return "_".join(each for each in words_of(name) if each != TIME)


def words_of(name: str) -> list[str]:
    """The words of `name`, with TIME for each that says when."""
    marked = DATE.sub(f" {TIME} ", NAME_TIME.sub(f" {TIME} ", name))
    return list(timeless(each for each in BETWEEN.split(marked) if each))


def timeless(words: Iterable[str]) -> Iterator[str]:
    """`words`, those that say when as TIME; so does a number that follows one that does."""
    is_time = False
    for word in words:
        is_time = word == TIME or word.lower() in WORDS or (is_time and word.isdigit())
        yield TIME if is_time else word


def without_numbers(series: str) -> str:
    """The key `series` without numbers and commits, for backups that are counted by them."""
    folders, _, name = UUID.sub("_", series).rpartition("/")
    kept = (
        "_".join(w for w in each.split("_") if w and not COUNTER.fullmatch(w))
        for each in (*folders.split("/"), name)
    )
    *above, own = kept
    return f"{'/'.join(filter(None, above))}/{own}"
