"""The WAL behind the end of a base backup: received by segments, and which commits are in it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.physical.model import lsn_of, show_lsn
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.server_lines import safe_lines
from restore_drill.manifest.dump_causes import dump_remedy
from restore_drill.servers.model import Target

SECONDS = 120.0
"""So long the server may take to send what it has written already."""
PART = ".partial"
RECORD = re.compile(
    r"tx:\s+(?P<xid>\d+), lsn: (?P<lsn>[0-9A-F]+/[0-9A-F]+), prev (?P<prev>[0-9A-F]+/[0-9A-F]+),"
    r" desc: (?P<what>\w+)(?: (?P<prepared>\d+):)?"
)
"""A record as pg_waldump shows it; a prepared transaction is committed under another's number."""
COMMITS = {"COMMIT", "COMMIT_PREPARED"}


class Commit(NamedTuple):
    """The commit record of the transaction `xid` (its lower 32 bits), and the record before it."""

    xid: int
    lsn: int
    before: int


@dataclass(frozen=True)
class Wal:
    """Segments of the server `target` in `folder`, from the one called `first` on.

    `waldump` is the pg_waldump of the server's own major: no other reads its WAL.
    """

    target: Target
    folder: Path
    first: str
    waldump: str

    @property
    def segments(self) -> list[Path]:
        """What was received, in its order; the last one is filled up with zeros."""
        return sorted(self.folder.iterdir())

    def receive(self, until: int) -> None:
        """Receive what is written up to the LSN `until`; CouldNotRun where the server has not it.

        The last segment is received anew: it has grown.
        """
        *_, last = self.segments or [self.folder / self.first]
        part = last.with_name(last.name + PART)
        if last.exists():
            last.rename(part)
        else:
            part.touch()  # an empty one tells pg_receivewal where to begin
        run(
            [
                self.target.binaries.tool("pg_receivewal"), f"--directory={self.folder}",
                f"--endpos={show_lsn(until - 1)}", "--no-loop", "--no-sync", "--no-password",
            ],
            self.target,
        )  # fmt: skip
        for each in self.folder.glob(f"*{PART}"):
            each.rename(each.with_name(each.name.removesuffix(PART)))

    def commits(self, start: int, end: int) -> list[Commit]:
        """Commits whose records begin at `start` or behind it, and before `end`."""
        found = []
        for line in self.records(start, end, "--rmgr=Transaction"):
            if (record := RECORD.search(line)) and record["what"] in COMMITS:
                xid = int(record["prepared"] or record["xid"])
                found.append(Commit(xid, lsn_of(record["lsn"]), lsn_of(record["prev"])))
        return found

    def last_record(self, start: int, end: int) -> int | None:
        """Where the last record before `end` begins; None where there is none."""
        found = [each for line in self.records(start, end) if (each := RECORD.search(line))]
        return lsn_of(found[-1]["lsn"]) if found else None

    def records(self, start: int, end: int, *options: str) -> list[str]:
        """Lines of pg_waldump on the records between the two."""
        return run(
            [
                self.waldump, f"--path={self.folder}", f"--timeline={int(self.first[:8], 16)}",
                f"--start={show_lsn(start)}", f"--end={show_lsn(end)}", *options,
            ],
            self.target,
        ).splitlines()  # fmt: skip


def run(command: list[str], target: Target) -> str:
    """Output of a tool that is given the way to `target`; CouldNotRun where it fails."""
    name = Path(command[0]).name
    try:
        done = subprocess.run(
            command, env=target.tool_environment, stdin=subprocess.DEVNULL, capture_output=True,
            timeout=SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise no_wal(target, [f"{name} did not end within {SECONDS:.0f} s"]) from None
    if done.returncode:
        lines = safe_lines(done.stderr.decode("utf-8", "replace").splitlines())
        raise no_wal(target, lines[-3:] or [f"{name} ended with exit code {done.returncode}"])
    return done.stdout.decode("utf-8", "replace")


def no_wal(target: Target, reasons: list[str]) -> CouldNotRun:
    """The WAL behind the backup cannot be had, or not be read."""
    return CouldNotRun(
        f"the WAL of {target.description} cannot be read",
        checked=reasons,
        remedy=dump_remedy(reasons),
    )
