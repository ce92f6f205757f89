"""Metrics of several series in one file, which each drill of a run writes for its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from restore_drill.watch.metrics import shown

Blocks = dict[str, tuple[list[str], list[str]]]
"""Comments and values of each metric, by its name."""


def with_others(text: str, path: Path, series: Collection[str]) -> str:
    """`text` with what the file at `path` holds of other `series`; of no others anything stays.

    A series may have its place behind its name, in brackets.
    """
    try:
        old = path.read_text(encoding="utf-8").splitlines() if series else []
    except (OSError, ValueError):
        old = []
    labels = [shown({"series": each}).removesuffix('"}') for each in series]
    found = blocks_of(text.splitlines())
    for name, (comments, values) in blocks_of(old).items():
        begins = tuple(f"{name}{label}{end}" for label in labels for end in ('",', '"}', " ("))
        if kept := [value for value in values if value.startswith(begins)]:
            found.setdefault(name, (comments, []))[1].extend(kept)
    lines = [line for comments, values in found.values() for line in (*comments, *values)]
    return "\n".join([*lines, ""])


def blocks_of(lines: Iterable[str]) -> Blocks:
    """What `lines` say of each metric, in their order."""
    found: Blocks = {}
    for line in lines:
        is_comment = line.startswith(("# HELP ", "# TYPE "))
        name = line.split(" ", maxsplit=3)[2] if is_comment else line.partition("{")[0]
        if is_comment or name != line:
            found.setdefault(name, ([], []))[0 if is_comment else 1].append(line)
    return found
