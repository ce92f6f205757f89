"""Which backups are kept: `--keep 7d,4w,12m`. Rules alone: nothing is read or deleted here."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from restore_drill.core.errors import UsageError

PERIODS = {
    "h": "%Y-%m-%d %H h",
    "d": "%Y-%m-%d",
    "w": "week %G-W%V",
    "m": "%Y-%m",
    "y": "%Y",
}
"""By unit, what names the period that a time falls in."""
RULE = re.compile(r"([1-9]\d{0,4})([hdwmy]?)")
NEWEST, PROVED = "the newest", "the newest that a drill has proved"
STILL_GOOD = "the newest whose last drill passed"


@dataclass(frozen=True)
class Rule:
    """Keep the newest of each of the last `number` periods of `unit`; without one, the newest."""

    number: int
    unit: str

    def __str__(self) -> str:
        """As it was written."""
        return f"{self.number}{self.unit}"


@dataclass(frozen=True)
class Owned:
    """A backup that a manifest of ours names; `sha256` and its `roles` as that says it.

    An increment cannot be restored without the backup that `full` names; where that is empty it is
    a full physical backup.
    """

    name: str
    taken_at: datetime
    sha256: str
    roles: str = ""
    full: str | None = None


def rules_of(text: str) -> tuple[Rule, ...]:
    """Rules in `7d,4w,12m`; `3` alone are the newest three. UsageError for anything else."""
    words = [word.strip().lower() for word in text.split(",")]
    found = [RULE.fullmatch(word) for word in words]
    if not all(found):
        raise UsageError(
            f"--keep cannot be {text!r}; write it like 7d,4w,12m (h, d, w, m, y; 3: the newest 3)"
        )
    return tuple(Rule(int(each[1]), each[2]) for each in found if each)


def why_kept(
    found: Collection[Owned],
    rules: Sequence[Rule],
    zone: tzinfo,
    *,
    proved: Mapping[str, bool],
    since: datetime,
) -> dict[Owned, list[str]]:
    """Why each of `found` is kept, the newest first; no reason is given for what may go.

    Only periods that hold a backup are counted: where none is taken for a while, none goes. Days
    begin in `zone`. `proved` holds the SHA-256 of those that a drill has passed, and whether their
    last drill did, too. What is as young as `since`, when the backup of this run was taken, stays.
    """
    newest_first = sorted(found, key=lambda each: (each.taken_at, each.name), reverse=True)
    reasons: dict[Owned, list[str]] = {each: [] for each in newest_first}
    for each in newest_first[:1]:
        reasons[each].append(NEWEST)
    for words, is_meant in ((PROVED, (True, False)), (STILL_GOOD, (True,))):
        good = [each for each in newest_first if proved.get(each.sha256) in is_meant]
        if good and PROVED not in reasons[good[0]]:
            reasons[good[0]].append(words)
    for rule in rules:
        for each, period in periods_of(newest_first, rule, zone):
            if rule.unit:
                reasons[each].append(f"the newest of {period} ({rule})")
            elif each != newest_first[0]:
                reasons[each].append(f"one of the newest {rule}")
    for each in newest_first[1:]:
        if each.taken_at >= since:
            reasons[each].append("as recent as the new one")
    return reasons


def periods_of(newest_first: Sequence[Owned], rule: Rule, zone: tzinfo) -> list[tuple[Owned, str]]:
    """What `rule` keeps, and the period that each is the newest of."""
    if not rule.unit:
        return [(each, "") for each in newest_first[: rule.number]]
    periods: dict[str, Owned] = {}
    for each in newest_first:
        name = each.taken_at.astimezone(zone).strftime(PERIODS[rule.unit])
        periods.setdefault(name, each)
    return [(each, name) for name, each in list(periods.items())[: rule.number]]
