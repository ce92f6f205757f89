"""Picking criteria: each selection does only the work that it needs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.drills import ROOT, Drill, run_drill
from tests.helpers.shop import Shops


def stages_of(drill: Drill) -> set[str]:
    """Names of the stages that ran."""
    return {stage["name"] for stage in drill.result["stages"]}


def test_redis_alone_starts_no_database(shops: Shops, report_dir: Path) -> None:
    """`-k redis` runs the Redis stage alone."""
    drill = run_drill(
        "-k", "redis", f"--backup={shops.dump(15, 'plain.sql')}", report_dir=report_dir
    )

    assert drill.code == 0, drill.output
    assert stages_of(drill) == {"redis"}
    assert drill.verdict == "incomplete"


def test_backup_alone_restores_nothing(shops: Shops, report_dir: Path) -> None:
    """`-k backup` reads the backup and starts no server."""
    drill = run_drill(
        "-k", "backup", f"--backup={shops.dump(15, 'plain.sql')}", report_dir=report_dir
    )

    assert drill.code == 0, drill.output
    assert stages_of(drill) == {"select"}
    assert drill.result["target"] is None


def test_one_table_is_picked_by_name(shops: Shops, report_dir: Path) -> None:
    """`-k cards` picks the criteria of that table, and starts no Redis."""
    drill = run_drill(
        "-k", "cards", f"--backup={shops.dump(15, 'plain.sql')}", report_dir=report_dir
    )

    assert drill.code == 0, drill.output
    assert drill.ran == {
        "test_table_has_every_row[public.cards]",
        "test_foreign_keys_hold[public.cards]",
    } | {name for name in drill.ran if name.endswith("[public.cards]")}
    assert "redis" not in stages_of(drill)
    assert drill.verdict == "passed"


def test_everything_but_redis(report_dir: Path) -> None:
    """`-k "not redis"` starts no Redis and says that it was not checked."""
    drill = run_drill("-k", "not redis", "--sample-rows=20", report_dir=report_dir)

    assert drill.code == 0, drill.output
    assert "redis" not in stages_of(drill)
    assert any("test_redis.py" in entry["what"] for entry in drill.result["not_checked"])


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("select", {"select"}),
        ("redis", {"redis"}),
        ("restore", {"select", "target", "restore", "verify"}),
    ],
)
def test_stages_are_markers(stage: str, expected: set[str], shops: Shops, report_dir: Path) -> None:
    """`-m STAGE` runs the criteria of one stage."""
    drill = run_drill("-m", stage, f"--backup={shops.dump(15, 'plain.sql')}", report_dir=report_dir)

    assert drill.code == 0, drill.output
    assert stages_of(drill) == expected


def test_collect_only_starts_nothing(shops: Shops, report_dir: Path) -> None:
    """`--collect-only` lists the criteria with their tables, starts no server, writes no report."""
    drill = run_drill(
        "--collect-only", "-q", f"--backup={shops.dump(15, 'custom.dump')}", report_dir=report_dir
    )

    assert drill.code == 0, drill.output
    assert "test_table_has_every_row[public.cards]" in drill.output
    assert "test_foreign_keys_hold[billing.Odd Name]" in drill.output
    listed = sum("::" in line for line in drill.output.splitlines())
    assert f"\n{listed} tests collected" in drill.output
    assert not report_dir.exists()


def test_stop_at_first_failure(shops: Shops, tmp_path: Path, report_dir: Path) -> None:
    """`-x` stops after the first failure, with all reports."""
    path = tmp_path / "backup_20200101.sql"
    path.write_bytes(shops.dump(15, "plain.sql").read_bytes())

    drill = run_drill("-x", f"--backup={path}", report_dir=report_dir)

    assert drill.code == 1, drill.output
    assert set(drill.failed) == {"test_backup_is_young_enough"}
    assert {"report.html", "junit.xml", "result.json"} <= {p.name for p in report_dir.iterdir()}
    assert "restore" not in stages_of(drill)


def test_last_failed_runs_alone(shops: Shops, tmp_path: Path, report_dir: Path) -> None:
    """`--lf` runs what failed before, and no more."""
    path = tmp_path / "backup_20200101.sql"
    path.write_bytes(shops.dump(15, "plain.sql").read_bytes())
    cache = ["-p", "cacheprovider", "-o", f"cache_dir={tmp_path / 'cache'}"]
    run_drill("-m", "select", f"--backup={path}", *cache, report_dir=report_dir)

    drill = run_drill("--lf", f"--backup={path}", *cache, report_dir=report_dir)

    assert drill.ran == {"test_backup_is_young_enough"}
    assert stages_of(drill) == {"select"}


def test_drill_runs_from_elsewhere(shops: Shops, tmp_path: Path, report_dir: Path) -> None:
    """The drill runs from any directory; relative paths count from there."""
    (tmp_path / "here.sql").write_bytes(shops.dump(15, "plain.sql").read_bytes())

    drill = run_drill("--backup=here.sql", "-m", "select", cwd=tmp_path, report_dir=report_dir)

    assert drill.code == 0, drill.output


def test_module_is_a_door(shops: Shops, report_dir: Path) -> None:
    """`python -m drill` is `pytest drill/`."""
    done = subprocess.run(
        [sys.executable, "-m", "drill", "-m", "select", f"--report-dir={report_dir}",
         f"--backup={shops.dump(15, 'plain.sql')}", "-p", "no:cacheprovider"],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={k: v for k, v in os.environ.items() if k not in ("BACKUP_PATH", "DATABASE_URL")},
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Using backup: plain.sql" in done.stdout


def test_a_variable_that_is_nearly_one_of_the_drill_is_refused(
    tmp_path: Path, report_dir: Path
) -> None:
    """It would not count, in the environment or in .env; another program's own is none of it."""
    (tmp_path / ".env").write_text("DRILL_MAX_BACKUP_AEG=1ms\n")
    slip = run_drill("-m", "select", cwd=tmp_path, report_dir=report_dir)
    (tmp_path / ".env").write_text("DRILL_PRESS=1\n")
    other = run_drill("--collect-only", cwd=tmp_path, report_dir=report_dir)

    assert slip.code == 4, slip.output
    assert "DRILL_MAX_BACKUP_AEG is not a variable of the drill" in slip.output
    assert "did you mean DRILL_MAX_BACKUP_AGE?" in slip.output
    assert other.code == 0, other.output


