"""The database target: it holds the backup after a pass, and what it held after a failure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from restore_drill.manifest.settle import differences
from restore_drill.servers.model import Target
from tests.helpers.drills import Drill
from tests.helpers.live import PASSWORD, fingerprint, journals, name_of, rows_of, snapshots
from tests.helpers.shop import MORE, Shops, fill_shop


def test_passed_drill_leaves_the_backup_in_the_database(
    live: Target, backups: Path, drill_live: Callable[..., Drill]
) -> None:
    """After a passed drill the database holds the backup, and the proved snapshot lies there."""
    drill = drill_live()

    assert drill.code == 0, drill.output
    with live.connect() as connection:
        row = connection.execute("SELECT count(*) FROM public.cards").fetchone()
        gone = connection.execute("SELECT to_regclass('public.only_live')").fetchone()
    assert row == (200,)
    assert gone == (None,)
    (name,) = snapshots(backups)
    assert name.startswith("pre_drill_snapshot_")
    assert name in drill.output
    assert drill.result["snapshot"]["rolled_back"] is None
    assert "only_live: 7 rows before the drill, no such table in the backup" in drill.output
    command = drill.result["snapshot"]["way_back"]
    assert command.endswith(f"--confirm-reset {live.conninfo['dbname']}")
    assert f"The way back: {command}" in drill.output
    assert f"The live database {live.conninfo['dbname']}: holds the backup" in drill.output
    assert (backups / "snapshots" / name).stat().st_mode & 0o077 == 0


def test_failed_criterion_rolls_back(
    live: Target, backups: Path, tmp_path: Path, drill_live: Callable[..., Drill]
) -> None:
    """A criterion that fails brings the database back, proved by a comparison."""
    before = fingerprint(live)
    criteria = tmp_path / "criteria.toml"
    criteria.write_text("[tables]\ncards = { min_rows = 201 }\n")

    drill = drill_live(f"--criteria={criteria}")

    assert drill.code == 1, drill.output
    assert drill.result["snapshot"]["rolled_back"] is True
    assert differences(before, fingerprint(live), live) == []
    assert "a comparison proves that the database is as it was" in drill.output
    assert journals(backups) == []


def test_rehearsal_is_rolled_back_where_the_catalog_says_more(
    live: Target, backups: Path, drill_live: Callable[..., Drill]
) -> None:
    """--after rollback; what no dump can carry, the snapshot neither, leaves none unproved."""
    fill_shop(live, MORE)

    drill = drill_live(DRILL_AFTER="rollback")

    assert drill.code == 0 and drill.verdict == "passed", drill.output
    assert drill.result["snapshot"]["rolled_back"] is True, drill.output
    assert "as --after rollback asks" in drill.result["snapshot"]["live_database"]
    assert "a comparison proves that the database is as it was" in drill.output
    assert rows_of(live, name_of(live), "only_live") == 7
    assert journals(backups) == []


def test_failed_restore_rolls_back(
    live: Target, backups: Path, drill_live: Callable[..., Drill], shops: Shops
) -> None:
    """A restore with errors brings the database back."""
    before = fingerprint(live)
    (backups / "db" / "backup.dump").unlink()
    spoiled = shops.dump(15, "plain.sql").read_text().replace("CREATE INDEX", "CREATE INDEXX", 1)
    (backups / "db" / "backup.sql").write_text(spoiled)

    drill = drill_live()

    assert drill.code == 1, drill.output
    assert drill.result["snapshot"]["rolled_back"] is True
    assert differences(before, fingerprint(live), live) == []


def test_password_is_nowhere(drill_live: Callable[..., Drill]) -> None:
    """The password stands in no output and no report."""
    drill = drill_live("-v")

    files = [path for path in drill.report_dir.rglob("*") if path.is_file()]
    texts = [path.read_text(errors="replace") for path in files]
    for text in (drill.output, *texts):
        assert "p@ss:w/rd#1" not in text
        assert PASSWORD not in text


def test_good_recovery_is_kept_whatever_age_times_and_redis_say(
    live: Target, drill_live: Callable[..., Drill]
) -> None:
    """Budgets, the backup's age and Redis make the drill red, and undo no recovery."""
    drill = drill_live(
        "--max-backup-age=1ms", "--max-restore-time=1ms", "--max-total-time=1ms",
        REDIS_URL="redis://127.0.0.1:1/0",
    )  # fmt: skip

    assert drill.code == 1, drill.output
    assert drill.result["snapshot"]["rolled_back"] is None
    assert drill.result["snapshot"]["live_database"] == "holds the backup"
    assert "keeps the backup" in drill.output
    with live.connect() as connection:
        assert connection.execute("SELECT count(*) FROM public.cards").fetchone() == (200,)


def test_drill_that_ends_early_rolls_back_whatever_its_exit_code(
    live: Target, tmp_path: Path, drill_live: Callable[..., Drill]
) -> None:
    """Criteria that have not reported are no pass, though nothing has failed and pytest says 0."""
    before = fingerprint(live)
    (tmp_path / "test_own.py").write_text(
        "import pytest\ndef test_ends_the_drill(facts):\n    pytest.exit('enough', returncode=0)\n"
    )

    drill = drill_live(str(tmp_path / "test_own.py"))

    assert "did not report" in drill.output
    assert drill.result["snapshot"]["rolled_back"] is True
    assert differences(before, fingerprint(live), live) == []
