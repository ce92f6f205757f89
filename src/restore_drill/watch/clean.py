"""`restore-drill clean`: remove what drills that were killed have left."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from restore_drill.config.environment import read_environment
from restore_drill.config.values import checked_database_url
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.printable import printable
from restore_drill.live.absent import open_live_at
from restore_drill.live.left_overs import drop_left_overs
from restore_drill.redis.folders import clean_left_over_redis
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.cleanup import clean_left_overs
from restore_drill.servers.containers import clean_left_over_containers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has no options."""
    del parser


def run(parsed: argparse.Namespace, root: Path) -> int:
    """Remove only what carries a drill's name and is dead."""
    del parsed
    lines = []
    cleaned = clean_left_overs() + clean_left_over_redis()
    try:
        dropped, kept = clean_databases(root)
        cleaned += dropped
        lines += kept
    except (CouldNotRun, UsageError) as error:
        what = error.what if isinstance(error, CouldNotRun) else str(error)
        lines.append(f"databases were not checked: {what}")
    try:
        cleaned += clean_left_over_containers()
    except CouldNotRun as error:
        lines.append(f"containers were not checked: {error.what}")
    lines += cleaned or ["nothing left over"]
    lines += [f"{len(cleaned)} cleaned"] if cleaned else []
    sys.stdout.write("\n".join(map(printable, lines)) + "\n")
    return 0


def clean_databases(root: Path) -> tuple[list[str], list[str]]:
    """Drop what drills have left beside the database in DATABASE_URL, where that is set.

    Raises CouldNotRun and UsageError.
    """
    url = read_environment(Path.cwd(), root).get("DATABASE_URL")
    if not url:
        return [], []
    url = checked_database_url(url)
    # No tool is run, so none is looked for.
    live = open_live_at(url, lambda major: Binaries(Path(), (major, 0), "not needed"))
    return drop_left_overs(live)
