"""Commands in append-only files that reach beyond the server which loads them: none is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.redis.protocol import command
from tests.helpers.redis_backups import FAMILIES, restored, writer

OLD = command(b"SELECT", b"0") + command(b"SET", b"name:7", b"of the backup")


def file_with(tmp_path: Path, *more: bytes) -> Path:
    """An append-only file with a key of a live server, and more commands."""
    path = tmp_path / "appendonly.aof"
    path.write_bytes(OLD + b"".join(more) + command(b"SET", b"last", b"1"))
    return path


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_live_redis_is_not_written_to(family: str, tmp_path: Path) -> None:
    """MIGRATE in a file would put its key over the live one, by itself or in a script."""
    with writer(family) as (live, _):
        words = (b"127.0.0.1", b"%d" % live.port, b"name:7", b"0", b"1000", b"COPY", b"REPLACE")
        path = file_with(tmp_path, command(b"MIGRATE", *words))
        with pytest.raises(BackupFault, match="the command MIGRATE"), restored(path):
            pass
        call = b"return redis.pcall('MIGRATE', unpack(ARGV))"
        path = file_with(tmp_path, command(b"EVAL", call, b"0", *words))
        with pytest.raises((BackupFault, CouldNotRun)), restored(path):  # it crashes some servers
            pass
        assert live.admin.get("name:7") == "x" * 7


def test_a_live_redis_does_not_stand_in_for_the_backup(tmp_path: Path) -> None:
    """REPLICAOF in a file would have its keys instead."""
    with writer("Redis") as (live, _):
        path = file_with(tmp_path, command(b"REPLICAOF", b"127.0.0.1", b"%d" % live.port))
        with pytest.raises(BackupFault, match="the command REPLICAOF"), restored(path):
            pass


def test_commands_of_a_module_are_no_damage(tmp_path: Path) -> None:
    """The server lacks it; the file is whole."""
    path = file_with(tmp_path, command(b"JSON.SET", b"doc", b"$", b"{}"))
    with pytest.raises(CouldNotRun, match=r"needs a module for JSON\.SET"), restored(path):
        pass
