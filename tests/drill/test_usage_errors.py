"""A user's error gets one clear message, exit code 4 or 6, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.drills import CLEARED, ROOT, run_drill
from tests.helpers.shop import Shops


@pytest.fixture
def own_tmp() -> Iterator[Path]:
    """A temporary directory of this test alone, short enough for the sockets in it."""
    with tempfile.TemporaryDirectory(prefix="rd") as name:
        yield Path(name)


def left_overs(folder: Path) -> set[str]:
    """What drills have left in their temporary directory."""
    return {path.name for path in folder.glob("*") if not path.name.startswith("pytest-of-")}


DATABASE = {"DATABASE_URL": "postgresql://user:hunter2@host/x"}
USAGE = {
    "without junit.xml": (["-p", "no:junitxml"], {}, "a drill needs that plugin: it writes junit"),
    "without a terminal": (
        ["--dry-run"], {"PYTEST_ADDOPTS": "-p no:terminal"}, "-p no:terminal was given, but a drill"
    ),
    "unknown target": (["--target=clowd"], {}, "--target (DRILL_TARGET) cannot be 'clowd'"),
    "missing backup": (["--backup=/nowhere/b.sql"], {}, "/nowhere/b.sql, which does not exist"),
    "missing folder": ([], {"BACKUP_PATH": "/nowhere"}, "BACKUP_PATH names /nowhere"),
    "empty folder name": ([], {"BACKUP_PATH": ""}, "BACKUP_PATH is set but empty"),
    "bad duration": (["--max-backup-age=soon"], {}, "(DRILL_MAX_BACKUP_AGE) is not a duration"),
    "bad number": (["--jobs=0"], {}, "--jobs (DRILL_JOBS) cannot be '0'"),
    "no database url": (["--target=database"], {}, "DATABASE_URL is unset"),
    "bad database url": (
        ["--target=database"],
        {"DATABASE_URL": "mysql://user:hunter2@host/db"},
        "DATABASE_URL is not a PostgreSQL URL",
    ),
    "database url without name": (
        ["--target=database"],
        {"DATABASE_URL": "postgresql://user:hunter2@host"},
        "DATABASE_URL names no database",
    ),
    "confirm alone": (["--target=database", "--confirm=x"], DATABASE, "--confirm confirms nothing"),
    "in place, not confirmed": (
        ["--target=database", "--in-place"], DATABASE, "confirm that by its name: --confirm NAME"
    ),
    "confirmed twice": (
        ["--target=database", "--in-place", "--confirm=x", "--confirm-reset=x"],
        DATABASE,
        "--confirm-reset combines --in-place and --confirm",
    ),
    "a rehearsal of nothing": (
        ["--target=database", "--after=rollback"], DATABASE, "--after (DRILL_AFTER) rolls nothing"
    ),
    "after that": (
        ["--target=database", "--in-place", "--confirm=x", "--after=that"],
        DATABASE,
        "--after (DRILL_AFTER) cannot be 'that'; choose one of keep, rollback",
    ),
    "in place of nothing": (
        ["--in-place", "--confirm=x"], {}, "--in-place cannot be combined with --target embedded"
    ),
    "promotion, not confirmed": (
        ["--target=database", "--promote"], DATABASE, "--promote renames the live database"
    ),
    "both ways at once": (
        ["--target=database", "--promote", "--in-place", "--confirm=x"],
        DATABASE,
        "--promote cannot be combined with --in-place",
    ),
    "promotion of nothing": (
        ["--promote", "--confirm=x"], {}, "--promote cannot be combined with --target embedded"
    ),
    "a loss of nothing": (
        ["--target=database", "--accept-loss"], DATABASE, "--accept-loss accepts nothing"
    ),
    "no time for locks": (
        ["--max-lock-wait=0"], {}, "--max-lock-wait (DRILL_MAX_LOCK_WAIT) cannot be '0'"
    ),
    "reset of nothing": (["--confirm-reset=x"], {}, "add --target database"),
    "bad redis url": ([], {"REDIS_URL": "http://:hunter2@host"}, "REDIS_URL is not a Redis URL"),
    "odd redis url": ([], {"REDIS_URL": "redis://:hunter2\u2100@h"}, "REDIS_URL"),
    "missing criteria": (["--criteria=/nowhere.toml"], {}, "criteria file /nowhere.toml"),
}  # fmt: skip


@pytest.mark.parametrize("case", USAGE)
def test_wrong_setting_is_a_usage_error(
    case: str, tmp_path: Path, own_tmp: Path, report_dir: Path
) -> None:
    """A wrong setting ends with exit code 4, names option and variable, and shows no traceback."""
    arguments, environment, words = USAGE[case]

    drill = run_drill(
        *arguments, report_dir=report_dir, cwd=tmp_path, TMPDIR=str(own_tmp), **environment
    )

    assert drill.code == 4, drill.output
    assert words in drill.output
    assert "Traceback" not in drill.output
    assert "hunter2" not in drill.output
    assert left_overs(own_tmp) == set()


CRITERIA = {
    "unknown section": ("[tabels]\n", "unknown key 'tabels'; did you mean 'tables'?"),
    "unknown key": ("[tables]\ncards = { min_row = 1 }\n", "unknown key 'min_row'; did you mean"),
    "wrong type": ("[tables]\ncards = { min_rows = 'a' }\n", "min_rows must be a number"),
    "no bound": ("[facts.f]\nsql = 'SELECT 1'\n", "give min, max or equals"),
    "bad zone": ("[backup]\ntimezone = 'Mars/Base'\n", "timezone 'Mars/Base' is unknown"),
    "no toml": ("[tables\n", "is not valid TOML"),
    "twice": ("[sql]\n\n[sql]\n", "[sql] stands in it twice, the second time in line 3; write"),
    "twice below": ("[facts.f]\n[facts.f]\n", "[facts.f] stands in it twice"),
}  # fmt: skip


@pytest.mark.parametrize("case", CRITERIA)
def test_error_in_the_criteria_file_is_named(case: str, tmp_path: Path, report_dir: Path) -> None:
    """An error in the criteria file is named with its place, and a near name is proposed."""
    text, words = CRITERIA[case]
    path = tmp_path / "criteria.toml"
    path.write_text(text)

    drill = run_drill(f"--criteria={path}", report_dir=report_dir)

    assert drill.code == 4, drill.output
    assert words in drill.output
    assert "Traceback" not in drill.output


def test_named_directory_that_is_no_backup(tmp_path: Path, report_dir: Path) -> None:
    """--backup with a directory that is no dump is a usage error."""
    drill = run_drill(f"--backup={tmp_path}", report_dir=report_dir)

    assert drill.code == 4, drill.output
    assert "a directory without toc.dat" in drill.output


def test_folder_that_is_a_file(shops: Shops, report_dir: Path) -> None:
    """BACKUP_PATH with a file says to use --backup."""
    drill = run_drill(report_dir=report_dir, BACKUP_PATH=str(shops.dump(15, "plain.sql")))

    assert drill.code == 4, drill.output
    assert "name a file with --backup" in drill.output


def test_unreachable_database_could_not_run(shops: Shops, report_dir: Path) -> None:
    """A database that does not answer is our means failing: exit code 6, one message."""
    drill = run_drill(
        "--target=database", "--confirm-reset=db", f"--backup={shops.dump(15, 'plain.sql')}",
        report_dir=report_dir,
        DATABASE_URL="postgresql://user:hunter2@127.0.0.1:1/db",
    )  # fmt: skip

    assert drill.code == 6, drill.output
    assert drill.verdict == "could-not-run"
    assert "no connection to the database 127.0.0.1:1/db" in drill.output
    assert "hunter2" not in drill.output
    assert "Traceback" not in drill.output


def test_missing_extension_could_not_run(shops: Shops, tmp_path: Path, report_dir: Path) -> None:
    """An extension that the server lacks is named before the restore, with ways out."""
    text = shops.dump(15, "plain.sql").read_text()
    path = tmp_path / "backup.sql"
    path.write_text(
        text.replace(
            "CREATE SCHEMA billing;",
            "CREATE EXTENSION IF NOT EXISTS postgiss WITH SCHEMA public;\nCREATE SCHEMA billing;",
        )
    )

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    assert drill.code == 6, drill.output
    assert "that the backup needs: postgiss" in drill.output
    assert "--target container --image" in drill.output
    assert "restore" not in {stage["name"] for stage in drill.result["stages"]}


def test_offline_without_that_version_says_what_it_uses(
    shops: Shops, tmp_path: Path, report_dir: Path
) -> None:
    """Offline the nearest newer version stands in, and the drill says so."""
    drill = run_drill(
        f"--backup={shops.dump(14, 'plain.sql')}", "-k", "not redis", report_dir=report_dir,
        DRILL_OFFLINE="1", XDG_CACHE_HOME=str(tmp_path / "cache"),
    )  # fmt: skip

    assert drill.code == 0, drill.output
    assert "the source was 14" in drill.output
    assert any("the source was 14" in note for note in drill.result["warnings"])


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="there is no /proc here")
def test_unreadable_backup_could_not_run(report_dir: Path) -> None:
    """A file that even root cannot read is our means failing."""
    drill = run_drill("--backup=/proc/self/mem", "-k", "backup", report_dir=report_dir)

    assert drill.code == 6, drill.output
    assert "the backup /proc/self/mem cannot be read: Input/output error" in drill.output


def test_interrupt_leaves_nothing(tmp_path: Path, own_tmp: Path, report_dir: Path) -> None:
    """SIGTERM in the middle of a drill stops its servers and removes its directories."""
    criteria = tmp_path / "hang.toml"
    criteria.write_text('[facts.hang]\nsql = "SELECT count(*) FROM pg_sleep(600)"\nmin = 1\n')
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "drill", "-k", "hang", f"--criteria={criteria}",
         f"--report-dir={report_dir}", "-p", "no:cacheprovider"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={k: v for k, v in os.environ.items() if k not in CLEARED} | {"TMPDIR": str(own_tmp)},
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Step 6"):
            break
    process.terminate()
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 2, output
    assert left_overs(own_tmp) == set()
    assert (report_dir / "result.json").exists()
