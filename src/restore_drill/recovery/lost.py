"""What the archive's WAL names: when its newest transaction ended, and its restore points."""

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
NAMED = re.compile(r"desc: RESTORE_POINT (.*)")
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
            text = records_in(archive, name, "Transaction", binaries, launcher)
            if times := [found[1] for found in COMMITTED.finditer(text)]:
                return max(datetime.fromisoformat(f"{each}+00:00") for each in times)
    return None


def restore_points(
    archive: Archive, names: Sequence[str], binaries: Binaries, launcher: Launcher
) -> list[str]:
    """Restore points in the segments `names`, in their order, as far as these can be read."""
    found: list[str] = []
    for name in names:
        with suppress(DrillError, OSError, subprocess.SubprocessError):
            found += NAMED.findall(records_in(archive, name, "XLOG", binaries, launcher))
    return found


def records_in(
    archive: Archive, name: str, kind: str, binaries: Binaries, launcher: Launcher
) -> str:
    """The records of a `kind` in the segment `name`, as far as it can be read."""
    with tempfile.TemporaryDirectory(prefix="restore-drill-wal-") as folder:
        path = Path(folder) / name
        if not archive.fetch(name, path):
            return ""
        launcher.own(Path(folder), path)
        answer = launcher.run(
            [binaries.tool("pg_waldump"), f"--rmgr={kind}", str(path)],
            cwd=Path(folder),
            env=small_environment(binaries, folder) | {"LC_ALL": "C"},
        )
    return answer.stdout
