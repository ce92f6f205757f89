"""Whether one small write could cost live keys: then none is made."""

from __future__ import annotations

from restore_drill.redis.facts import RedisFacts

FULL = 0.95
"""Share of maxmemory from which on a write may evict live keys."""


def why_not_tried(facts: RedisFacts) -> str:
    """Why no write is dared: it could evict live keys, or nobody can know; else empty.

    A cache that is full and evicts is as it should be; one that evicts nothing refuses the write.
    """
    if None in (facts.used_memory, facts.maxmemory) or not facts.maxmemory_policy:
        return (
            "nothing was written: without INFO (not permitted, or renamed) it is unknown whether "
            "Redis is full, and a write could evict live keys; grant it: ACL SETUSER USER +info"
        )
    if facts.evicts and facts.headroom is not None and facts.headroom <= 1 - FULL:
        return f"nothing was written: a write could evict live keys ({facts.memory})"
    return ""
