"""Whole drills with a backup of Redis, as users see them."""

from __future__ import annotations

from pathlib import Path

from restore_drill.backups.read import sha256_of
from tests.helpers.drills import run_drill
from tests.helpers.redis_backups import lay_out, saved


def test_a_backup_of_redis_is_restored_beside_the_database(tmp_path: Path) -> None:
    """Its part of result.json says what was restored; the verdict is that of all."""
    path = lay_out(saved("Redis"), tmp_path / "dump.rdb")
    path.with_name("dump.rdb.sha256").write_text(f"{sha256_of(path)}  dump.rdb\n")
    done = run_drill("--redis-backup", str(path), report_dir=tmp_path / "report")
    assert done.code == 0, done.output
    assert done.verdict == "sample"
    assert done.result["redis_backup"]["keys"] == 206
    assert done.result["redis_backup"]["databases"] == {"0": 205, "3": 1}
    assert "Redis restored: 206 keys" in done.output
    page = next((tmp_path / "report").rglob("report.html")).read_text()
    assert "Backup of Redis" in page and "0: 205, 3: 1" in page
    assert {"test_redis_backup_loads_whole", "test_redis_backup_matches_its_checksum"} <= done.ran


def test_a_damaged_backup_of_redis_is_red(tmp_path: Path) -> None:
    """What is lost is told, and what to do; what stands on it is not reached."""
    path = lay_out(saved("Redis")[:-200], tmp_path / "dump.rdb")
    done = run_drill(
        "-k", "redis_backup", "--redis-backup", str(path), report_dir=tmp_path / "report"
    )
    assert done.code == 1, done.output
    assert list(done.failed) == ["test_redis_backup_is_intact"]
    assert "it ends too early" in done.failed["test_redis_backup_is_intact"]
    assert "card:" not in done.output


def test_without_a_backup_of_redis_that_is_not_checked(tmp_path: Path) -> None:
    """One line says so, and no criterion asks."""
    done = run_drill("-k", "redis", report_dir=tmp_path / "report")
    assert done.code == 0, done.output
    open_points = [each["what"] for each in done.result["not_checked"]]
    assert open_points.count("whether a backup of Redis can be restored") == 1
    assert not [name for name in done.ran if "redis_backup" in name]
    assert done.result["redis_backup"] is None
