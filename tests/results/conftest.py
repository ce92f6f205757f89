"""Small drills, passed and failed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.helpers.drills import ROOT
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


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a key and its public half, made by openssl as the docs say."""
    folder = tmp_path_factory.mktemp("keys")
    text = (ROOT / "docs" / "evidence.md").read_text("utf-8")
    made = [line[2:] for line in text.splitlines() if line.startswith("$ openssl ")]
    assert len(made) == 2
    for line in made:
        subprocess.run(line.split(), cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def signed(tmp_path_factory: pytest.TempPathFactory, keys: Path) -> Done:
    """A drill in small that failed, signed."""
    project = make_project(tmp_path_factory.mktemp("signed") / "project")
    return drill(project, "drill", f"--sign={keys / 'drill.key'}", mode="wrong")