def test_env_file_is_read(shops: Shops, tmp_path: Path, report_dir: Path) -> None:
    """Settings come from .env, then .env.txt; the environment goes before them."""
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "mine.sql").write_bytes(shops.dump(15, "plain.sql").read_bytes())
    (tmp_path / ".env").write_text(f"BACKUP_PATH={tmp_path}\nDRILL_MAX_BACKUP_AGE=1ms\n")
    (tmp_path / ".env.txt").write_text("BACKUP_PATH=/nowhere\nDRILL_TARGET=embedded\n")

    drill = run_drill("-m", "select", cwd=tmp_path, report_dir=report_dir)
    failed = set(drill.failed)
    young = run_drill(
        "-m", "select", cwd=tmp_path, report_dir=report_dir, DRILL_MAX_BACKUP_AGE="1h"
    )

    assert failed == {"test_backup_is_young_enough"}, drill.output
    assert young.code == 0, young.output


def test_collecting_loads_no_library_of_later_stages(shops: Shops, tmp_path: Path) -> None:
    """Neither plugins that are not used, nor what a stage, an alert or another place needs."""
    (tmp_path / "loaded.py").write_text(
        "import sys\n\ndef pytest_unconfigure():\n    sys.__stdout__.write(' '.join(sys.modules))\n"
    )
    arguments = ["-p", "loaded", "--collect-only", f"--backup={shops.dump(15, 'plain.sql')}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "drill/", *arguments, f"--report-dir={tmp_path}"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    loaded = set(done.stdout.split())
    assert done.returncode == 0 and "fixtures.target" in loaded, done.stdout + done.stderr
    assert not loaded & {
        "pytest_postgresql.plugin", "pytest_redis", "redis", "port_for", "docker", "testcontainers",
        "apprise", "yaml", "cryptography", "obstore", "asyncssh", "requests", "pyrage",
    }  # fmt: skip
