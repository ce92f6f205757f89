"""Where the criteria and stages lie, and what a user types to drill: in a clone, or installed.

A wheel cannot hold packages called `drill` and `fixtures`, so it keeps them, with their
`conftest.py` and `pytest.ini`, in a folder of its own: on the path of a drill's process alone.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
INSTALLED = PACKAGE / "_suite"

IS_INSTALLED = INSTALLED.is_dir()

SUITE = INSTALLED if IS_INSTALLED else PACKAGE.parents[1]
"""The folder that holds `drill/`, `fixtures/`, `conftest.py` and `pytest.ini`."""


def callable_as(name: str) -> str:
    """How a user calls `name` (python, pytest) of the environment that this process runs in.

    By its path, unless the shell would find it by its name: a clone's `.venv` is seldom active.
    """
    found, own = shutil.which(name), Path(sys.executable).parent
    if found and Path(found).parent == own:
        return name
    here = Path.cwd()
    return shlex.quote(str((own.relative_to(here) if own.is_relative_to(here) else own) / name))


COMMAND = "restore-drill" if IS_INSTALLED else callable_as("python") + " -m drill"
"""What carries out the commands around the drill: `restore-drill backup`."""

DRILL = "restore-drill" if IS_INSTALLED else callable_as("pytest") + " drill/"
"""What drills, wherever the user is."""
