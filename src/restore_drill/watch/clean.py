"""`restore-drill clean`: remove what drills that were killed have left."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from restore_drill.config.environment import read_environment
from restore_drill.config.settings import settings_here
from restore_drill.config.values import checked_database_url
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.printable import printable
from restore_drill.live.absent import open_live_at
from restore_drill.live.interrupted import settle_interrupted
from restore_drill.live.left_overs import drop_left_overs
from restore_drill.live.safety import snapshot_folder
from restore_drill.live.undecided import undecided_in
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
    for what, look in (("swaps", settle_swaps), ("databases", clean_databases)):
        try:
            done, kept = look(root)
            cleaned += done
            lines += kept
        except (CouldNotRun, UsageError) as error:
            why = error.what if isinstance(error, CouldNotRun) else str(error)
            lines.append(f"{what} were not checked: {why}")
    try:
        cleaned += clean_left_over_containers()
    except CouldNotRun as error:
        lines.append(f"containers were not checked: {error.what}")
    lines += cleaned or ["nothing left over"]
    lines += [f"{len(cleaned)} cleaned"] if cleaned else []
    sys.stdout.write("\n".join(map(printable, lines)) + "\n")
    return 0


def settle_swaps(root: Path) -> tuple[list[str], list[str]]:
    """Note the end of swaps that were interrupted, and name snapshots without a verdict.

    Both lie in the folder of the snapshots, where BACKUP_PATH is set. Raises CouldNotRun and
    UsageError.
    """
    if not read_environment(Path.cwd(), root).get("DATABASE_URL"):
        return [], []
    settings = settings_here({"target": "database"}, root)
    if settings.is_sample:
        return [], []
    folder = snapshot_folder(settings)
    settled = settle_interrupted(folder, settings.database_url or "", no_tools)
    waiting = [
        f"a drill in place was stopped before its verdict: {path} holds what was there before, "
        "and the next drill in place names the command that rolls back to it"
        for path in undecided_in(folder)
    ]
    return settled, waiting


def clean_databases(root: Path) -> tuple[list[str], list[str]]:
    """Drop what drills have left beside the database in DATABASE_URL, where that is set.

    Raises CouldNotRun and UsageError.
    """
    url = read_environment(Path.cwd(), root).get("DATABASE_URL")
    if not url:
        return [], []
    url = checked_database_url(url)
    return drop_left_overs(open_live_at(url, no_tools))


def no_tools(major: int) -> Binaries:
    """Stands for the client tools of a server where none of them is run."""
    return Binaries(Path(), (major, 0), "not needed")
