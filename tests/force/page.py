"""The page that holds the tables."""

from __future__ import annotations

from collections.abc import Sequence

from tests.helpers.drills import ROOT

PAGE = ROOT / "docs" / "force.md"


def put_into_page(heading: str, lines: Sequence[str]) -> None:
    """Replace what follows `heading`, up to the next one of its kind."""
    head, found, rest = PAGE.read_text().partition(f"## {heading}\n")
    _, following, tail = rest.partition("\n## ")
    PAGE.write_text(f"{head}{found}\n" + "\n".join(lines) + f"\n{following}{tail}")
