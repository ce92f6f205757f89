"""A finding: one thing that is not as it was measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from restore_drill.core.units import some

LOST, CHANGED, ADDED, ROWS, DATABASE = "lost", "changed", "added", "rows", "database"

FEW = 3
"""Names in the line of a finding that went with it; others have lines of their own."""


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was measured.

    `what` is LOST, CHANGED, ADDED, ROWS or DATABASE; `description` is the end of a sentence that
    begins with its `title`; `now` identifies the state that was found, `rows` counts;
    `with_it` names what went with it, `fails` whether it speaks against the backup, `why` it does
    not; `against` and `marks` are of the measures.
    """

    what: str
    kind: str
    name: str
    description: str
    now: str = ""
    rows: int | None = None
    with_it: tuple[str, ...] = ()
    fails: bool = True
    against: str = ""
    marks: tuple[str, ...] = ()
    why: str = ""

    @property
    def title(self) -> str:
        """`constraint public.cards.cards_artist_id_fkey`."""
        return f"{self.kind} {self.name}"

    @property
    def line(self) -> str:
        """The finding in a sentence, with what went with it."""
        more = ""
        if self.with_it:
            more = f" (with it: {some(self.with_it, FEW)})"
        return f"{self.title} {self.description}{more}"

    @property
    def details(self) -> list[str]:
        """What went with it and is not in its line, a line each."""
        return [f"  with it: {name}" for name in self.with_it[FEW:]]

    def noted(self, why: str) -> Self:
        """The same as something to know: it fails nothing."""
        return replace(self, fails=False, why=why)

    def as_json(self) -> dict[str, Any]:
        """What result.json and the state hold of it."""
        found: dict[str, Any] = {
            "what": self.what,
            "object": self.title,
            "description": self.description,
            "now": self.now,
        }
        found |= {"against": self.against, "marks": list(self.marks)}
        return (
            found
            | ({"rows": self.rows} if self.rows is not None else {})
            | ({"with_it": list(self.with_it)} if self.with_it else {})
            | ({"why": self.why} if self.why else {})
        )
