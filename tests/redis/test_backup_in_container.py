"""A backup of Redis, loaded in a container: for `--target container` with `--redis-image`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.redis.backup.outcome import why_not_whole
from restore_drill.redis.backup.restore import open_backup, restore
from restore_drill.servers.engine import engine_client
from tests.helpers.containers import ours
from tests.helpers.drills import run_drill
from tests.helpers.engine import require_engine
from tests.helpers.redis_backups import appended, backup_at, fill_shop, lay_out, saved

KEYS = 206


@pytest.mark.parametrize("kind", ["RDB", "AOF"])
def test_it_is_loaded_whole_and_gone(kind: str, tmp_path: Path) -> None:
    """Each kind; by the server's own account too, and no container is left."""
    image = require_engine().redis_image
    content = saved("Redis") if kind == "RDB" else appended("Redis")
    path = lay_out(content, tmp_path / "redis")
    with engine_client() as client:
        before = ours(client)
        with ExitStack() as stack:
            found = restore(open_backup(backup_at(path), print, stack), stack, image)
            assert found.keys == KEYS + (52 if kind == "AOF" else 0)
            assert why_not_whole(found) == "" and found.version.startswith("Redis ")
            assert kind == "AOF" or found.loaded == KEYS
            assert found.server.client.execute_command("DEBUG", "DIGEST")  # type: ignore[no-untyped-call]
            assert len(ours(client)) == len(before) + 1
        assert ours(client) == before


def test_what_its_server_does_not_read_could_not_run(tmp_path: Path) -> None:
    """A newer version; commands that reach beyond the server are red, as without a container."""
    image = require_engine().redis_image
    path = lay_out(saved("Valkey", fill_shop), tmp_path / "dump.rdb")
    with ExitStack() as stack, pytest.raises(CouldNotRun, match="no server here can load"):
        restore(open_backup(backup_at(path), print, stack), stack, image)
    files = appended("Redis")
    name = next(name for name in files if ".incr." in name)
    files = files | {
        name: files[name] + b"*3\r\n$9\r\nREPLICAOF\r\n$8\r\n10.0.0.1\r\n$4\r\n6379\r\n"
    }
    path = lay_out(files, tmp_path / "aof")
    with engine_client() as client, ExitStack() as stack:
        before, opened = ours(client), open_backup(backup_at(path), print, stack)
        with pytest.raises(BackupFault, match="contain the command REPLICAOF"):
            restore(opened, stack, image)
        assert ours(client) == before


def test_a_drill_with_a_container(tmp_path: Path) -> None:
    """Green, and it says where it was loaded."""
    image = require_engine().redis_image
    path = lay_out(saved("Redis"), tmp_path / "dump.rdb")
    done = run_drill(
        "-k", "redis_backup", "--target=container", f"--redis-image={image}",
        f"--redis-backup={path}", "--backup", str(lay_out(b"-- x\n", tmp_path / "x.sql")),
        report_dir=tmp_path / "report",
    )  # fmt: skip
    assert done.code == 0, done.output
    assert f"in a container of {image}" in done.output
