"""The part `recovery` of result.json: what a physical backup was recovered to, and the proof."""

from __future__ import annotations

from restore_drill.results.schema_words import (
    FLAG,
    NUMBER,
    TEXT,
    TIME,
    WHOLE,
    described,
    list_of,
    map_of,
    or_none,
    shape,
    with_more,
)

SIDE = or_none(shape({"xid": or_none(WHOLE), "at": or_none(TIME)}))
PART = shape({"name": TEXT, "seconds": NUMBER, "bytes": WHOLE})

RECOVERY = described(
    or_none(
        with_more(
            shape(
                {
                    "goal": described(TEXT, "where recovery was to end: latest, or a target"),
                    "reached": described(FLAG, "whether it is proved that it ended there"),
                    "last_in": described(SIDE, "the last transaction that is in the copy"),
                    "first_out": described(SIDE, "the first one that is not"),
                    "end_lsn": or_none(TEXT),
                    "timeline": or_none(WHOLE),
                    "system_identifier": TEXT,
                    "fetched": described(WHOLE, "files of WAL that came from the archive"),
                    "parts": list_of(PART, "What the time of the recovery went into"),
                    "databases": map_of(WHOLE, "Databases of the server, with their oids"),
                    "database": described(TEXT, "the one that the criteria are about"),
                }
            )
        )
    ),
    "Recovery of a physical backup; null for a dump",
)
