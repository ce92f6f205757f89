"""Builds of PostgreSQL where the account of root's servers can run them."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from restore_drill.servers.cache import UNFINISHED, cache_dir, put
from restore_drill.servers.launcher import choose_launcher

SHARED = Path("/var/cache/restore-drill-tests")


def share_with_servers() -> None:
    """Give root's drills a cache that the account of their servers can enter.

    From root's own, each drill copies the build: a fifteenth of its work.
    What others keep in root's cache stays where it is. Where SHARED cannot be made, all does.
    """
    own = cache_dir()
    own.parent.mkdir(parents=True, exist_ok=True)  # a new account has none
    if os.geteuid() or choose_launcher().can_enter(own.parent):
        return
    with suppress(OSError):
        (SHARED / own.name / "postgresql").mkdir(parents=True, exist_ok=True)
        for build in own.glob("postgresql/[0-9]*"):
            take(build, SHARED / own.name / "postgresql" / build.name)
        for other in set(own.parent.iterdir()) - {own}:
            with suppress(FileExistsError):
                (SHARED / other.name).symlink_to(other)
        os.environ["XDG_CACHE_HOME"] = str(SHARED)


def take(build: Path, target: Path) -> None:
    """Have the files of `build` at `target` too, without taking room where links can be made."""
    if target.exists():
        return
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=target.parent) as staging:
        copy = Path(staging) / "build"
        shutil.copytree(build, copy, symlinks=True, copy_function=link)
        put(copy, target)


def link(source: str, target: str) -> None:
    """Link `target` to the file `source`, or copy it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
