"""The table of `make force`: a row for each way and injection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.force.judge import RESET, SWAPPED, UNTOUCHED
from tests.force.run import Result

HEAD = (
    "way", "injection", "injected", "live untouched", "swapped, both whole",
    "reset, snapshot whole", "writes acknowledged", "lost", "left over", "cleaned",
    "silent or untrue",
)  # fmt: skip


def table(results: Sequence[Result], left_out: Sequence[str]) -> Iterator[str]:
    """Lines of the table, in Markdown."""
    yield "| " + " | ".join(HEAD) + " |"
    yield "|" + "---|" * len(HEAD)
    for way in dict.fromkeys(each.way for each in results):
        of_way = [each for each in results if each.way == way]
        for injection in sorted({each.injection for each in of_way}):
            yield row(way, injection, [each for each in of_way if each.injection == injection])
    yield row("**all**", "", results)
    yield from ("", *left_out) if left_out else ()


def row(way: str, injection: str, results: Sequence[Result]) -> str:
    """One row."""
    left = [each for each in results if each.left]
    cells = [
        way, injection, sum(each.reached for each in results),
        *(sum(each.state == what for each in results) for what in (UNTOUCHED, SWAPPED, RESET)),
        sum(each.writes for each in results), sum(bool(each.lost) for each in results),
        len(left), sum(each.is_cleaned for each in left),
        sum(bool(each.silent or each.lies) for each in results),
    ]  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"
