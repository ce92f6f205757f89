"""The JSON Schema of fleet.json, as docs/fleet-result.schema.json publishes it."""

from __future__ import annotations

from restore_drill.fleet.report.outcome import STATES
from restore_drill.fleet.report.plain import SCHEMA
from restore_drill.results.schema_words import (
    FLAG,
    NUMBER,
    TEXT,
    TIME,
    WHOLE,
    Schema,
    described,
    list_of,
    map_of,
    or_none,
    shape,
)

VERDICTS = ("passed", "failed", "could-not-run", "incomplete", "not-due")
COUNT = {"type": "integer", "minimum": 0}

DATABASE = shape(
    {
        "name": described(TEXT, "as the inventory has it"),
        "owner": described(TEXT, "empty where the inventory names none"),
        "labels": map_of(TEXT),
        "state": described({"enum": list(STATES)}, "warnings: it passed, and there is a warning"),
        "still_failed": described(FLAG, "It failed in its last drill, and no new one was due"),
        "exit_code": described(
            or_none(WHOLE), "Of its last try; null: none, or its worker is lost"
        ),
        "why": described(or_none(TEXT), "The first problem or warning, or why it was not begun"),
        "tries": described(COUNT, "How often it was begun"),
        "worker": described(or_none(TEXT), "That of the last try"),
        "seconds": described(or_none(NUMBER), "That the last try took, all in all"),
        "started_at": described(
            or_none(TIME), "When the drill began; if none was due, the last one, as all measures"
        ),
        "backup": described(or_none(TEXT), "Name of the backup that was drilled"),
        "bytes": described(or_none(WHOLE), "Size of the backup"),
        "backup_age_seconds": or_none(NUMBER),
        "data_age_seconds": described(or_none(NUMBER), "Age of the newest data in it (RPO)"),
        "restore_seconds": or_none(NUMBER),
        "total_seconds": or_none(NUMBER),
        "rows": described(or_none(WHOLE), "Of all tables that were restored"),
        "strength": or_none({"enum": ["proven", "plausible"]}),
        "findings": described(COUNT, "Criteria that did not hold"),
        "warnings": COUNT,
        "not_recorded": described(or_none(TEXT), "Why the drill is not in the history"),
        "not_checked": COUNT,
        "reports": described(or_none(TEXT), "Folder with report.html, junit.xml and result.json"),
    }
)


def fleet_schema() -> Schema:
    """JSON Schema (2020-12) of fleet.json; later releases may add properties."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"fleet.json of restore-drill, schema {SCHEMA}",
    }
    return head | shape(
        {
            "schema": {"const": SCHEMA},
            "verdict": described({"enum": list(VERDICTS)}, "not-due: there was nothing to drill"),
            "exit_code": WHOLE,
            "started_at": TIME,
            "ended_at": TIME,
            "interrupted": FLAG,
            "inventory": described(TEXT, "File or folder that names the databases"),
            "counts": map_of(COUNT, "Databases by state; none that has no database"),
            "databases": list_of(DATABASE, "Each that the run was over, the worst first"),
            "undecided": list_of(TEXT, "Databases that were discovered, and that nobody has named"),
            "tool": shape({"name": TEXT, "version": TEXT}),
        }
    )
