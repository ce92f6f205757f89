"""The JSON Schema of result.json, as docs/result.schema.json publishes it."""

from __future__ import annotations

from restore_drill.results.schema_coherence import COHERENCE
from restore_drill.results.schema_evidence import CANDIDATES, DIGESTS, IDENTITY, MACHINE, VERSIONS
from restore_drill.results.schema_recovery import RECOVERY
from restore_drill.results.schema_redis import REDIS_BACKUP
from restore_drill.results.schema_watch import BYPASS, HISTORY, PICKED
from restore_drill.results.schema_words import (
    FLAG,
    NUMBER,
    SHA256,
    TEXT,
    TIME,
    WHOLE,
    Schema,
    described,
    list_of,
    map_of,
    or_none,
    shape,
    with_more,
)

VERDICTS = ("passed", "failed", "could-not-run", "incomplete", "sample")
OUTCOMES = ("passed", "failed", "error", "waived", "skipped")

TRANSFER = shape({"bytes": WHOLE, "seconds": NUMBER, "from_cache": FLAG})

BACKUP = with_more(
    shape(
        {
            "path": TEXT,
            "format": TEXT,
            "bytes": WHOLE,
            "sha256": or_none(SHA256),
            "taken_at": TIME,
            "age_seconds": NUMBER,
            "source_version": TEXT,
            "dumped_by": TEXT,
        },
        also={
            "version": described(or_none(TEXT), "of the object or file at its place: an ETag"),
            "stamp": described(or_none(TEXT), "digest of names, sizes and times of its files"),
            "checksum": described(or_none(TEXT), "what its place says of its bytes"),
            "transfer": described(or_none(TRANSFER), "how it came here from another machine"),
            "directory": described(FLAG, "whether it is one, of many files"),
            "taken_at_source": described(TEXT, "what says when it was taken"),
            "database": TEXT,
            "encoding": TEXT,
            "manifest": or_none(TEXT),
            "series": described(or_none(TEXT), "backups that differ by their time alone"),
            "name": described(TEXT, "with the folders below the place of the backups"),
            "picked": or_none(PICKED),
        },
    )
)

TARGET = with_more(
    shape(
        {"kind": {"enum": ["embedded", "container", "database"]}, "server_version": TEXT},
        also={
            "description": TEXT,
            "isolated": or_none(FLAG),
            "way": {"enum": ["beside", "promote", "in-place"]},
            "database": TEXT,
            "live_database": TEXT,
        },
    )
)

CHECK = shape(
    {
        "id": TEXT,
        "outcome": {"enum": list(OUTCOMES)},
        "message": TEXT,
        "seconds": NUMBER,
        "sentence": described(TEXT, "what it proves"),
        "stage": TEXT,
        "budget": {"enum": ["", "time", "age", "schedule"]},
    },
    also={
        "queries": list_of(TEXT, "SQL that finds the rows, one for each constraint"),
        "waiver": shape({"reason": TEXT, "expires": TEXT}),
        "count": described(WHOLE, "tables that one item asked about, all with this outcome"),
    },
)

BYTES = described(or_none(WHOLE), "of table, indexes and TOAST; null: partitioned, or not known")
TABLE = shape(
    {"rows": or_none(WHOLE), "expected": TEXT, "ok": FLAG},
    also={"bytes": BYTES, "partitioned": FLAG},
)
FACT = with_more(shape({"value": {}, "expected": TEXT, "ok": FLAG, "description": TEXT}))
STAGE = shape({"name": TEXT, "started": NUMBER, "seconds": NUMBER})
COUNTS = shape(
    dict.fromkeys(("criteria", *OUTCOMES, "not_run", "deselected"), WHOLE),
    "Criteria by outcome; criteria is how many were selected",
)
OPEN = or_none(with_more({"type": "object"}))

RESULT = {
    "schema": {"const": 2},
    "verdict": {"enum": list(VERDICTS)},
    "reasons": list_of(TEXT, "Why the drill ended early"),
    "started_at": TIME,
    "sample": described(FLAG, "Whether the sample shop was drilled, and no backup of anyone's"),
    "selection": described(TEXT, "What narrowed the drill; empty for a complete one"),
    "run_of": list_of(TEXT, "Series that the same run drilled, each by itself; none for one alone"),
    "series": described(or_none(TEXT), "Series that was to be drilled; null: a backup was found"),
    "run_folder": described(or_none(TEXT), "Folder of this run; null: none could be made"),
    "backup": or_none(BACKUP),
    "target": or_none(TARGET),
    "snapshot": described(OPEN, "The safety snapshot of a live database, and what became of it"),
    "promotion": described(OPEN, "Whether the restored database took the live one's name"),
    "recovery": RECOVERY,
    "timings": map_of(or_none(NUMBER), "Seconds by stage, and in total; null: it did not run"),
    "stages": list_of(STAGE, "Begin and duration of each stage, in seconds since the start"),
    "tables": map_of(TABLE, "Rows and bytes by table, against what was expected"),
    "facts": map_of(FACT, "Business facts and ages of rows"),
    "redis": OPEN,
    "redis_backup": REDIS_BACKUP,
    "coherence": COHERENCE,
    "counts": COUNTS,
    "checks": list_of(CHECK, "Every criterion that came to an outcome"),
    "proof": list_of(with_more(shape({"damage": TEXT, "what": TEXT, "noticed_by": list_of(TEXT)}))),
    "basis": described(or_none(TEXT), "What the restored data was measured against"),
    "strength": or_none({"enum": ["proven", "plausible"]}),
    "drift": described(OPEN, "What the source has lost since the last passed drill"),
    "bypass": described(or_none(BYPASS), "That drills of this backup were to be skipped"),
    "history": described(or_none(HISTORY), "Where the history of drills ended before this one"),
    "budgets": map_of(or_none(NUMBER), "Seconds allowed; null: no limit"),
    "rows_read": described(FLAG, "Whether a criterion that reads restored rows has passed"),
    "warnings": list_of(TEXT),
    "not_checked": list_of(shape({"what": TEXT, "why": TEXT}, also={"criteria": WHOLE})),
    "notes": list_of(TEXT),
    "tool": shape({"name": TEXT, "version": TEXT}),
    "machine": MACHINE,
    "versions": VERSIONS,
    "candidates": or_none(CANDIDATES),
    "identity": IDENTITY,
    "digests": DIGESTS,
}


def result_schema() -> Schema:
    """JSON Schema (2020-12) of result.json; later releases may add properties."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "result.json of restore-drill, schema 2",
    }
    return head | shape(RESULT)
