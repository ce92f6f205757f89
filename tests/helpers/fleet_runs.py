"""The command `fleet`, called in the folder of an inventory."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

from tests.helpers.drills import ROOT, inherited
from tests.helpers.warm import run_module

GREEN = ("passed", "warnings")
"""States of a database whose backup is proved."""


def called(folder: Path, **environment: str) -> dict[str, str]:
    """Environment of a command that is called in `folder`, with what it keeps for itself there."""
    own = {"XDG_STATE_HOME": str(folder / "state"), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    return inherited() | own | environment


def fleet(folder: Path, *arguments: str, **environment: str) -> CompletedProcess[str]:
    """`fleet` with `arguments`, called in `folder`."""
    env = called(folder, **environment)
    return run_module(["drill", "fleet", *arguments], cwd=folder, env=env, timeout=120)
