"""`--select`: which databases of a fleet are meant, by their names, owners and labels."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from restore_drill.core.errors import UsageError
from restore_drill.fleet.inventory.kinds import SELECTED
from restore_drill.fleet.model import Database, Inventory

CONDITION = re.compile(r"\s*([^=!]+?)\s*(!?=)\s*(.*?)\s*", re.DOTALL)


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
    Raises UsageError for a word that is no condition, and for a key that no database has.
    """
    labels = {label for each in inventory.databases.values() for label in each.labels}
    conditions = [condition_of(word, [*SELECTED, *sorted(labels)]) for word in words]
    return [
        each
        for each in inventory.databases.values()
        if all(condition.holds(each) for condition in conditions)
    ]


def condition_of(word: str, known: Sequence[str]) -> Condition:
    """The condition that `word` is, of one of the `known` keys; UsageError."""
    found = CONDITION.fullmatch(word)
    if not found or not found[3]:
        raise UsageError(f"--select {word!r} is no condition; write label=value or label!=value")
    key = found[1]
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "known are " + ", ".join(known)
        raise UsageError(f"--select {word!r}: no database has the label {key!r}; {hint}")
    return Condition(key, found[3], is_wanted=found[2] == "=")
