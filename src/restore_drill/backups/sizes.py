"""How much a backup is once it is unpacked, as far as that is known before it is read."""

from __future__ import annotations

from restore_drill.backups.model import Backup
from restore_drill.backups.sealed import is_packed

PACKED = 4
"""Bytes of SQL a byte of a compressed backup, about: 2.6 were measured for a shop that is full of
random text (gzip, zstd and custom archives alike), ordinary text takes less room."""


def sql_bytes(backup: Backup) -> int:
    """Bytes of SQL in `backup`, estimated where it is compressed: it is not read for this.

    Of a physical one, those of its files and WAL.
    """
    if backup.physical:
        return backup.physical.size + backup.physical.wal_size
    is_smaller = is_packed(backup.compression) or backup.format in ("custom", "directory")
    return backup.size * (PACKED if is_smaller or backup.sealed else 1)
