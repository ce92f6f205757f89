"""The section `[redis]` of the criteria file: limits of the user's own Redis, and its caches."""

from __future__ import annotations

from restore_drill.config.criteria.coherence import COHERENCE, VOLATILE
from restore_drill.config.criteria.key_rules import KEYS
from restore_drill.config.criteria.key_tolerance import TOLERANCE
from restore_drill.config.criteria.kinds import Count, Duration, Share
from restore_drill.config.criteria.patterns import Patterns
from restore_drill.config.criteria.sections import Key, Section

EXPECTED = "keys that a restored backup of Redis must have, by pattern"
COHERENT = "keys of Redis and the rows that they belong to"
STALE = "keys that are expected to be stale, by pattern, and how long they are worth anything"
CACHED = "patterns of keys that hold copies of rows: counted after a recovery, never touched"
FALLEN = "keys by database and type, compared with those of the last passed drill"


REDIS = Section(
    {
        "max_latency": Key(
            Duration(), "maximum median latency of PING (default: 100ms)", "max_redis_latency"
        ),
        "max_latency_p99": Key(
            Duration(), "maximum latency of 99 % of the PINGs", "max_redis_latency_p99"
        ),
        "min_headroom": Key(
            Share(1),
            "share of maxmemory that must be free (default: 0.05, or none where it evicts)",
            "min_redis_headroom",
        ),
        "max_save_age": Key(
            Duration(),
            "maximum age of the last save, unless an AOF is written",
            "max_redis_save_age",
        ),
        "max_replica_lag": Key(
            Duration(), "how far a replica may be behind (default: 10s)", "max_redis_replica_lag"
        ),
        "min_replicas": Key(Count("replicas"), "replicas that must follow", "min_redis_replicas"),
        "cached": Key(Patterns("patterns of keys"), CACHED, "redis_cached"),
        "keys": Key(KEYS, EXPECTED, "redis_keys"),
        "tolerance": Key(TOLERANCE, FALLEN, "redis_tolerance"),
        "coherence": Key(COHERENCE, COHERENT, "redis_coherence"),
        "volatile": Key(VOLATILE, STALE, "redis_volatile"),
    },
    "[redis]",
)
