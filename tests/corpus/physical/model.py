"""One damage of a physical backup, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.corpus.physical.look import (
    RECOVERY,
    REFUSED,
    UNABLE,
    WHOLE,
    Asked,
    Seen,
)
from tests.corpus.physical.sources import Made

PAGES, ENTRIES, STORAGE, ROWS, OPENED, READ = (
    "test_every_page_is_sound", "test_index_entries_lead_to_rows",
    "test_tables_and_indexes_are_sound", "test_every_row_can_be_read",
    "test_every_database_can_be_opened", "test_every_database_can_be_read",
)  # fmt: skip
TARGET, WAL, SERVER = (
    "test_recovery_reached_its_target", "test_wal_is_complete",
    "test_files_and_wal_are_of_one_server",
)  # fmt: skip
SILENT, TOLD, EITHER = "not noticeable", "told", "any"
__all__ = [
    "EITHER", "ENTRIES", "OPENED", "PAGES", "READ", "RECOVERY", "REFUSED", "ROWS", "SERVER",
    "SILENT", "STORAGE", "TARGET", "TOLD", "UNABLE", "WAL", "WHOLE", "Damage", "Row",
]  # fmt: skip

Do = Callable[[Made, Path], Asked | None]
"""Damages the copy in a folder; what is drilled then, None for the copy as it is."""


@dataclass(frozen=True)
class Damage:
    """A damage to the `kind` of backup that `takes` gives of a source.

    `expected` is the criterion that must be red, or SILENT or TOLD with the reason `why`; words of
    what is told or of the message must hold `words`.
    """

    what: str
    kind: str
    do: Do
    expected: str
    why: str = ""
    words: str = ""
    takes: Callable[[Made], Path] = lambda made: made.plain
    is_whole: bool = False
    """Whether the copy is the folder itself and everything in it, without a tablespace beside."""


@dataclass(frozen=True)
class Row:
    """A damage that was done, and what the drill saw."""

    damage: Damage
    title: str
    seen: Seen

    @property
    def why_not(self) -> str:
        """What is not as it must be, empty where all is."""
        damage, names = self.damage, self.seen.names
        heard = [*self.seen.told, *self.seen.red.values()]
        is_red = damage.expected not in (SILENT, TOLD)
        wrong = {
            "red": not is_red and bool(names),
            "green": is_red and not (set(names) - {UNABLE} or damage.expected in names),
            "another criterion": is_red and damage.expected not in (EITHER, *names),
            "no reason is given": damage.expected == SILENT and not damage.why,
            f"nothing says {damage.words!r}": not any(damage.words in each for each in heard)
            and bool(damage.words),
            f"a peer finds it: {''.join(self.seen.peers[:1])}": bool(self.seen.peers),
        }
        return next((words for words, is_so in wrong.items() if is_so), "")

    @property
    def line(self) -> str:
        """The row in Markdown."""
        names = [name.removeprefix("test_") for name in self.seen.names]
        must = self.damage.expected.removeprefix("test_")
        why = f" ({self.damage.why})" if self.damage.why else ""
        wrong = f" **{self.why_not}**" if self.why_not else ""
        return (
            f"| {self.damage.what} | {self.damage.kind} | {self.title} | {must}{why} | "
            f"{', '.join(names) or '-'}{wrong} | {self.seen.seconds:.1f} |"
        )

    def message(self) -> str:
        """What a user reads."""
        return "; ".join(f"{name}: {text}" for name, text in self.seen.red.items()) or "green"


def asked(path: Path, given: Asked | None) -> Asked:
    """What is drilled: `given`, or the backup at `path`."""
    return given or replace(Asked(path))
