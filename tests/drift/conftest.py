"""A source that drifts, and drills of its backups."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from restore_drill.servers.model import Target
from tests.corpus.drift import DriftLab
from tests.helpers.drifts import stamp
from tests.helpers.drills import Drill, run_drill
from tests.helpers.shop import SHOP, Shops, fill_shop, pg_dump


@pytest.fixture(scope="session")
def lab(shops: Shops, tmp_path_factory: pytest.TempPathFactory) -> DriftLab:
    """The healthy source and what a drill holds of it."""
    return DriftLab(shops, tmp_path_factory.mktemp("drift"))


@pytest.fixture
def source(shops: Shops) -> Target:
    """A shop of its own."""
    shops.source(15)  # its script makes the roles
    target = shops.database(15, f"drift_shop_{time.monotonic_ns()}")
    fill_shop(target, "\n".join(line for line in SHOP.splitlines() if "CREATE ROLE" not in line))
    return target


@pytest.fixture
def drilled(source: Target, tmp_path: Path) -> Callable[..., Drill]:
    """Function that dumps the source once more and drills it, with BACKUP_PATH."""
    backups = tmp_path / "backups"
    backups.mkdir()
    runs = iter(range(1000, 0, -60))

    def run(*arguments: str, script: str = "SELECT 1") -> Drill:
        fill_shop(source, script)
        age = next(runs)
        pg_dump(source, backups / f"backup_{stamp(age)}.dump", "-Fc")
        report = tmp_path / f"report{age}"
        return run_drill(*arguments, report_dir=report, BACKUP_PATH=str(backups))

    return run
