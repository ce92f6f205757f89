"""Where the output of pg_dump begins and ends, and what its first comments say of the source."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

END_MARKERS = {
    "PostgreSQL database dump complete": False,
    "PostgreSQL database cluster dump complete": True,
}
"""The last comment of pg_dump's output, and of pg_dumpall's (True)."""
CLUSTER_START = "PostgreSQL database cluster dump"
HEAD_LINES = {
    "Dumped from database version ": "source_version",
    "Dumped by pg_dump version ": "dumped_by",
    "Dumped by pg_dumpall version ": "dumped_by",
}


@dataclass
class Frame:
    """Follows the comments and statements of a dump.

    `versions` are those of the source and of pg_dump, as fields of `Head`; `ended` says that the
    end marker was the last thing so far, `appended` at which line more began behind it.
    """

    versions: dict[str, str] = field(default_factory=dict)
    dumped_at: datetime | None = None
    is_cluster: bool = False
    ended: bool = False
    appended: int = 0
    statements: int = 0

    def comment(self, text: str) -> bool:
        """Take in one comment that heads no entry: whether it is an end marker."""
        if text == CLUSTER_START:
            self.is_cluster = True
        elif text in END_MARKERS:
            self.ended = END_MARKERS[text] == self.is_cluster
            return True
        elif text.startswith("Started on "):
            self.dumped_at = time_of(text.removeprefix("Started on "))
        else:
            for opening, key in HEAD_LINES.items():
                if text.startswith(opening):
                    self.versions.setdefault(key, text.removeprefix(opening))
        return False

    def statement(self, line: int) -> None:
        """A statement begins at `line`."""
        self.statements += 1
        if self.ended:
            self.ended, self.appended = False, line

    def fault(self) -> str:
        """What is wrong with the end, empty where it is as pg_dump writes it."""
        if self.ended:
            return ""
        if not self.statements:
            return "it contains no statements"
        if self.appended:
            return (
                f"line {self.appended:,}: more follows pg_dump's end marker, without a "
                "second marker: did another dump start there, or was something appended?"
            )
        if self.versions.get("dumped_by"):
            return (
                "pg_dump's end marker is missing (-- PostgreSQL database dump complete): "
                "the dump was truncated, or its job died"
            )
        return ""


def time_of(text: str) -> datetime | None:
    """Time as pg_dump writes it (`2026-11-23 18:22:20 UTC`); the local zone where it names none."""
    found = re.match(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?: (\w+))?", text.strip())
    if not found:
        return None
    try:
        naive = datetime.fromisoformat(found.group(1))
    except ValueError:
        return None
    if found.group(2) in ("UTC", "GMT"):
        return naive.replace(tzinfo=UTC)
    return naive.astimezone()
