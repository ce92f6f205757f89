"""Folders that a server must have, and that are empty in most backups: some copies lack them.

A bucket keeps no empty folder, and neither do some tools that copy. PostgreSQL then does not start:
`could not open directory "pg_notify"`. Nothing is lost: what lay in one a manifest knows of.
"""

from __future__ import annotations

from restore_drill.core.units import some
from restore_drill.recovery.copies.work import Work

MAY_BE_EMPTY = (
    "pg_commit_ts", "pg_dynshmem", "pg_logical", "pg_logical/mappings", "pg_logical/snapshots",
    "pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat", "pg_stat_tmp",
    "pg_subtrans", "pg_tblspc", "pg_twophase",
)  # fmt: skip
"""Of what initdb makes, those that pg_basebackup may write without a file in them."""
SHOWN = 3


def make_missing(work: Work) -> None:
    """Make in a copy the folders that it lacks, with a warning."""
    missing = [each for each in MAY_BE_EMPTY if not (work.data / each).is_dir()]
    for each in missing:
        work.make_folder(work.data / each)
    if missing:
        work.warnings.append(
            f"the backup lacks empty folders ({some(missing, SHOWN)}), as buckets keep none:"
            " PostgreSQL does not start without them. The drill has made them; after a recovery by"
            f" hand: mkdir -m 700 {' '.join(missing)}"
        )
