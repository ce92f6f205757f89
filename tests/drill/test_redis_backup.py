"""Whole drills with a backup of Redis, as users see them."""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from restore_drill.backups.read import sha256_of
from restore_drill.taking.destination import Folder
from restore_drill.taking.redis_along import take_redis
from restore_drill.taking.redis_known import measure_redis
from tests.helpers.drills import run_drill
from tests.helpers.redis_backups import FAMILIES, fill_shop, lay_out, saved
from tests.helpers.redis_servers import running

FALLEN = "test_redis_backup_keys_have_not_fallen"
CHECKSUM = "test_redis_backup_matches_its_checksum"
MATCHING = ("keys", "ttls", "streams", "functions")


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
    assert "Backup of Redis" in page and "keys of database 3" in page
    assert {"test_redis_backup_loads_whole", "test_redis_backup_matches_its_checksum"} <= done.ran


def test_a_manifest_says_whether_the_file_has_changed(tmp_path: Path) -> None:
    """Its SHA-256 counts where the .sha256 file is gone; also where the file was packed later."""
    with running(FAMILIES["Redis"], ("--repl-diskless-sync-delay", "0"), "") as server:
        fill_shop(server)
        path = take_redis(server.url(), Folder(tmp_path / "db"), None, print).file
    assert path is not None
    path.with_name(f"{path.name}.sha256").unlink()
    packed, data = path.with_name(f"{path.name}.gz"), path.read_bytes()
    other = data.replace(b"redis-ver", b"redis-vex")
    whole = {path: data, packed: gzip.compress(data)}
    changed = {path: other, packed: gzip.compress(other)}
    for number, files in enumerate((whole, changed)):
        for file, content in files.items():
            file.write_bytes(content)
            done = run_drill(
                "-k", CHECKSUM, "--redis-backup", str(file),
                report_dir=tmp_path / f"report-{number}{file.suffix}",
            )  # fmt: skip
            assert (CHECKSUM in done.ran, CHECKSUM in done.failed) == (True, number == 1), (
                done.output
            )
            told = f"{file.name} is not the file that {path.name}.manifest.json describes"
            assert (told in done.output) == (number == 1)


def test_a_backup_of_redis_from_the_future_is_red(tmp_path: Path) -> None:
    """However old it is: its age could not be known, and it passed as 0 s old."""
    tomorrow = datetime.now(UTC) + timedelta(days=2)
    path = lay_out(saved("Redis"), tmp_path / f"dump-{tomorrow:%Y%m%d_%H%M%S}.rdb")
    done = run_drill(
        "-k", "test_redis_backup_is_recent", "--redis-backup", str(path),
        report_dir=tmp_path / "report",
    )  # fmt: skip
    assert done.code == 1, done.output
    told = done.failed["test_redis_backup_is_recent"]
    assert "in the future" in told and "set timezone under [backup]" in told


def test_a_damaged_backup_of_redis_is_red(tmp_path: Path) -> None:
    """What is lost is told, and what to do; what stands on it is not reached."""
    path = lay_out(saved("Redis")[:-200], tmp_path / "dump.rdb")
    done = run_drill(
        "-k", "redis_backup", "--redis-backup", str(path), report_dir=tmp_path / "report"
    )
    assert done.code == 1, done.output
    assert list(done.failed) == ["test_redis_backup_is_intact"]
    assert "it ends too early" in done.failed["test_redis_backup_is_intact"]
    assert "redis-check-aof" not in done.output, "which is for append-only files"
    assert "card:" not in done.output


def test_without_a_backup_of_redis_that_is_not_checked(tmp_path: Path) -> None:
    """One line says so, and no criterion asks."""
    done = run_drill("-k", "redis", report_dir=tmp_path / "report")
    assert done.code == 0, done.output
    open_points = [each["what"] for each in done.result["not_checked"]]
    assert open_points.count("whether a backup of Redis can be restored") == 1
    assert not [name for name in done.ran if "redis_backup" in name]
    assert done.result["redis_backup"] is None


def test_a_backup_is_measured_by_its_manifest_and_the_drill_before(tmp_path: Path) -> None:
    """As it was taken it is green; what has lost keys since is red by the numbers, not by names."""
    place = tmp_path / "backups"
    options = ("--repl-diskless-sync-delay", "0")
    with running(FAMILIES["Redis"], options, "") as server:
        fill_shop(server)
        taken = take_redis(server.url(), Folder(place / "db"), None, print)
        measure_redis(taken, print)
        for number in range(60):
            server.admin.delete(f"card:{number}")
        client = server.admin
        folder = Path(str(client.config_get("dir")["dir"]))
        client.save()
        lesser = (folder / "dump.rdb").read_bytes()
    assert taken.file is not None
    select = ("-k", "redis_backup")
    done = run_drill(*select, report_dir=tmp_path / "one", BACKUP_PATH=str(place))
    assert done.code == 0, done.output
    assert {f"test_redis_backup_{each}_matches_manifest" for each in ("content",)} <= done.ran
    assert {f"test_redis_backup_{each}_match_manifest" for each in MATCHING} <= done.ran
    found = done.result["redis_backup"]
    assert found["manifest"] == f"{taken.file.name}.manifest.json"
    assert found["census"]["types"]["0"]["hash"]["keys"] == 100
    assert "keys of database 0: hash 100, list 1, set 1, stream 1, string 101" in done.output
    assert "card:" not in done.output

    name = f"redis_{datetime.now(UTC):%Y%m%d_%H%M%S}.rdb"
    newer = lay_out(lesser, taken.file.with_name(name))
    manifest = taken.file.with_name(f"{taken.file.name}.manifest.json")
    manifest.rename(newer.with_name(f"{newer.name}.manifest.json"))
    done = run_drill(*select, "--show-keys", report_dir=tmp_path / "two", BACKUP_PATH=str(place))
    assert done.code == 1, done.output
    assert "database 0, hash: 40 keys, 100 in the last passed drill" in done.failed[FALLEN]
    lost = "database 0, hash: the file holds 40 keys, the source had 100"
    assert lost in done.failed["test_redis_backup_keys_match_manifest"]
    assert "test_redis_backup_content_matches_manifest" in done.failed
    assert "test_redis_backup_streams_match_manifest" not in done.failed
    assert "memory of Redis: card:*" in done.output
    page = next((tmp_path / "two").rglob("report.html")).read_text()
    assert not re.search(r"card:[\d*]", page + json.dumps(done.result)) and "never expire" in page
