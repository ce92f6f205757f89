"""Which backups are drilled among many: series, and which one of a series; checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from restore_drill.config.options import usage_error

NEWEST = "newest"
WORDS = (NEWEST, "oldest", "random", "weekly")
ALL = "all"
"""Stands for every series."""


@dataclass(frozen=True)
class Pick:
    """Which backup of a series: `text` as it was given, and what it means.

    `how` is one of WORDS, or `number`, `day` or `name`.
    """

    text: str = NEWEST
    how: str = NEWEST
    number: int = 1
    day: date | None = None

    @property
    def by_proofs(self) -> bool:
        """Whether it depends on what drills have proved so far."""
        return self.how in ("random", "weekly")


@dataclass(frozen=True)
class Choice:
    """`series` holds names and patterns, nothing where the user has not chosen.

    `whole` is the text that they come from: a name may hold a comma.
    """

    series: tuple[str, ...] = ()
    pick: Pick = Pick()
    whole: str = ""

    @property
    def is_all(self) -> bool:
        """Whether every series was asked for."""
        return ALL in self.series

    @property
    def one(self) -> str:
        """The one series that was asked for, as it was written; empty of several, and patterns."""
        return "" if set(self.whole) & set("*?[,") else self.whole

    @property
    def named(self) -> str:
        """The whole name of the one series that was asked for; empty of others, and of patterns."""
        return self.one if "/" in self.one else ""


def choice_of(given: dict[str, str | None], listed: tuple[str, ...]) -> Choice:
    """What is `given`; without a series those that the criteria file has `listed`.

    --backup names the one: then there is nothing to choose. A usage error where nothing is there to
    choose from, or a pick is none.
    """
    pick = pick_of(given["pick"])
    text = given["series"]
    names = tuple(filter(None, map(str.strip, text.split(",")))) if text is not None else listed
    if given["backup"] is not None:
        return Choice()
    if given["backup_path"] is None:
        chosen = [name for name in ("series", "pick") if given[name] is not None]
        if chosen:
            raise usage_error(chosen[0], "has no backups to choose from", "set BACKUP_PATH")
    return Choice(names, pick, text or "")


def pick_of(text: str | None) -> Pick:
    """The pick that `text` says; a usage error for a day that there is not."""
    text = (text or NEWEST).strip()
    if text in WORDS:
        return Pick(text, text)
    if re.fullmatch(r"\d{1,9}", text):
        if not int(text):
            raise usage_error("pick", "cannot be 0", "1 is the newest, 2 the one before it")
        return Pick(text, "number", int(text))
    if re.fullmatch(r"\d{4}-\d\d?-\d\d?", text):
        try:
            return Pick(text, "day", day=date(*map(int, text.split("-"))))
        except ValueError:
            raise usage_error(
                "pick", f"names {text}, which is not a date", "write it like 2026-11-20"
            ) from None
    return Pick(text, "name")
