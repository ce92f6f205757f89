"""The restored backup of Redis stays up: the same data, by its private socket, ended by `clean`."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from restore_drill.keep.kept import Kept
from restore_drill.keep.redis import keep_redis
from restore_drill.redis.backup.restore import open_backup, restore
from restore_drill.redis.folders import clean_left_over_redis
from tests.helpers.drills import run_drill
from tests.helpers.engine import require_engine
from tests.helpers.keeping import PATIENCE, answer, awaited, command, kept_in
from tests.helpers.redis_backups import appended, backup_at, lay_out, saved
from tests.keep.test_redis import servers_in

KEYS = 205


def keep(path: Path, seconds: float) -> Kept:
    """The server that has loaded the backup at `path`, kept for so many seconds."""
    with ExitStack() as stack:
        found = restore(open_backup(backup_at(path), print, stack), stack)
        assert found.server.throwaway is not None
        return keep_redis(found.server, found.server.throwaway, seconds, "Redis with x", 0.1)


@pytest.mark.parametrize("kind", ["RDB", "AOF"])
def test_a_kept_backup_holds_what_was_restored(kind: str, place: Path, tmp_path: Path) -> None:
    """All keys, also once the file it came from is gone; nothing is left of it afterwards."""
    content = saved("Valkey") if kind == "RDB" else appended("Valkey")
    path = lay_out(content, tmp_path / "redis")
    found = keep(path, 60)
    assert found.run.parent == place and kept_in(place)
    assert "REDISCLI_AUTH" not in found.command
    assert answer(f"{found.command} HGET card:7 price") == "7"
    assert answer(f"{found.command} DBSIZE") == str(KEYS + (52 if kind == "AOF" else 0))
    assert found.run.stat().st_mode & 0o077 == 0
    assert clean_left_over_redis() == []
    assert found.end()
    assert not found.run.exists() and servers_in(found.run) == []
    assert path.exists()


def test_it_ends_with_its_keeper(place: Path, tmp_path: Path) -> None:
    """However that ends; the folder is a left-over for the next drill."""
    found = keep(lay_out(saved("Redis"), tmp_path / "dump.rdb"), 60)
    os.kill(found.keeper.pid, signal.SIGKILL)
    found.keeper.wait(PATIENCE)
    assert awaited(lambda: servers_in(found.run) == [])
    assert f"removed {found.run}" in "".join(clean_left_over_redis())
    assert list(place.glob("restore-drill-*")) == []


def test_a_drill_keeps_it_for_the_shell(place: Path, report_dir: Path, tmp_path: Path) -> None:
    """`--keep always`: `shell redis` opens the restored one, and none of the drill's own."""
    path = lay_out(saved("Redis"), tmp_path / "dump.rdb")
    drill = run_drill(
        "-k", "redis", "--keep=always", f"--redis-backup={path}", report_dir=report_dir
    )
    try:
        assert drill.code == 0, drill.output
        assert "The restored Redis stays up for 4 h: Redis with dump.rdb, until" in drill.output
        assert "The drill's Redis" not in drill.output and len(kept_in(place)) == 1
        (line,) = [each for each in drill.output.splitlines() if "redis.sock" in each]
        assert answer(f"{line.removeprefix('· ')} GET session:1") == "long"
        assert command("shell", "redis", "DBSIZE").stdout == f"{KEYS}\n"
    finally:
        cleaned = command("clean").stdout
    assert "ended the kept server of Redis with dump.rdb" in cleaned
    assert list(place.glob("restore-drill-*")) == []


def test_one_in_a_container_is_kept_too(place: Path, report_dir: Path, tmp_path: Path) -> None:
    """By its port, with a password in a private file; what the drill had unpacked is gone."""
    engine = require_engine()
    path = lay_out(saved("Redis"), tmp_path / "dump.rdb")
    drill = run_drill(
        "-k", "redis_backup", "--keep=always", f"--redis-backup={path}", "--target=container",
        f"--redis-image={engine.redis_image}", f"--backup={lay_out(b'-- x', tmp_path / 'x.sql')}",
        report_dir=report_dir,
    )  # fmt: skip
    assert drill.code == 0, drill.output
    (found,) = kept_in(place)
    assert list(place.glob("restore-drill-redis-*")) == [found.run]
    assert answer(f"{found.command} HGET card:7 price") == "7"
    assert command("shell", "redis", "DBSIZE").stdout == f"{KEYS}\n"
    assert found.end() and list(place.glob("restore-drill-*")) == []


def test_a_failed_drill_keeps_it(place: Path, report_dir: Path, tmp_path: Path) -> None:
    """With `--keep on-failure`, where its keys are not those that there must be."""
    path = lay_out(saved("Redis"), tmp_path / "dump.rdb")
    criteria = tmp_path / "criteria.toml"
    criteria.write_text('[redis.keys."card:*"]\nmin = 101\n')
    drill = run_drill(
        "-k", "redis_backup", "--keep=on-failure", f"--redis-backup={path}",
        f"--criteria={criteria}", report_dir=report_dir,
    )  # fmt: skip
    assert drill.code == 1 and list(drill.failed) == ["test_redis_backup_has_its_keys[card:*]"]
    (found,) = kept_in(place)
    assert answer(f"{found.command} HLEN card:1") == "2"
    assert found.end()
