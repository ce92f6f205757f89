"""The part `coherence` of result.json: keys of Redis against the restored rows."""

from __future__ import annotations

from restore_drill.results.schema_words import (
    FLAG,
    NUMBER,
    TEXT,
    WHOLE,
    described,
    list_of,
    or_none,
    shape,
)

RULE = {
    "rule": described(TEXT, "name of the rule, which its criterion has in brackets"),
    "like": described(TEXT, "names of its keys, as the criteria file has them"),
    "table": TEXT,
    "direction": {"enum": ["keys", "rows", "both"]},
    "redis": described(TEXT, "the server whose keys were compared"),
    "keys": described(WHOLE, "keys that are like it"),
    "misnamed": described(WHOLE, "of these, keys whose name holds no value of the columns' types"),
    "without_row": WHOLE,
    "differing": described(WHOLE, "keys with another value than their row"),
    "lacking": described(WHOLE, "keys without that value, where the row has one"),
    "unreadable": described(WHOLE, "keys whose value is none of the column's type"),
    "other_type": described(WHOLE, "keys of a type of Redis that has no such value"),
    "rows": described(or_none(WHOLE), "rows that need a key; null: no row does"),
    "without_key": or_none(WHOLE),
    "tolerance": described(NUMBER, "share that may disagree"),
    "ok": FLAG,
    "summary": TEXT,
    "seconds": NUMBER,
}
LIVE = {
    "pattern": described(TEXT, "pattern of Redis that the command removes"),
    "remove": described(or_none(TEXT), "command that removes all keys of the pattern"),
    "why": described(or_none(TEXT), "why there is none"),
}

COHERENCE = described(
    or_none(
        shape(
            {
                "rules": list_of(shape(RULE), "What each rule of [[redis.coherence]] has found"),
                "live": list_of(
                    shape(RULE | LIVE),
                    "The same of the user's own Redis, where a live database is recovered",
                ),
            }
        )
    ),
    "Keys of Redis against the restored rows; null: no rule was asked",
)
