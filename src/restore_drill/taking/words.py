"""What `restore-drill backup` says: how far it is, and what it has taken."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from shlex import quote

from restore_drill.core.calling import DRILL
from restore_drill.core.printable import printable
from restore_drill.core.units import show_bytes, show_count, show_duration, show_time
from restore_drill.manifest.file import SUFFIX
from restore_drill.taking.files import Taken

LOG_INTERVAL = 5.0
"""Seconds between two progress lines in a log."""


def report(taken: Taken, seconds: float, note: Callable[[str], None]) -> None:
    """Report what was taken."""
    manifest, fingerprint = taken.manifest, taken.manifest.fingerprint
    for line in taken.warnings:
        note(f"pg_dump: {line.removeprefix('pg_dump: ')}")
    note(f"backup: {taken.path}")
    note(f"  {manifest.format}, {show_bytes(manifest.size)}, SHA-256 {manifest.sha256}")
    note(f"  {show_time(manifest.taken_at)}, by pg_dump {manifest.pg_dump} from {manifest.server}")
    parts = [
        show_count(len(fingerprint.tables), "table"),
        show_count(fingerprint.rows, "row"),
        show_count(len(fingerprint.sequences), "sequence"),
        show_count(fingerprint.large_objects.count, "large object"),
    ]
    note(f"manifest: {manifest.backup}{SUFFIX}: {', '.join(parts)}")
    if manifest.roles:
        note(f"roles: {manifest.roles}, without passwords")
    for what, why in fingerprint.left_out:
        note(f"  without fingerprint: {what} ({why})")
    # With the place, or no history would know of the proof, nor retention by it.
    place = f"BACKUP_PATH={quote(taken.path.rpartition('/')[0])}"
    drill = f"{place} {DRILL} --backup {quote(taken.path)}"
    note(f"done in {show_duration(seconds)}; drill it: {drill}")


class ProgressLine:
    """One line on a terminal that is rewritten, or a line now and then in a log."""

    def __init__(self) -> None:
        """Write to standard error."""
        self.is_terminal = sys.stderr.isatty()
        self.last = time.monotonic()
        self.is_shown = False

    def show(self, text: str) -> None:
        """Show what is going on."""
        if self.is_terminal:
            sys.stderr.write(f"\r\x1b[K  {printable(text)[:78]}")
            sys.stderr.flush()
            self.is_shown = True
        elif time.monotonic() - self.last >= LOG_INTERVAL:
            self.last = time.monotonic()
            sys.stderr.write(f"  {printable(text)}\n")

    def clear(self) -> None:
        """Take the line of a terminal away."""
        if self.is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self.is_shown = False
