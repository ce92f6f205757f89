"""The inventory as a table, for people."""

from __future__ import annotations

from restore_drill.core.printable import printable
from restore_drill.core.units import show_count, show_duration
from restore_drill.fleet.model import Database, Inventory

HEAD = ("name", "source", "series", "owner", "every", "labels")
MARK = "*"
"""Stands before the name of a database that nobody has named."""
UNLISTED = "!"
"""Stands before a place that cannot be listed."""
WIDEST = 48
"""Characters of a column that others are put in line with; a longer text is not cut."""


def lines_of(inventory: Inventory) -> list[str]:
    """A line for each database, below a head: name, source, series, owner, every, labels.

    Those that discovery has found and nobody has named are marked, and counted in a last line.
    Places that cannot be listed are marked too, with the reason below.
    """
    new = set(inventory.undecided)
    rows = [HEAD, *(row_of(each, is_new=name in new) for name, each in inventory.databases.items())]
    widths = [min(WIDEST, max(map(len, column))) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    unlisted = [each for each in inventory.databases.values() if each.unlisted]
    lines += ["", *map(unlisted_line, unlisted)] if unlisted else []
    count = show_count(len(inventory.databases) - len(unlisted), "database")
    if not new:
        return [*lines, "", count]
    is_one = len(new) == 1
    what = f"{len(new)} new ({MARK}): {'it is' if is_one else 'they are'} drilled by the defaults"
    hint = f"name {'it' if is_one else 'them'} under [databases], or ignore under [[discover]]"
    return [*lines, "", f"{count}, {what}; {hint}"]


def unlisted_line(place: Database) -> str:
    """`COULD NOT RUN  s3://backups: it cannot be listed: ... (fleet.toml, line 3)`."""
    return printable(
        f"COULD NOT RUN  {place.name}: {place.unlisted}; what lies there is neither shown nor "
        f"drilled ({place.where})"
    )


def row_of(database: Database, *, is_new: bool) -> tuple[str, ...]:
    """What the table shows of `database`."""
    labels = " ".join(f"{name}={value}" for name, value in sorted(database.labels.items()))
    mark = UNLISTED if database.unlisted else MARK if is_new else ""
    row = (
        f"{mark} {database.name}" if mark else database.name,
        database.source,
        database.series or "-",
        database.owner or "-",
        show_duration(database.every) if database.every else "-",
        labels or "-",
    )
    return tuple(map(printable, row))
