"""What users are told to type: only programs that are there."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from restore_drill.core import calling
from restore_drill.core.calling import callable_as

CASES = {
    ("python", "python3", "pytest"): ("{own}/python", "{own}/pytest"),
    ("python3", "pytest"): ("{own}/python3", "{own}/pytest"),
    ("python3",): ("{own}/python3", "{own}/python3 -m pytest"),
}


@pytest.mark.parametrize("there", CASES, ids=" ".join)
def test_only_programs_that_are_there_are_named(
    there: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A system's folder has a python3 alone, or has pytest elsewhere."""
    for name in there:
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    python, pytest_ = (each.format(own=tmp_path) for each in CASES[there])

    assert (callable_as("python"), callable_as("pytest")) == (python, pytest_)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("python3") == str(tmp_path / "python3")
    here = f"{tmp_path}/"
    assert callable_as("python") == python.removeprefix(here)
    assert callable_as("pytest") == pytest_.removeprefix(here)


def test_an_extra_is_installed_as_restore_drill_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the clone in a clone, where no index has the package of that very state."""
    monkeypatch.chdir(calling.SUITE)
    assert calling.installs("s3").endswith("pip install '.[s3]'")
    monkeypatch.chdir("/")
    assert calling.installs("s3").endswith(f"pip install '{calling.SUITE}[s3]'")
    monkeypatch.setattr(calling, "IS_INSTALLED", True)
    assert calling.installs("s3").endswith("pip install 'restore-drill[s3]'")
