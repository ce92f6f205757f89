"""`--select`: which databases of a fleet are meant, by their names, owners and labels."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from restore_drill.core.errors import UsageError
from restore_drill.core.units import some
from restore_drill.fleet.inventory.kinds import SELECTED
from restore_drill.fleet.model import Database, Inventory

CONDITION = re.compile(r"\s*([^=!]+?)\s*(!?=)\s*(.*?)\s*", re.DOTALL)
MOST_NAMED = 8


class Condition(NamedTuple):
    """That `key` of a database is like `pattern`, or is not."""

    key: str
    pattern: str
    is_wanted: bool

    def holds(self, database: Database) -> bool:
        """Whether it holds for `database`; one without the label is like no pattern of it.

        Nobody knows the names of what lies in a place that cannot be listed.
        """
        if database.unlisted and self.key == "name":
            return True
        value = value_of(database, self.key)
        return (value is not None and fnmatchcase(value, self.pattern)) == self.is_wanted


def value_of(database: Database, key: str) -> str | None:
    """What `database` has for `key`: a label, its name or its owner; None for nothing."""
    own = {"name": database.name, "owner": database.owner}
    return own.get(key, database.labels.get(key)) or None


def selected(inventory: Inventory, words: Sequence[str]) -> list[Database]:
    """Databases of `inventory` for which all `words` hold: `tier=gold`, `name=shop*`, `owner!=ana`.

    In the order of the inventory; all of them where there are no words. `*`, `?` and `[` are wild.
    Raises UsageError for a word that is no condition, and for a key or value that no database has.
    """
    labels = {label for each in inventory.databases.values() for label in each.labels}
    conditions = [condition_of(word, [*SELECTED, *sorted(labels)]) for word in words]
    everything = list(inventory.databases.values())
    for condition in conditions:
        refuse_unmet(condition, everything)
    return [each for each in everything if all(one.holds(each) for one in conditions)]


def refuse_unmet(condition: Condition, databases: Sequence[Database]) -> None:
    """Refuse a value that none of the `databases` has, with those that there are; UsageError."""
    if not condition.is_wanted or any(map(condition.holds, databases)):
        return
    key, pattern = condition.key, condition.pattern
    values = sorted({value for each in databases if (value := value_of(each, key))})
    near = difflib.get_close_matches(pattern, values, n=1)
    there = f"there {'is' if len(values) == 1 else 'are'} {some(values, MOST_NAMED)}"
    hint = f"did you mean {near[0]!r}?" if near else there if values else f"none has {key}"
    more = f" T{there[1:]}" if near and len(values) > 1 else ""
    raise UsageError(f"--select: no database has {key}={pattern}; {hint}{more}")


def condition_of(word: str, known: Sequence[str]) -> Condition:
    """The condition that `word` is, of one of the `known` keys; UsageError."""
    found = CONDITION.fullmatch(word)
    if not found or not found[3]:
        what = "is not a condition; write label=value or label!=value"
        raise UsageError(f"--select {word!r} {what}")
    if found[3].startswith("="):
        raise UsageError(f"--select {word!r}: write one =, not two")
    key = found[1]
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "known are " + ", ".join(known)
        raise UsageError(f"--select {word!r}: no database has the label {key!r}; {hint}")
    return Condition(key, found[3], is_wanted=found[2] == "=")
