"""Whether what a text names is there: what views and functions have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from restore_drill.core.units import show_count
from restore_drill.facts.answers import Outcome
from restore_drill.facts.survey import some

NO_PRIVILEGE = "42501"
USUAL_PATH = "SET LOCAL search_path TO DEFAULT"


@dataclass(frozen=True)
class Resolved:
    """What came of resolving a text; `by_path` where only a wide search_path does it."""

    outcome: Outcome
    by_path: bool = False


def needs_path(kind: str, names: Sequence[str]) -> Iterator[str]:
    """Note on those `names` that the default search_path does not resolve, and another one does."""
    if names:
        yield (
            f"{show_count(len(names), kind)} would work only with a search_path that "
            f"the application sets, not with the default one: {some(names)}"
        )
