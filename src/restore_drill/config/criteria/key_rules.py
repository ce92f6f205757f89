"""`[redis.keys."card:*"]`: what must hold of the keys of a pattern, in a restored backup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from restore_drill.config.criteria.kinds import Count
from restore_drill.config.criteria.place import Place
from restore_drill.config.criteria.rule_kinds import Choice, visible
from restore_drill.config.criteria.sections import Entries, Key, Section
from restore_drill.core.units import show_bounds

TYPES = ("string", "list", "set", "zset", "hash", "stream")
TTLS = ("required", "none")


@dataclass(frozen=True)
class KeyRule:
    """Keys like `pattern`: between `min` and `max` of them, all of one `type`.

    `ttl` says that each must have one (`required`), or that none may (`none`); `database` is the
    number of Redis's.
    """

    pattern: str
    min: int = 1
    max: int | None = None
    type: str = ""
    ttl: str = ""
    database: int = 0

    @property
    def name(self) -> str:
        """What its criterion is called: `card:*`, `card:* db 3`."""
        return f"{self.pattern} db {self.database}" if self.database else self.pattern

    @property
    def expectation(self) -> str:
        """`at least 100 and at most 200`, `none`."""
        return show_bounds(self.min, self.max) if self.max != 0 else "none"


def rule_of(place: Place, values: dict[str, Any]) -> KeyRule:
    """One entry of `[redis.keys]`."""
    pattern = visible(place)
    most = values.get("max")
    if most == 0:
        values.setdefault("min", 0)  # no such key may be there
    if most is not None and values.get("min", 1) > most:
        raise place.error(f"min is above max ({most})")
    return KeyRule(pattern, **values)


KEY_RULE = Section(
    {
        "min": Key(Count(), "minimum number of keys (default: 1)"),
        "max": Key(Count(), "maximum number of keys"),
        "type": Key(Choice("the type of the keys", words=TYPES), "type that all must have"),
        "ttl": Key(
            Choice("whether keys expire", words=TTLS),
            "whether all keys must have a TTL (required), or none (none)",
        ),
        "database": Key(Count(), "number of the Redis database (default: 0)"),
    },
    build=rule_of,
)
KEYS = Entries(KEY_RULE, "[redis.keys]", '[redis.keys."{}"]')
