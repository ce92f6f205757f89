"""Drills of one backup."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.drills import Drill, run_drill
from tests.helpers.shop_drills import CRITERIA, DrillFile


@pytest.fixture
def drill_file(tmp_path: Path, report_dir: Path) -> DrillFile:
    """Function that drills one backup against criteria for the shop."""
    criteria = tmp_path / "criteria.toml"
    criteria.write_text(CRITERIA)

    def run(path: Path, *arguments: str) -> Drill:
        return run_drill(
            f"--criteria={criteria}", "-k", "not redis", *arguments,
            report_dir=report_dir, BACKUP_PATH=str(path.parent),
        )  # fmt: skip

    return run
