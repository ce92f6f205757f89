"""What a run shows while it runs: a line as each drill ends, and how far all is."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable

from restore_drill.core.printable import printable
from restore_drill.fleet.pool.book import Progress
from restore_drill.fleet.report.lines import cut, ended_line, fitted, progress_line
from restore_drill.fleet.report.outcome import Outcome

EVERY = 10.0
"""Seconds between two lines of progress in a log; a terminal has one that is written anew."""
USUAL = 80
"""Columns of a terminal that does not say."""
COLOURS = {"good": "32", "warn": "33", "bad": "31", "head": "1"}
CLEAR = "\r\x1b[K"


class Screen:
    """Standard output; names of databases are aligned to `width` characters."""

    def __init__(self, width: int = 0) -> None:
        """Nothing is shown yet."""
        self.stream, self.width = sys.stdout, width
        self.is_terminal = self.stream.isatty() and os.environ.get("TERM") != "dumb"
        self.has_colours = self.is_terminal and not os.environ.get("NO_COLOR")
        self.told = time.monotonic()
        self.has_progress = False
        self.reasons: set[str] = set()

    def line(self, kind: str, text: str) -> None:
        """Show a line, coloured by its kind: `good`, `warn`, `bad`, `head`, or anything else."""
        self.clear()
        text = fitted(text, self.stream.encoding)
        if self.has_colours and kind in COLOURS:
            text = f"\x1b[{COLOURS[kind]}m{text}\x1b[0m"
        self.stream.write(f"{text}\n")
        self.stream.flush()

    def lines(self, found: Iterable[tuple[str, str]]) -> None:
        """Show several of them."""
        for kind, text in found:
            self.line(kind, text)

    def ended(self, outcome: Outcome) -> None:
        """Show how the drill of a database has ended.

        What kept one from beginning is shown once: the summary names all.
        """
        if outcome.state == "not-begun" and outcome.why in self.reasons:
            return
        self.reasons |= {outcome.why} if outcome.state == "not-begun" else set()
        self.line(*ended_line(outcome, self.width))

    def progress(self, now: Progress) -> None:
        """Show how far all is: at once on a terminal, every few seconds in a log."""
        if now.note:
            self.line("warn", printable(now.note))
        text = progress_line(now.done, now.total, now.running, now.seconds_left)
        if now.done == now.total:
            self.clear()
        elif self.is_terminal:
            columns = os.get_terminal_size(self.stream.fileno()).columns or USUAL
            shown = cut(fitted(text, self.stream.encoding), max(columns - 1, 1))
            self.stream.write(CLEAR + shown)
            self.stream.flush()
            self.has_progress = True
        elif time.monotonic() - self.told >= EVERY:
            self.told = time.monotonic()
            self.line("plain", text)

    def clear(self) -> None:
        """Take the line of progress away."""
        if self.has_progress:
            self.stream.write(CLEAR)
            self.has_progress = False
