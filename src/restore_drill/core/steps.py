"""The drill's step lines, in the order of the guide that users know."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from restore_drill.core.printable import printable

SIGNS = {"ok": ("✓", "[ok]"), "bad": ("✗", "[FAILED]"), "warn": ("!", "[!]"), "note": ("·", "-")}
COLOURS = {"ok": "green", "bad": "red", "warn": "yellow"}
LOG_INTERVAL = 5.0
"""Seconds between two progress lines in a log."""


class Terminal(Protocol):
    """What is needed of a terminal: pytest's reporter has all of it."""

    @property
    def isatty(self) -> bool:
        """Whether a person sees it, and not a log."""

    def ensure_newline(self) -> None:
        """Begin a line."""

    def write(self, content: str, *, flush: bool = False) -> None:
        """Write without an end of the line."""

    def write_line(self, line: str, **markup: bool) -> None:
        """Write one line."""

    def rewrite(self, line: str, **markup: bool) -> None:
        """Write over the line that stands there."""

    def flush(self) -> None:
        """Show what was written."""


Opened = Callable[[], AbstractContextManager[Terminal | None]]
"""Gives the terminal for as long as something is written; None where it is to be quiet."""


class Steps:
    """Writes step lines to the terminal that `opened` gives, `width` columns wide.

    Signs are ASCII where the stream is not UTF-8.
    """

    def __init__(self, opened: Opened, width: Callable[[], int]) -> None:
        """Look at the stream, which must not be captured; nothing is written yet."""
        self.opened = opened
        self.width = width
        encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        self.ascii = not encoding.lower().replace("-", "").startswith("utf")
        self.is_muted = False
        self.number = 0
        self.last_progress = time.monotonic()
        self.is_rewriting = False

    def step(self, number: int, title: str) -> None:
        """`Step 5: Restoring the database`."""
        self.number = number
        self.line(f"Step {number}: {title}", bold=True)

    def reach(self, number: int, title: str) -> None:
        """The same, unless that step has begun already."""
        if self.number < number:
            self.step(number, title)

    def ok(self, text: str) -> None:
        """A result that is as it should be."""
        self.signed("ok", text)

    def bad(self, text: str) -> None:
        """A result that is not."""
        self.signed("bad", text)

    def warn(self, text: str) -> None:
        """Something to know that does not fail the drill."""
        self.signed("warn", text)

    def note(self, text: str) -> None:
        """A plain fact."""
        self.signed("note", text)

    def signed(self, kind: str, text: str) -> None:
        """One line with the sign of `kind`."""
        sign = SIGNS[kind][1 if self.ascii else 0]
        colour = COLOURS.get(kind)
        self.line(f"{sign} {text}", **({colour: True} if colour else {}))

    def line(self, text: str = "", **markup: bool) -> None:
        """One line, whatever `text` holds."""
        with self.terminal() as terminal:
            if terminal is None:
                return
            self.erase(terminal)
            terminal.ensure_newline()
            terminal.write_line(self.shown(text), **markup)

    def shown(self, text: str) -> str:
        """`text` on one line, as the terminal can show it."""
        text = printable(text)
        return text.encode("ascii", "replace").decode() if self.ascii else text

    def progress(self, text: str) -> None:
        """What a long stage is doing: rewritten in place on a terminal, now and then in a log."""
        with self.terminal() as terminal:
            if terminal is None:
                return
            if terminal.isatty:
                terminal.rewrite(f"  {self.shown(text)}"[: self.width() - 1], erase=True)
                terminal.flush()
                self.is_rewriting = True
            elif time.monotonic() - self.last_progress >= LOG_INTERVAL:
                self.last_progress = time.monotonic()
                terminal.write_line(f"  {self.shown(text)}")

    def clear_progress(self) -> None:
        """Take the progress line of a terminal away, and start the clock of a log anew."""
        self.last_progress = time.monotonic()
        with self.terminal() as terminal:
            if terminal is not None:
                self.erase(terminal)

    def erase(self, terminal: Terminal) -> None:
        """Take a progress line away and go back to where it began."""
        if self.is_rewriting:
            terminal.rewrite("", erase=True)
            terminal.write("\r", flush=True)
            self.is_rewriting = False

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Write nothing of what is reported inside."""
        self.is_muted = True
        try:
            yield
        finally:
            self.is_muted = False

    @contextmanager
    def terminal(self) -> Iterator[Terminal | None]:
        """The terminal, None where it is to be quiet; a log is followed while the drill runs."""
        if self.is_muted:
            yield None
            return
        with self.opened() as terminal:
            yield terminal
            if terminal is not None:
                terminal.flush()
