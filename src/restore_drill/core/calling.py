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
    executable = Path(sys.executable)
    found, own = shutil.which(name), executable.parent
    if found and Path(found).parent == own:
        return name
    if not (own / name).exists():  # /usr/bin has a python3 alone, and pytest may lie elsewhere
        return callable_python() if name == "python" else f"{callable_python()} -m {name}"
    return typed(own / name)


def callable_python() -> str:
    """How a user calls the Python that this process runs in, whatever it is called."""
    executable = Path(sys.executable)
    if not (executable.parent / "python").exists():
        found = shutil.which(executable.name)
        return executable.name if found == str(executable) else typed(executable)
    return callable_as("python")


def typed(path: Path) -> str:
    """`path` as it is typed here."""
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))


def installs(extra: str) -> str:
    """What a user types to install what `extra` of the package needs, in this environment."""
    clone = "." if Path.cwd() == SUITE else str(SUITE)
    what = f"{'restore-drill' if IS_INSTALLED else clone}[{extra}]"
    return f"{callable_as('pip')} install {shlex.quote(what)}"


COMMAND = "restore-drill" if IS_INSTALLED else callable_as("python") + " -m drill"
"""What carries out the commands around the drill: `restore-drill backup`."""

DRILL = "restore-drill" if IS_INSTALLED else callable_as("pytest") + " drill/"
"""What drills, wherever the user is."""
