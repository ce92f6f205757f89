"""Why a dump of a live database failed: the cause, as the catalogue of remedies has it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_lines import names_damage

CAUSES = (
    (r"row-level security", "row_security"),
    (r"large object \d+", "large_objects"),
    (r"SQLSTATE 42501|permission denied for", "no_right"),
    (r"version mismatch", "version"),
    (r"SQLSTATE 53100", "server_full"),
    (r"No space left|[Qq]uota exceeded|File too large", "disk_full"),
    (r"out of shared memory", "few_locks"),
    (r"out of memory|SQLSTATE 53200|ended by signal 9\b", "memory"),
    (r"SQLSTATE 53300|too many (?:connections|clients)|connection slots", "too_many"),
    # pg_dump waits for its locks by a statement timeout.
    (r"LOCK TABLE|SQLSTATE 55P03|SQLSTATE 42P01|cache lookup failed|deadlock", "being_changed"),
    (r"SQLSTATE 57014", "cancelled"),
    (
        (
            r"SQLSTATE (?:57P|08)|connection to server|closed the connection|SSL "
            r"|terminating connection|no connection to|could not (?:connect|receive|send|translate)"
        ),
        "no_connection",
    ),
)
"""What the lines on the failure say, and the cause; the first that is found counts."""


def dump_remedy(lines: Iterable[str]) -> list[str]:
    """What to do about a dump that failed with these `lines`, which hold no row data."""
    return remedy_for("pg_dump", cause_in(list(lines)))


def cause_in(lines: list[str]) -> str:
    """Cause that `lines` of pg_dump, or of a session beside it, name."""
    if names_damage(lines):
        return "damaged"
    text = " ".join(lines)
    return next((cause for words, cause in CAUSES if re.search(words, text)), "unknown")
