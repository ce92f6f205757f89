"""Why pg_dump failed, from what it writes: each cause has a remedy of its own."""

from __future__ import annotations

import pytest

from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_lines import safe_lines
from restore_drill.manifest.dump_causes import cause_in, dump_remedy

TABLE_A = 'pg_dump: error: Dumping the contents of table "a" failed: '
FROM_SERVER = "pg_dump: detail: Error message from server: "
COPY_A = "pg_dump: detail: Command was: COPY public.a (x, y) TO stdout;"
FAILED = "pg_dump: error: query failed: "
LOCK_A = "pg_dump: detail: Query was: LOCK TABLE public.a IN ACCESS SHARE MODE"
LARGE_OBJECT = "pg_dump: error: could not open large object 60606: "
CONNECTION = 'pg_dump: error: connection to server at "10.0.0.1", port 5432 failed: '
SEEN = {
    "no_right": [f"{FAILED}ERROR:  permission denied for table a", LOCK_A],
    "row_security": [
        f'{FAILED}ERROR:  query would be affected by row-level security policy for table "a"',
        "pg_dump: detail: Query was: COPY public.a (x) TO stdout;",
    ],
    "large_objects": [
        f"{LARGE_OBJECT}ERROR:  permission denied for large object 60606",
    ],
    "too_many": [f'{CONNECTION}FATAL:  too many connections for role "app"'],
    "being_changed": [f"{FAILED}ERROR:  canceling statement due to statement timeout", LOCK_A],
    "cancelled": [
        f"{TABLE_A}PQgetResult() failed.",
        f"{FROM_SERVER}ERROR:  canceling statement due to statement timeout",
        COPY_A,
    ],
    "disk_full": [
        "pg_dump: error: could not write to output file: No space left on device",
        "pg_dump: terminated by user",
    ],
    "server_full": [
        f'{FAILED}ERROR:  could not write to file "base/pgsql_tmp/1": No space left on device',
    ],
    "damaged": [
        f"{TABLE_A}PQgetResult() failed.",
        f"{FROM_SERVER}ERROR:  invalid page in block 3 of relation base/16402/16403",
        COPY_A,
    ],
    "few_locks": [
        f"{FAILED}ERROR:  out of shared memory",
        "HINT:  You might need to increase max_locks_per_transaction.",
        LOCK_A,
    ],
    "no_connection": [
        f"{TABLE_A}PQgetCopyData() failed.",
        f"{FROM_SERVER}server closed the connection unexpectedly",
        "\tThis probably means the server terminated abnormally",
        COPY_A,
    ],
    "version": [
        "pg_dump: error: server version: 15.20; pg_dump version: 14.23",
        "pg_dump: error: aborting because of server version mismatch",
    ],
    "memory": ["pg_dump: error: out of memory"],
    "unknown": ["pg_dump: error: something that nobody has seen"],
}  # fmt: skip
"""What pg_dump 15 wrote on the real thing, by cause."""


@pytest.mark.parametrize("cause", SEEN)
def test_each_cause_is_known_by_what_pg_dump_writes(cause: str) -> None:
    """Also once all that may be row data has been taken out."""
    lines = safe_lines(SEEN[cause])

    assert cause_in(lines) == cause
    assert dump_remedy(lines) == remedy_for("pg_dump", cause)


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ('could not open file "base/16402/16408": No such file or directory', "damaged"),
        ('could not open file "/etc/x": Permission denied', "unknown"),
        ('could not obtain lock on relation "public.a"', "being_changed"),
        ('relation "public.a" does not exist', "being_changed"),
        ("terminating connection due to administrator command", "no_connection"),
        ("remaining connection slots are reserved for roles", "unknown"),
    ],
)
def test_what_the_server_says_while_a_table_is_read(said: str, cause: str) -> None:
    """A missing file of a table is damage; a table that was dropped meanwhile is a change."""
    lines = safe_lines([f"{TABLE_A}PQgetResult() failed.", f"{FROM_SERVER}ERROR:  {said}", COPY_A])

    assert cause_in(lines) == cause
