"""What the `conftest.py` of a drill folder in a user's own repository imports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from restore_drill.core.calling import SUITE
from restore_drill.doorway import pytest_addoption

__all__ = ["pytest_addoption", "pytest_ignore_collect"]


def pytest_ignore_collect(collection_path: Path, config: Any) -> bool | None:
    """Leave the folder to drills: a run of the repository's other tests passes it by."""
    del collection_path
    return None if config.rootpath == SUITE else True
