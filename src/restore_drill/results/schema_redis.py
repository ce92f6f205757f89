"""The part `redis_backup` of result.json: what was restored of Redis, and what its keys are."""

from __future__ import annotations

from restore_drill.results.schema_words import (
    TEXT,
    WHOLE,
    described,
    list_of,
    map_of,
    or_none,
    shape,
    with_more,
)

MEMORY = described(WHOLE, "that they take in the server which restored them")
COUNT = shape(
    {"keys": WHOLE, "expiring": described(WHOLE, "of these, with a TTL"), "memory_bytes": MEMORY}
)
CENSUS = shape(
    {
        "types": map_of(map_of(COUNT), "Restored keys by database and type"),
        "lasting": described(WHOLE, "keys that never expire"),
        "expiring": described(WHOLE, "keys that will"),
        "run_out": described(or_none(WHOLE), "keys that have expired since the backup was taken"),
        "memory_bytes": MEMORY,
        "largest": list_of(
            shape({"type": TEXT, "database": WHOLE, "memory_bytes": WHOLE}), "Without their names"
        ),
        "patterns": map_of(
            shape({"keys": WHOLE, "memory_bytes": WHOLE}),
            "By how names begin that the criteria file speaks of",
        ),
        "streams": WHOLE,
        "groups": described(WHOLE, "consumer groups of the streams"),
        "functions": described(or_none(WHOLE), "libraries; null: the server knows none"),
    }
)

REDIS_BACKUP = described(
    or_none(
        with_more(
            {
                "type": "object",
                "properties": {
                    "census": described(CENSUS, "All keys that were restored"),
                    "manifest": described(
                        or_none(TEXT), "name of the manifest that it was compared with"
                    ),
                    "last_drill": described(TEXT, "the drill that it was compared with"),
                },
            }
        )
    ),
    "The backup of Redis that was restored; null: none was",
)
