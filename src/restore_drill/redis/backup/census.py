"""Keys of a restored backup by type and TTL: counted inside of the drill's own server.

A script goes over the keys there: a million took 5 s, where SCAN, TYPE and PTTL from here took 25.
Nothing goes meanwhile (see `standstill`): each key is counted once.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field

from restore_drill.config.criteria.key_rules import KeyRule
from restore_drill.core.deadline import at_work
from restore_drill.core.remedies import remedy_for
from restore_drill.redis.connection import Server, beside
from restore_drill.redis.standstill import CLOCK, standstill

SCRIPT = (
    CLOCK
    + """
local cursor, counts, order, began = '0', {}, {}, now()
repeat
  local found = redis.call('SCAN', cursor, 'MATCH', ARGV[1], 'COUNT', 5000)
  cursor = found[1]
  for _, key in ipairs(found[2]) do
    local kind = redis.call('TYPE', key)['ok']
    local name = kind .. (redis.call('PTTL', key) == -1 and ' ' or ' ttl')
    if not counts[name] then counts[name] = 0; order[#order + 1] = name end
    counts[name] = counts[name] + 1
  end
until cursor == '0' or now() - began > tonumber(ARGV[2])
local out = {cursor}
for _, name in ipairs(order) do out[#out + 1] = name; out[#out + 1] = counts[name] end
return out
"""
)
SECONDS = 300.0
"""So long may the keys of a pattern be counted."""
GONE = "none"
"""Type of a key that has expired meanwhile."""


@dataclass
class Tally:
    """Keys by type: those that never expire, and those with a TTL; whether all were counted."""

    lasting: dict[str, int] = field(default_factory=dict)
    expiring: dict[str, int] = field(default_factory=dict)
    is_complete: bool = True

    def add(self, name: str, count: int) -> None:
        """Count what the script calls `hash ` or `hash ttl`."""
        kind, _, ttl = name.partition(" ")
        if kind != GONE:
            found = self.expiring if ttl else self.lasting
            found[kind] = found.get(kind, 0) + count

    @property
    def types(self) -> dict[str, int]:
        """Keys by type."""
        names = sorted({*self.lasting, *self.expiring})
        return {each: self.lasting.get(each, 0) + self.expiring.get(each, 0) for each in names}

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.types.values())


def tally(server: Server, database: int = 0, pattern: str = "*", seconds: float = SECONDS) -> Tally:
    """Count the keys like `pattern` in a `database` of the drill's own `server`."""
    from redis.exceptions import ResponseError  # noqa: PLC0415 - loads slowly

    found = Tally()
    with (
        closing(beside(server, db=database).client) as client,
        standstill(server) as ask,
        at_work(lambda: "counting keys"),
    ):
        try:
            cursor, *counts = ask(client, SCRIPT, [pattern, str(seconds)])
        except ResponseError as error:
            if "out of range" in str(error):
                return found
            raise
    for name, count in zip(counts[::2], counts[1::2], strict=True):
        found.add(str(name), int(count))
    found.is_complete = str(cursor) == "0"
    return found


def broken_by(rule: KeyRule, found: Tally) -> tuple[str, str]:
    """What of `rule` does not hold of the keys `found`, and its cause; empty where all does."""
    if found.total < rule.min or (rule.max is not None and found.total > rule.max):
        cause = "few" if found.total < rule.min else "many"
        return f"there are {found.total:,}, expected {rule.expectation}", cause
    others = {kind: count for kind, count in found.types.items() if rule.type not in ("", kind)}
    if others:
        words = ", ".join(f"{count:,} of type {kind}" for kind, count in others.items())
        return f"{words}, expected type {rule.type}", "type"
    lasting, expiring = sum(found.lasting.values()), sum(found.expiring.values())
    if rule.ttl == "required" and lasting:
        return f"{lasting:,} of {found.total:,} have no TTL: they never expire", "lasting"
    if rule.ttl == "none" and expiring:
        return f"{expiring:,} of {found.total:,} have a TTL, and must not expire", "expiring"
    return "", ""


def remedy_of(rule: KeyRule, cause: str) -> list[str]:
    """What to do where `rule` is broken, by the cause that `broken_by` gives."""
    return remedy_for(
        "test_redis_backup_has_its_keys", cause, pattern=rule.pattern, database=rule.database
    )
