"""The parts of result.json that make it evidence, see `evidence.py`."""

from __future__ import annotations

from restore_drill.results.schema_words import (
    FLAG,
    SHA256,
    TEXT,
    TIME,
    WHOLE,
    described,
    list_of,
    or_none,
    shape,
)

MACHINE = shape(
    {
        "host": or_none(TEXT),
        "user": described(TEXT, "the account that drilled"),
        "os": TEXT,
        "kernel": TEXT,
        "architecture": TEXT,
        "cpu": or_none(TEXT),
        "cores": or_none(WHOLE),
        "memory_bytes": WHOLE,
    },
    "The machine that drilled",
)

VERSIONS = shape(
    {
        "python": TEXT,
        "psycopg": TEXT,
        "source": described(or_none(TEXT), "PostgreSQL that was dumped"),
        "source_pg_dump": described(or_none(TEXT), "pg_dump that wrote the backup"),
        "target": described(or_none(TEXT), "PostgreSQL that it was restored into"),
        "pg_dump": described(or_none(TEXT), "pg_dump and pg_restore that the drill ran"),
        "redis": or_none(TEXT),
    },
    "Versions of what took part",
)

CANDIDATES = shape(
    {
        "total": WHOLE,
        "newest": list_of(
            shape(
                {
                    "name": TEXT,
                    "format": or_none(TEXT),
                    "bytes": WHOLE,
                    "taken_at": TIME,
                    "chosen": FLAG,
                    "why_not": or_none(TEXT),
                }
            )
        ),
    },
    "What the backup was chosen from: how many there were, and the newest 100",
)

WHICH = {"database": or_none(TEXT), "system_identifier": or_none(TEXT)}
IDENTITY = shape(
    {
        "source": described(or_none(shape(WHICH)), "the database that was dumped"),
        "target": described(
            or_none(shape({"kind": TEXT, **WHICH, "oid": or_none(WHOLE)})),
            "the database that was verified",
        ),
    },
)

DIGEST = or_none(
    shape({"path": TEXT, "sha256": or_none(SHA256)}, also={"why": TEXT, "directory": FLAG})
)
DIGESTS = shape(
    dict.fromkeys(("backup", "criteria", "reference", "report"), DIGEST),
    "SHA-256 of files; of a directory that of the lines `name NUL sha256 LF`, sorted by name; "
    "`why` says why there is none",
)
