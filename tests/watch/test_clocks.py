"""Drills count in the order of their lines: a clock that is ahead hides no failure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from restore_drill.config.settings import settings_from
from restore_drill.watch.history import load_history
from restore_drill.watch.kept import kept_backups
from tests.helpers.drills import ROOT
from tests.helpers.folders import DUMP
from tests.helpers.histories import NOW, PASSED, write


def test_a_pass_of_a_fast_clock_hides_no_failure(tmp_path: Path) -> None:
    """The backup that failed later is not among those that are proved."""
    backup = tmp_path / "shop_2026-11-01_0500.sql"
    backup.write_bytes(DUMP)
    series = f"{tmp_path.name}/shop"
    passed = replace(PASSED, backup=backup.name, series=series, size=len(DUMP))
    failed = replace(passed, verdict="failed", at=NOW)
    passed = replace(passed, at=NOW + timedelta(minutes=40))
    drills = load_history(write(tmp_path, passed, failed)).drills

    settings = settings_from({}, here=tmp_path, root=ROOT)
    kept = kept_backups(tmp_path, drills[::-1], settings.criteria)
    assert kept and kept.failing == [backup.name]
