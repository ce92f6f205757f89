"""Small drills, passed and failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.mini_drill import (
    Done,
    drill,
    make_project,
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A drill in small."""
    return make_project(tmp_path / "project")


@pytest.fixture(scope="session")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A drill in small that passed."""
    return drill(make_project(tmp_path_factory.mktemp("passed") / "project"))


@pytest.fixture(scope="session")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A drill in small in which a table has lost its rows and a criterion was skipped."""
    project = make_project(tmp_path_factory.mktemp("failed") / "project")
    return drill(project, mode="wrong,skip")
