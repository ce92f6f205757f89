"""A backup and an empty database to restore it into."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from restore_drill.backups.formats import recognise
from restore_drill.backups.model import Backup
from restore_drill.backups.read import read_contents
from restore_drill.restore.plain import restore_plain
from restore_drill.servers.model import Target
from tests.helpers.shop import Shops, quiet

NUMBER = count()


def backup_of(path: Path) -> Backup:
    """The dump at `path` as a backup."""
    kind = recognise(path)
    assert kind.format, kind.unrecognised
    return Backup(path, kind.format, kind.compression, path.stat().st_size, datetime.now(UTC), "")


def new_database(shops: Shops, major: int, schema: Path | None, encoding: str) -> Target:
    """Empty database on the server of `major`, or one with the dump `schema` in it."""
    shops.source(major)
    name = f"way_{secrets.token_hex(4)}"  # other modules make some here too
    target = shops.servers[major].create_database(name, encoding=encoding)
    if schema:
        backup = backup_of(schema)
        done = restore_plain(target, backup, read_contents(backup, schema.parent, quiet), quiet)
        assert not done.errors
    return target
