"""Why a server ended in recovery: its own last words, what they mean, and what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from restore_drill.backups.physical.model import show_lsn
from restore_drill.core.errors import BackupFault, CouldNotRun, DrillError
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_moment
from restore_drill.recovery.evidence import Reading
from restore_drill.servers.binaries import Binaries


class Reason(NamedTuple):
    """A pattern of the server's words, what it means, and the cause of its remedy."""

    words: str
    what: str
    cause: str


REASONS = (
    Reason("requested recovery stop point is before consistent recovery point",
           "the target of the recovery lies before the end of the backup", "too_early"),
    Reason("could not locate (?:required|a valid) checkpoint record|could not find redo location"
           "|invalid (?:primary )?checkpoint",
           "the first WAL that the backup needs is missing: it cannot be recovered", "no_wal"),
    Reason("WAL ends before (?:end of online backup|consistent recovery point)",
           "the WAL ends before the end of the backup: it is not whole without the rest", "no_wal"),
    Reason("recovery target timeline .* does not exist|requested timeline .* is not a child|"
           "requested timeline .* does not contain|history of timeline",
           "the timeline that was asked for cannot be reached from this backup", "timeline"),
    Reason("has wrong size", "a file of the archived WAL is cut short", "wal_damaged"),
    Reason("WAL was generated with .*wal_level.*minimal",
           "the source wrote WAL that cannot be replayed: it ran with wal_level=minimal",
           "minimal"),
    Reason("is from different database system|database system identifier",
           "the WAL is another server's than the backup", "foreign"),
    Reason("incorrect checksum in control file|backup_label|invalid data in (?:history )?file",
           "the backup is damaged: no server starts from it", "damaged"),
    Reason("could not access status of transaction|invalid page|could not open (?:file|directory)"
           "|could not read|references to invalid pages|invalid magic|unexpected|could not access",
           "the backup is damaged: the server cannot recover it", "damaged"),
)  # fmt: skip
"""Faults of a backup."""
OUR_MEANS = (
    Reason("No space left on device", "the disk is full: the recovery was broken off", "disk"),
    Reason("Cannot allocate memory|could not (?:map|create) .*shared memory",
           "there is not enough memory to recover the backup", "memory"),
    Reason("lock file|could not create any Unix-domain sockets|could not create listen socket",
           "the server could not be started", "lost"),
    Reason("database files are incompatible with server",
           "no build here can open the backup's files: it was made by one with other options",
           "other_build"),
    Reason("not supported by (?:this )?build|not supported in this build|without support for",
           "no build here can read the backup's WAL: it lacks a compression", "other_build"),
)  # fmt: skip
"""What the backup is not to blame for."""


UNREACHED = "recovery ended before configured recovery target was reached"


class Unreached(BackupFault):
    """The WAL ends before the target; `reading` says where. `unreached` puts it in words."""

    def __init__(self, reading: Reading, checked: Sequence[str]) -> None:
        """Keep what the log says."""
        super().__init__("the WAL ends before the target of the recovery", checked=checked)
        self.reading = reading


def why_ended(reading: Reading, binaries: Binaries) -> DrillError:
    """The error for a server that has ended: by its last FATAL or PANIC."""
    words = [text for text in reading.fatal if "the database system is" not in text]
    told = words[-3:] or reading.complaints[-3:] or ["its log says no more"]
    checked = [f"{binaries.name}: {each}" for each in told] + how_far(reading)
    for reason in OUR_MEANS:
        if any(re.search(reason.words, each) for each in told):
            remedy = remedy_for("recovering", reason.cause, major=binaries.major)
            return CouldNotRun(reason.what, checked=checked, remedy=remedy)
    if any(UNREACHED in each for each in told):
        return Unreached(reading, checked)
    for reason in REASONS:
        if any(re.search(reason.words, each) for each in told):
            remedy = remedy_for("recovery", reason.cause)
            return BackupFault(reason.what, checked=checked, remedy=remedy)
    if not words:
        return CouldNotRun(
            f"{binaries.name} ended while it recovered the backup, and did not say why",
            checked=checked,
            remedy=remedy_for("recovering", "lost"),
        )
    what = "the server cannot recover the backup"
    return BackupFault(what, checked=checked, remedy=remedy_for("recovery", "damaged"))


def how_far(reading: Reading) -> list[str]:
    """How far it came, in words."""
    lines = []
    if reading.redo_to is not None:
        lines.append(f"WAL was replayed up to {show_lsn(reading.redo_to)}")
    elif reading.redo_from is not None:
        lines.append(f"WAL was replayed from {show_lsn(reading.redo_from)} on")
    if reading.last_at is not None:
        lines.append(f"the last transaction in it ended at {show_moment(reading.last_at)}")
    lines += [f"while it read WAL: {each}" for each in reading.complaints[-2:]]
    return lines
