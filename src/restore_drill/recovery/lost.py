"""When the transactions ended that a recovery has not got: by the newest WAL of the archive."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from restore_drill.backups.physical.wal_names import SEGMENT
from restore_drill.core.errors import DrillError
from restore_drill.recovery.model import Archive
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.launcher import Launcher, small_environment

COMMITTED = re.compile(
    r"desc: COMMIT(?:_PREPARED)? (?:\d+: )?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) UTC"
)
MOST = 3
"""So many of the newest segments are looked into: quiet ones hold no transaction."""


def newest_commit(
    archive: Archive, names: Collection[str], timeline: int, binaries: Binaries, launcher: Launcher
) -> datetime | None:
    """When the newest transaction in `archive` on `timeline` ended; None where none is found."""
    begin = f"{timeline:08X}"
    found = sorted(name for name in names if SEGMENT.fullmatch(name) and name[:8] == begin)
    for name in found[: -MOST - 1 : -1]:
        with suppress(DrillError, OSError, subprocess.SubprocessError):
            if times := commits_in(archive, name, binaries, launcher):
                return max(times)
    return None


def commits_in(
    archive: Archive, name: str, binaries: Binaries, launcher: Launcher
) -> Sequence[datetime]:
    """When the transactions in the segment `name` ended, as far as it can be read."""
    with tempfile.TemporaryDirectory(prefix="restore-drill-wal-") as folder:
        path = Path(folder) / name
        if not archive.fetch(name, path):
            return ()
        launcher.own(Path(folder), path)
        answer = launcher.run(
            [binaries.tool("pg_waldump"), "--rmgr=Transaction", str(path)],
            cwd=Path(folder),
            env=small_environment(binaries, folder) | {"LC_ALL": "C"},
        )
    times = (found[1] for found in COMMITTED.finditer(answer.stdout))
    return [datetime.fromisoformat(f"{each}+00:00") for each in times]
