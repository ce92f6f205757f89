"""A server that went away in the middle: our means failing, with the likely reason."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.core.units import show_bytes
from restore_drill.servers.model import Target

LITTLE = 100_000_000
"""Free bytes below which a lost server is most likely one whose disk is full."""


@contextmanager
def explained_when_lost(target: Target, doing: str) -> Iterator[None]:
    """Turn a lost connection to `target` into CouldNotRun that says what it was doing.

    Where we have ended the server ourselves, whatever came of that is reported as that.
    """
    try:
        yield
    except (psycopg.Error, CouldNotRun) as error:
        if ended := target.why_ended():
            raise ended from None
        if not isinstance(error, psycopg.OperationalError):
            raise
        reason = error_text(error)
        free = free_space(target)
        full = free is not None and free < LITTLE
        raise CouldNotRun(
            f"{doing} stopped: the connection to {target.description} was lost"
            + (", its disk is full" if full else ""),
            checked=[reason] + ([f"{show_bytes(free)} free at the server"] if free else []),
            remedy=remedy_for("target", "lost_disk_full" if full else "lost"),
        ) from None
    if ended := target.why_ended():
        raise ended


def free_space(target: Target) -> int | None:
    """Free bytes where an embedded server keeps its data, None for a server elsewhere."""
    folder = Path(target.conninfo.get("host", ""))
    if target.kind != "embedded" or not folder.is_dir():
        return None
    return shutil.disk_usage(folder).free
