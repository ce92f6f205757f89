"""`restore-drill shell`: open psql in the newest kept server."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.servers.kept import kept_servers

PASSES_ON = True
"""What the command does not know is psql's."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All else is handed to psql."""
    parser.epilog = "Other options are psql's: -c 'SELECT 1', -f FILE."


def run(parsed: argparse.Namespace, root: Path, rest: Sequence[str]) -> int:
    """Become psql; raises CouldNotRun where no server has been kept, or there is no psql."""
    del parsed, root
    if rest[:1] == ["redis"]:
        raise CouldNotRun(
            "Redis is not kept: the embedded one holds only the drill's own keys",
            remedy=remedy_for("shell", "redis"),
        )
    kept = kept_servers()
    if not kept:
        raise CouldNotRun("no server has been kept", remedy=remedy_for("shell", "none"))
    newest = kept[0]
    if not newest.psql.is_file():
        raise CouldNotRun(
            f"there is no {newest.psql}", remedy=remedy_for("shell", "no_psql", way=newest.conninfo)
        )
    if more := kept[1:]:
        sys.stderr.write(f"{len(more)} older kept: " + "; ".join(e.command for e in more) + "\n")
    sys.stderr.flush()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    command = [str(newest.psql), newest.conninfo, *rest]
    os.execve(command[0], command, environment)  # noqa: S606 - no shell is wanted
