"""Why a base backup failed: the cause, as the catalogue of remedies has it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from restore_drill.core.remedies import remedy_for
from restore_drill.manifest.dump_causes import dump_remedy

CAUSES = (
    (r"no pg_hba\.conf entry", "no_way"),
    (r"REPLICATION attribute|replication role|permission denied to start WAL", "no_right"),
    (r"max_wal_senders", "senders"),
    (r"replication slots are in use|max_replication_slots", "slots"),
    (r"WAL level not sufficient|wal_level", "wal_level"),
    (r"summariz|WAL summar", "summaries"),
    (r"has already been removed", "wal_gone"),
    (r"No space left|[Qq]uota exceeded|File too large", "disk_full"),
    (r"checksum", "checksums"),
)
"""What pg_basebackup says, and the cause; the first that is found counts."""


def remedy_of(lines: Sequence[str]) -> list[str]:
    """What to do about a base backup that failed with these `lines`."""
    text = " ".join(lines)
    cause = next((cause for words, cause in CAUSES if re.search(words, text)), "")
    return remedy_for("pg_basebackup", cause) if cause else dump_remedy(lines)
