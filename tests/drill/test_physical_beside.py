"""Which archive a physical backup is drilled with, and what stands beside it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.drills import run_drill
from tests.helpers.physical import Source, source


@pytest.fixture(scope="module")
def server() -> Iterator[Source]:
    """A server with `base`, and a segment behind it in its archive; then it is stopped."""
    with source(15, rows=50) as made:
        made.sql("ALTER TABLE events SET TABLESPACE pg_default")
        made.sql("DROP TABLESPACE ts1")
        made.base_backup("base")
        made.commit("behind", 3)
        made.switch()
        made.stop()
        yield made


def test_the_archive_that_is_named_is_the_one_that_is_told(
    server: Source, report_dir: Path, tmp_path: Path
) -> None:
    """And not the one that lies beside the backup."""
    wal = shutil.copytree(server.archive, tmp_path / "elsewhere")
    drill = run_drill("-k", "is_complete", f"--backup={server.folder / 'base'}", f"--wal={wal}",
                      report_dir=report_dir)  # fmt: skip
    assert drill.code == 0, drill.output
    assert f"WAL archive: {wal}" in drill.output
    assert f"beside the backup: {server.archive}" not in drill.output


def test_a_cold_copy_ends_with_its_own_wal(server: Source, report_dir: Path) -> None:
    """Without a label no archive is taken for its own, whatever lies beside it.

    The manifest of the backup that its server was made from lies in it for ever.
    """
    shutil.copyfile(server.folder / "base" / "backup_manifest", server.data / "backup_manifest")
    selected = "recovery or is_complete"
    drill = run_drill("-k", selected, f"--backup={server.data}", report_dir=report_dir)
    assert drill.code == 0, drill.output
    assert "WAL archive" not in drill.output
    told = {each["what"]: each["why"] for each in drill.result["not_checked"]}
    assert "earlier backup" in told["each file against the manifest that lies there"]


def test_a_prepared_transaction_keeps_no_check_waiting(
    server: Source, report_dir: Path, tmp_path: Path
) -> None:
    """It is ended in the copy, and told; a running server's directory is refused (exit 4)."""
    with (server.data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("max_prepared_transactions = 5\n")
    server.start()
    with server.connect() as connection:
        connection.execute("BEGIN")
        connection.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        connection.execute("INSERT INTO events (what) VALUES ('pending')")
        connection.execute("PREPARE TRANSACTION 'waiting'")
    drill = run_drill(f"--backup={server.data}", report_dir=tmp_path / "running")
    assert drill.code == 4 and "that runs: it is never drilled" in drill.output, drill.output
    server.stop()
    drill = run_drill("-k", "not redis", f"--backup={server.data}", "--timeout=100s",
                      report_dir=report_dir)  # fmt: skip
    assert drill.code == 0, drill.output
    told = {each["what"] for each in drill.result["not_checked"]}
    assert "prepared transaction waiting in shop" in told


def test_a_plain_one_may_lack_its_empty_folders(
    server: Source, report_dir: Path, tmp_path: Path
) -> None:
    """As in a bucket, which keeps none: it is whole, and whoever recovers it by hand must know."""
    copy = Path(shutil.copytree(server.folder / "base", tmp_path / "base", symlinks=True))
    for path in sorted(copy.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    drill = run_drill("-k", "recovery", f"--backup={copy}", report_dir=report_dir)
    assert drill.code == 0, drill.output
    assert "mkdir -m 700 pg_commit_ts" in " ".join(drill.result["warnings"])


def test_folders_called_base_and_wals_are_anybodys(
    server: Source, report_dir: Path, tmp_path: Path
) -> None:
    """Barman's have more in them."""
    shutil.copytree(server.folder / "base", tmp_path / "base" / "2026-11-29", symlinks=True)
    shutil.copytree(server.archive, tmp_path / "wals")
    drill = run_drill("-k", "is_complete", report_dir=report_dir,
                      BACKUP_PATH=str(tmp_path / "base"))  # fmt: skip
    assert drill.code == 0, drill.output
    assert f"WAL archive beside the backup: {tmp_path / 'wals'}" in drill.output
