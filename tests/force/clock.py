"""A clock that jumps, for one process and its children: a library that is loaded before all others.

Where there is no C compiler, or no Linux, these cases are left out, and the table says so.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from pathlib import Path

from tests.force.world import World

SOURCE = Path(__file__).with_name("clock.c")


def why_no_clock() -> str:
    """Why no clock can be moved here; empty where it can."""
    if sys.platform != "linux":
        return "a clock is moved for one process on Linux only"
    return "" if shutil.which("cc") else "there is no C compiler (cc)"


def set_clock(world: World, seconds: int) -> None:
    """Move the clock of all commands `with_clock`."""
    path = world.folder / "clock"
    with path.open("r+b" if path.exists() else "w+b") as file:
        file.write(struct.pack("=q", seconds))


def with_clock(world: World, environment: dict[str, str]) -> dict[str, str]:
    """`environment` of a command whose clock can be moved."""
    library = world.folder / "clock.so"
    if not library.exists():
        command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE)]
        subprocess.run(command, check=True)
    set_clock(world, 0)
    return environment | {
        "LD_PRELOAD": str(library),
        "FORCE_CLOCK": str(world.folder / "clock"),
    }
