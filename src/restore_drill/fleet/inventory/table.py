"""The inventory as a table, for people."""

from __future__ import annotations

from restore_drill.core.printable import printable
from restore_drill.core.units import show_count, show_duration
from restore_drill.fleet.model import Database, Inventory

HEAD = ("name", "source", "series", "owner", "every", "labels")
MARK = "*"
"""Stands before the name of a database that nobody has named."""
WIDEST = 48
"""Characters of a column that others are put in line with; a longer text is not cut."""


def lines_of(inventory: Inventory) -> list[str]:
    """A line for each database, below a head: name, source, series, owner, every, labels.

    Those that discovery has found and nobody has named are marked, and counted in a last line.
    """
    new = set(inventory.undecided)
    rows = [HEAD, *(row_of(each, is_new=name in new) for name, each in inventory.databases.items())]
    widths = [min(WIDEST, max(map(len, column))) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    count = show_count(len(inventory.databases), "database")
    if not new:
        return [*lines, "", count]
    is_one = len(new) == 1
    what = f"{len(new)} new ({MARK}): {'it is' if is_one else 'they are'} drilled by the defaults"
    hint = f"name {'it' if is_one else 'them'} under [databases], or ignore under [[discover]]"
    return [*lines, "", f"{count}, {what}; {hint}"]


def row_of(database: Database, *, is_new: bool) -> tuple[str, ...]:
    """What the table shows of `database`."""
    labels = " ".join(f"{name}={value}" for name, value in sorted(database.labels.items()))
    row = (
        f"{MARK} {database.name}" if is_new else database.name,
        database.source,
        database.series or "-",
        database.owner or "-",
        show_duration(database.every) if database.every else "-",
        labels or "-",
    )
    return tuple(map(printable, row))
