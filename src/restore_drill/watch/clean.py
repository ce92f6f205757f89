"""`restore-drill clean`: remove what drills that were killed have left."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.printable import printable
from restore_drill.redis.folders import clean_left_over_redis
from restore_drill.servers.cleanup import clean_left_overs
from restore_drill.servers.containers import clean_left_over_containers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has no options."""
    del parser


def run(parsed: argparse.Namespace, root: Path) -> int:
    """Remove only what carries a drill's name and is dead."""
    del parsed, root
    lines = []
    cleaned = clean_left_overs() + clean_left_over_redis()
    try:
        cleaned += clean_left_over_containers()
    except CouldNotRun as error:
        lines.append(f"containers were not checked: {error.what}")
    lines += cleaned or ["nothing left over"]
    lines += [f"{len(cleaned)} cleaned"] if cleaned else []
    sys.stdout.write("\n".join(map(printable, lines)) + "\n")
    return 0
