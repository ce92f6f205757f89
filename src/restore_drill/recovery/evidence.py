"""What the log of a server says of its recovery: where it began, where it ended, and why there.

The words are those of PostgreSQL 14 to 18 in English, which our settings ask for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from restore_drill.backups.physical.model import lsn_of
from restore_drill.recovery.log import Line
from restore_drill.recovery.model import Evidence, Side

LOCATION = r"([0-9A-F]{1,8}/[0-9A-F]{1,8})"
TIME = r"(\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?\+00)"
REDO = re.compile(rf"redo starts at {LOCATION}")
DONE = re.compile(rf"redo done at {LOCATION}")
CONSISTENT = re.compile(rf"consistent recovery state reached at {LOCATION}")
ENDED = re.compile(
    rf"recovery stopping (before|after) (?:commit|abort) of (?:prepared )?transaction (\d+),"
    rf" time {TIME}"
)
LAST = re.compile(rf"last completed transaction was at log time {TIME}")
BEGAN, STOPPING = "starting backup recovery with redo LSN", "recovery stopping "
ORDINARY = (
    "redo starts at", "redo done at", "redo in progress", "restored log file ",
    "completed backup recovery", "consistent recovery state", "recovery stopping",
    "recovery restart point", "restartpoint ", "recovery has ", "last completed transaction",
    "successfully skipped missing contrecord", "pausing at the end of recovery",
    "recovering prepared transaction", "new target timeline is", "switched WAL source",
)  # fmt: skip
"""How lines begin that a sound recovery writes while it replays."""
SPOKEN = ("LOG", "WARNING")
"""Levels of what the server says of its WAL; refused sessions are FATAL."""
MOST = 20
"""So many complaints are kept."""


@dataclass
class Reading:
    """What has been read of a log so far; times of it in seconds since 1970, 0 for none."""

    began: bool = False
    is_replaying: bool = False
    consistent_at: int | None = None
    stopped: str = ""
    first_out: Side | None = None
    last_xid: int | None = None
    last_at: datetime | None = None
    redo_from: int | None = None
    redo_to: int | None = None
    complaints: list[str] = field(default_factory=list)
    fatal: list[str] = field(default_factory=list)
    started_at: float = 0.0
    replay_began: float = 0.0
    replay_ended: float = 0.0

    def take(self, line: Line) -> None:
        """Take one line in."""
        self.started_at = self.started_at or line.at
        text = line.text
        if line.level in ("FATAL", "PANIC"):
            self.fatal.append(text)
        if text.startswith(BEGAN):
            self.began = True
        elif found := REDO.match(text):
            self.redo_from, self.replay_began = lsn_of(found[1]), line.at
            self.is_replaying = True
        elif found := DONE.match(text):
            self.redo_to, self.replay_ended = lsn_of(found[1]), line.at
            self.is_replaying = False
        elif found := CONSISTENT.match(text):
            self.consistent_at = lsn_of(found[1])
        elif text.startswith(STOPPING):
            self.take_end(text)
        elif found := LAST.match(text):
            self.last_at = datetime.fromisoformat(found[1])
        elif self.is_replaying and line.level in SPOKEN and not text.startswith(ORDINARY):
            del self.complaints[MOST:]
            self.complaints.append(text)

    def take_end(self, text: str) -> None:
        """Take in why recovery stopped."""
        self.stopped = text
        found = ENDED.match(text)
        if found is None:
            return
        if found[1] == "before":
            self.first_out = Side(int(found[2]), datetime.fromisoformat(found[3]))
        else:
            self.last_xid = int(found[2])

    @property
    def last_in(self) -> Side | None:
        """The last transaction that is in."""
        if self.last_at is None and self.last_xid is None:
            return None
        return Side(self.last_xid, self.last_at)

    def evidence(self) -> Evidence:
        """What is known of the recovery by its log alone."""
        return Evidence(
            began=self.began,
            consistent=self.consistent_at is not None,
            stopped=self.stopped,
            last_in=self.last_in,
            first_out=self.first_out,
            redo_from=self.redo_from,
            end_lsn=self.redo_to,
            complaints=tuple(self.complaints),
        )


def read_evidence(lines: Iterable[Line]) -> Reading:
    """Read a whole log."""
    reading = Reading()
    for line in lines:
        reading.take(line)
    return reading
