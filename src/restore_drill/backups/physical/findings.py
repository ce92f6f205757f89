"""What is found out about a physical backup before anything is restored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

MOST_FAULTS = 50
"""So many faults of one kind are named."""


class Verified(NamedTuple):
    """Whether a backup is whole: no `faults` is a positive proof, but for what is `told`.

    `told` has what could not be checked, each with the reason; `read_bytes` were read for that.
    """

    faults: tuple[str, ...] = ()
    told: tuple[tuple[str, str], ...] = ()
    read_bytes: int = 0


@dataclass
class Findings:
    """Takes what is found; `folder` is private and empty, `report` hears of the bytes read."""

    folder: Path
    report: Callable[[int], None]
    faults: list[str] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    done: int = 0
    most: int = 0

    def read(self, size: int) -> None:
        """So many more bytes were read."""
        self.done += size
        self.most = max(self.most, self.done)
        self.report(self.most)

    def fault(self, *lines: str) -> None:
        """Something is wrong."""
        self.faults += [each for each in lines if each not in self.faults]

    def faults_of(self, where: str, lines: Iterable[str]) -> None:
        """What a program says is wrong, each line with `where`; of many the first ones."""
        found = [f"{where}{line}" for line in dict.fromkeys(lines)]
        self.fault(*found[:MOST_FAULTS])
        if more := len(found) - MOST_FAULTS:
            self.fault(*([f"{where}and {more:,} more"] if more > 0 else []))

    def tell(self, what: str, why: str) -> None:
        """Something could not be checked."""
        if (what, why) not in self.told:
            self.told.append((what, why))

    def place(self, name: str) -> Path:
        """A new private folder."""
        number = sum(1 for _ in self.folder.iterdir())
        found = self.folder / f"{name}-{number}"
        found.mkdir(mode=0o700)
        return found

    @property
    def verified(self) -> Verified:
        """All of it."""
        return Verified(tuple(self.faults), tuple(self.told), self.done)
