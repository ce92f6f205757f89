"""What makes a live database the one it was: taken before a drill, and proved after a rollback."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.facts.reading import Reading
from restore_drill.facts.recorded import Fingerprint
from restore_drill.facts.session import open_session
from restore_drill.manifest.settle import compare_by_dump
from restore_drill.servers.model import Target

__all__ = ["Fingerprint", "differences", "read_fingerprint"]


def read_fingerprint(target: Target, jobs: int, progress: Callable[[str], None]) -> Fingerprint:
    """Read all of the database once; CouldNotRun where anything cannot be read."""
    try:
        with Reading(lambda: open_session(target), jobs) as reading:
            fingerprint = reading.read(progress)
    except psycopg.Error as error:
        raise unreadable(target, [error_text(error)]) from None
    if fingerprint.unread:
        raise unreadable(target, fingerprint.unread)
    return fingerprint


def unreadable(target: Target, reasons: list[str]) -> CouldNotRun:
    """Tell that the database could not be read through."""
    return CouldNotRun(
        f"{target.description} could not be read through",
        checked=reasons[:5],
        remedy=remedy_for("backup", "unreadable_tables"),
    )


def differences(before: Fingerprint, after: Fingerprint, target: Target) -> list[str]:
    """What differs between two fingerprints, object by object; empty where they are equal.

    `target` is the database that is `after`: its pg_dump decides about definitions that differ.
    """
    return compare_by_dump(before, after, target).lines
