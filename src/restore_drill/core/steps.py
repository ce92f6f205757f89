"""What the engine needs of the writer of step lines."""

from __future__ import annotations

from typing import Protocol


class Steps(Protocol):
    """Writes one line for each result of a stage."""

    def ok(self, text: str) -> None:
        """A result that is as it should be."""

    def bad(self, text: str) -> None:
        """A result that is not."""

    def warn(self, text: str) -> None:
        """Something to know that does not fail the drill."""

    def note(self, text: str) -> None:
        """A plain fact."""

    def step(self, number: int, title: str) -> None:
        """`Step 5: Restoring the database`."""

    def line(self, text: str = "") -> None:
        """One plain line."""

    def progress(self, text: str) -> None:
        """What a long stage is doing."""

    def clear_progress(self) -> None:
        """Take the progress line away."""
