"""What doctor and the plan of a drill say of the backup of Redis: which one, and what it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore_drill.core.calling import COMMAND
from restore_drill.doctor.examine import Checkup
from restore_drill.doctor.lines import lines_of
from restore_drill.redis.backup import server, tools
from tests.doctor.test_doctor import check_up, nothing_set, texts  # noqa: F401 - a fixture too
from tests.helpers.drills import run_drill
from tests.helpers.redis_backups import appended, lay_out, saved

NAME = "redis_backup"


def checked(folder: Path, monkeypatch: pytest.MonkeyPatch, **options: str) -> Checkup:
    """A checkup of the backup of Redis in `folder`."""
    monkeypatch.setenv("BACKUP_PATH", str(folder))
    return check_up(NAME, **options)


@pytest.mark.parametrize(("family", "version"), [("Redis", 10), ("Valkey", 80)])
def test_the_one_that_would_be_loaded_is_named(
    family: str, version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the server that can read it, and the tool that reads it before."""
    (tmp_path / "redis").mkdir()
    lay_out(saved(family), tmp_path / "redis" / "dump.rdb")
    found = checked(tmp_path, monkeypatch)
    (line,) = texts(found, "ok", NAME)
    assert line.startswith("a drill would load dump.rdb: RDB, ") and "the file itself" in line
    notes = "\n".join(texts(found, "note", NAME))
    assert f"RDB {version} by {family} " in notes and f": {family} " in notes
    assert "would load it" in notes and "the check tool of Valkey" in notes
    assert not texts(found, "bad", NAME)


def test_append_only_files_are_named_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their base."""
    (tmp_path / "redis").mkdir()
    lay_out(appended("Redis"), tmp_path / "redis" / "appendonlydir")
    found = checked(tmp_path, monkeypatch)
    assert "would load appendonlydir: AOF" in texts(found, "ok", NAME)[0]
    assert "RDB 10 by Redis" in "\n".join(texts(found, "note", NAME))


def test_what_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that reads it, memory, a key; the folder without a backup. A drill could run."""
    (tmp_path / "redis").mkdir()
    path = lay_out(b"REDIS0099" + saved("Redis")[9:], tmp_path / "redis" / "dump.rdb")
    found = checked(tmp_path, monkeypatch)
    assert "RDB 99 by Redis 7" in texts(found, "bad", NAME)[0]
    assert "no server here can load it" in texts(found, "bad", NAME)[0]
    assert "no tool here reads it" in texts(found, "warn", NAME)[0]
    assert "install the release of Redis or Valkey" in "\n".join(lines_of(found))
    assert found.code == 0 and found.fails
    lay_out(saved("Redis"), path)
    monkeypatch.setattr(server, "SHARE", 0.0)
    assert "of memory to be loaded" in texts(checked(tmp_path, monkeypatch), "bad", NAME)[0]
    path.write_bytes(b"age-encryption.org/v1\n-> X25519 x\nx\n--- x\n")
    assert texts(checked(tmp_path, monkeypatch), "bad", NAME)
    path.unlink()
    assert "no backup of Redis lies in" in texts(checked(tmp_path, monkeypatch), "bad", NAME)[0]


def test_an_old_one_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a drill would fail by it."""
    (tmp_path / "redis").mkdir()
    lay_out(saved("Redis"), tmp_path / "redis" / "cache_20251128_050000.rdb")
    found = checked(tmp_path, monkeypatch)
    assert "the limit is 1 d 2 h (RPO)" in texts(found, "bad", NAME)[0]


def test_without_one_that_stays_unchecked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says so, and how to take one."""
    found = checked(tmp_path, monkeypatch)
    assert "there is none" in texts(found, "note", NAME)[0]
    (left,) = [each for each in found.opens if "backup of Redis" in each.what]
    assert f": {COMMAND} backup --with-redis" in left.todo[0]


def test_the_plan_of_a_drill_names_it(tmp_path: Path) -> None:
    """As a step; nothing is loaded. Without one there is no such step."""
    (tmp_path / "redis").mkdir()
    lay_out(saved("Redis"), tmp_path / "redis" / "dump.rdb")
    done = run_drill(
        "--dry-run", "-k", "redis", report_dir=tmp_path / "report", BACKUP_PATH=str(tmp_path)
    )
    assert done.code == 0, done.output
    assert "Step 7: Restoring the backup of Redis" in done.output
    assert "A drill would load dump.rdb: RDB" in done.output
    assert "would load it" in done.output
    done = run_drill("--dry-run", "-k", "redis", report_dir=tmp_path / "report")
    assert "Restoring the backup of Redis" not in done.output
    assert "Whether a backup of Redis can be restored: there is none" in done.output


def test_without_any_server_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else breaks."""
    (tmp_path / "redis").mkdir()
    lay_out(saved("Redis"), tmp_path / "redis" / "dump.rdb")
    monkeypatch.setattr(tools, "binaries", tuple)
    found = checked(tmp_path, monkeypatch)
    assert "no Redis or Valkey is installed" in texts(found, "bad", NAME)[0]
