"""The parts of result.json that come from the history of drills."""

from __future__ import annotations

from restore_drill.results.schema_words import (
    SHA256,
    TEXT,
    TIME,
    WHOLE,
    described,
    or_none,
    shape,
)

BYPASS = shape(
    {
        "kind": {"const": "skip"},
        "at": TIME,
        "reason": TEXT,
        "approved_by": TEXT,
        "by": described(TEXT, "who has recorded it"),
        "until": described(or_none(TEXT), "its last day (UTC); null: the series was retired"),
        "series": described(or_none(TEXT), "null: all series"),
    }
)

HISTORY = shape(
    {
        "path": TEXT,
        "entries": described(WHOLE, "number of its last entry"),
        "last": described(SHA256, "hash of that entry: restore-drill status --verify HASH"),
    }
)

PICKED = shape(
    {"how": TEXT, "newest": TEXT, "newest_taken_at": TIME},
    "That it is not the newest of its series, of which this result says nothing",
)
