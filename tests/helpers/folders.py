"""Folders of backups."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.drills import Drill, run_drill

DUMP = b"--\n-- PostgreSQL database dump\n--\n\nSELECT 1;\n"


def backup_in(folder: Path, report_dir: Path, *arguments: str) -> Drill:
    """Stage select of a drill of what lies in `folder`."""
    return run_drill(
        "-m", "select", "--max-backup-age=99999d", *arguments,
        report_dir=report_dir, BACKUP_PATH=str(folder),
    )  # fmt: skip


def name_of(drill: Drill) -> str:
    """File name of the backup that was drilled."""
    return Path(drill.result["backup"]["path"]).name
