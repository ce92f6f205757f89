"""The verdict as Markdown, for the summary page of a GitHub Actions run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from restore_drill.core.printable import printable
from restore_drill.core.units import show_count, show_duration
from restore_drill.results.meaning import meaning_of
from restore_drill.results.result import Result
from restore_drill.results.words import (
    SAMPLE,
    describe,
    first_line,
    headline_of,
    problems_of,
    waived_of,
)

MOST_ROWS = 50
MOST_CHARACTERS = 500
"""GitHub takes a megabyte a step: a summary fits also when every criterion has failed."""


def append_summary(path: Path, result: Result) -> None:
    """Append the summary of `result` to the file at `path`; raises OSError."""
    with path.open("a", encoding="utf-8") as file:
        file.write("\n".join(summary_lines(result)) + "\n\n")


def summary_lines(result: Result) -> Iterator[str]:
    """Markdown lines: verdict, what failed, backup, timings, what was not checked."""
    yield f"## {headline_of(result)}"
    yield from ("", escape(meaning_of(result)))
    if result["sample"] and result["verdict"] != "sample":
        yield from ("", f"**{escape(SAMPLE)}**")
    problems = [(c["outcome"], c["id"], first_line(c["message"])) for c in problems_of(result)]
    yield from table(("Outcome", "Criterion", "What was found"), problems)
    waived = [
        (c["id"], first_line(c["message"]), c["waiver"]["reason"], c["waiver"]["expires"])
        for c in waived_of(result)
    ]
    yield from table(("Waived", "What was found", "Why", "Until"), waived)
    yield from table(("Warnings",), [(each,) for each in result["warnings"]])
    yield from table(("Backup", ""), describe(result["backup"]))
    timings = [
        (name, seconds) for name, seconds in result["timings"].items() if seconds is not None
    ]
    yield from table(("Stage", "Time"), [(name, show_duration(spent)) for name, spent in timings])
    yield from table(
        ("Not checked", "Why"), [(entry["what"], entry["why"]) for entry in result["not_checked"]]
    )
    notes = [f"- {escape(note)}" for note in result["notes"][:MOST_ROWS]]
    yield from ["", *notes] if notes else ()


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Markdown table below an empty line; nothing without rows."""
    if not rows:
        return
    yield ""
    yield line(head)
    yield line(["---"] * len(head), raw=True)
    yield from (line(row) for row in rows[:MOST_ROWS])
    if len(rows) > MOST_ROWS:
        yield from ("", f"and {show_count(len(rows) - MOST_ROWS, 'row')} more: see the report")


def line(cells: Iterable[str], *, raw: bool = False) -> str:
    """One row of a Markdown table."""
    return "| " + " | ".join(cell if raw else escape(cell) for cell in cells) + " |"


def escape(text: str) -> str:
    """`text` so that Markdown shows it as it is, on one line and not too long."""
    flat = printable(" ".join(text.split()))
    if len(flat) > MOST_CHARACTERS:
        flat = flat[:MOST_CHARACTERS] + "…"
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]()#|~!$])", r"\\\1", flat)
