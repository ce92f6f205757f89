"""`[redis.tolerance]`: how many keys may be missing since the last passed drill."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from restore_drill.config.criteria.key_rules import TYPES
from restore_drill.config.criteria.kinds import Share
from restore_drill.config.criteria.place import Place
from restore_drill.config.criteria.sections import Entries, Key, Section

NAMED = re.compile(rf"(\d+ )?({'|'.join(TYPES)})")


@dataclass(frozen=True)
class KeyTolerance:
    """Shares of the keys that may be missing: of each type in each database, or of single ones.

    Those are called `hash`, in any database, or `3 hash`.
    """

    max_shrink: float = 0.5
    types: Mapping[str, float] = field(default_factory=dict)

    def shrink_of(self, database: int, kind: str) -> float:
        """Share of the keys of this type in this database that may be missing."""
        return self.types.get(f"{database} {kind}", self.types.get(kind, self.max_shrink))


@dataclass(frozen=True)
class ShareOfType(Share):
    """A share, under the name of a type."""

    def read(self, place: Place, value: Any) -> float:
        """The share."""
        if not NAMED.fullmatch(place.name):
            what = f"{place.name!r} is not a type of Redis keys: {', '.join(TYPES)}, or '3 hash'"
            raise place.error(what)
        return super().read(place, value)


TOLERANCE = Section(
    {
        "max_shrink": Key(Share(1), "share of the keys that may be missing: 0.5"),
        "types": Key(
            Entries(ShareOfType(1), "[redis.tolerance.types]"),
            "max_shrink for single types: { list = 1.0, '3 hash' = 0.1 }",
        ),
    },
    "[redis.tolerance]",
    build=lambda _place, values: KeyTolerance(**values),
)
