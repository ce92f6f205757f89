"""Free space of a server's disk, where the server runs on this machine and its role may see it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import psycopg

WHERE = """
    SELECT pg_catalog.current_setting('data_directory'),
        extract(epoch FROM pg_catalog.pg_postmaster_start_time())::bigint
"""
SLACK = 5
"""Seconds from the start of its first process until the server calls itself started."""


def free_bytes(connection: psycopg.Connection[Any]) -> int | None:
    """Free bytes of the disk with the server's data directory; None where that cannot be seen.

    Another server's directory may have the same path here, as with a container: the file
    postmaster.pid has to name the time at which the connected one was started.
    """
    try:
        row = connection.execute(WHERE).fetchone()
        assert row is not None
        directory, started = Path(row[0]), int(row[1])
        lines = (directory / "postmaster.pid").read_text(errors="replace").splitlines()
        if abs(int(lines[2]) - started) > SLACK:
            return None
        return shutil.disk_usage(directory).free
    except (psycopg.errors.InsufficientPrivilege, OSError, ValueError, IndexError):
        return None
