"""What tests ask of servers that are kept."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from restore_drill.keep.kept import Kept, kept_servers
from tests.helpers.drills import ROOT

PATIENCE = 20.0


def kept_in(place: Path) -> list[Kept]:
    """What is kept below `place`."""
    return [each for each in kept_servers() if each.run.parent == place]


def command(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run `python -m drill` in a process of its own."""
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PGDATABASE": "nowhere"}
    return subprocess.run(
        [sys.executable, "-m", "drill", *arguments], cwd=ROOT, env=environment, input=stdin,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def awaited(gone: Callable[[], bool]) -> bool:
    """Whether `gone` holds in time."""
    deadline = time.monotonic() + PATIENCE
    while not gone() and time.monotonic() < deadline:
        time.sleep(0.05)
    return gone()


def answer(command: str) -> str:
    """What a command line that was shown to the user answers."""
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    return done.stdout.strip()
