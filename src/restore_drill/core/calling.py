"""Where the criteria and stages lie, and what a user types to drill: in a clone, or installed.

A wheel cannot hold packages called `drill` and `fixtures`, so it keeps them, with their
`conftest.py` and `pytest.ini`, in a folder of its own: on the path of a drill's process alone.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
INSTALLED = PACKAGE / "_suite"

IS_INSTALLED = INSTALLED.is_dir()

SUITE = INSTALLED if IS_INSTALLED else PACKAGE.parents[1]
"""The folder that holds `drill/`, `fixtures/`, `conftest.py` and `pytest.ini`."""

COMMAND = "restore-drill" if IS_INSTALLED else "python -m drill"
"""What carries out the commands around the drill: `restore-drill backup`."""

DRILL = "restore-drill" if IS_INSTALLED else "pytest drill/"
"""What drills, wherever the user is."""
