"""The table of `make force ARGS=--fleet`: a row for each fault."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.force.fleet.run import Result

HEAD = (
    "fault", "runs", "injected", "databases", "tried again", "verdicts wrong, missing or twice",
    "left at once", "left after the next run", "changed in the bucket",
)  # fmt: skip


def table(results: Sequence[Result]) -> Iterator[str]:
    """Lines of the table, in Markdown."""
    yield "| " + " | ".join(HEAD) + " |"
    yield "|" + "---|" * len(HEAD)
    for name in dict.fromkeys(each.injection for each in results):
        yield row(name, [each for each in results if each.injection == name])
    yield row("**all**", results)


def row(name: str, results: Sequence[Result]) -> str:
    """One row."""
    cells = [
        name, len(results), sum(each.moment >= 0 for each in results),
        *(sum(getattr(each, what) for each in results) for what in ("databases", "tried_again")),
        sum(len(each.wrong) for each in results), sum(each.left_at_once for each in results),
        *(sum(len(getattr(each, what)) for each in results) for what in ("left", "changed")),
    ]  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"
