"""The inventory as a table, for people."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from restore_drill.core.printable import printable
from restore_drill.core.units import show_count, show_duration
from restore_drill.fleet.model import Database, Inventory

HEAD = ("name", "source", "series", "owner", "every", "labels")
MARK = "*"
"""Stands before the name of a database that nobody has named."""
UNLISTED = "!"
"""Stands before a place that cannot be listed, or holds no backup."""
WIDEST = 48
"""Characters of a column that others are put in line with; a longer text is not cut."""
MOST_SHOWN = 3
"""So many new databases are written out, to be copied into the inventory."""
BARE = re.compile(r"[A-Za-z0-9_-]+")
"""A key of TOML that needs no quotes."""


def lines_of(inventory: Inventory) -> list[str]:
    """A line for each database, below a head: name, source, series, owner, every, labels.

    Those that discovery has found and nobody has named are marked, counted in a last line, and
    written out for the inventory. Places that give nothing are marked too, with the reason below.
    """
    new = [inventory.databases[name] for name in inventory.undecided]
    bad = {each.name: bad_line(each) for each in places_without_backups(inventory)}
    marks = {each.name: MARK for each in new} | dict.fromkeys(bad, UNLISTED)
    databases = inventory.databases.values()
    rows = [HEAD, *(row_of(each, marks.get(each.name, "")) for each in databases)]
    widths = [min(WIDEST, max(map(len, column))) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    said = [*bad.values(), *warning_lines(inventory)]
    lines += ["", *said] if said else []
    count = show_count(len(databases) - len(bad), "database")
    if not new:
        return [*lines, "", count]
    they, them = ("it is", "it") if len(new) == 1 else ("they are", "them")
    what = f"{count}, {len(new)} new ({MARK}): {they} drilled with the defaults"
    hint = f"name {them} under [databases], or add {them} to ignore"
    return [*lines, "", f"{what}; {hint}:", "", *lines_to_write(new)]


def places_without_backups(inventory: Inventory) -> list[Database]:
    """Places that cannot be listed, and those in which no backup lies."""
    found = {name for names in inventory.found.values() for name in names}
    return [each for name, each in inventory.databases.items() if name in found and not each.series]


def bad_line(place: Database) -> str:
    """`COULD NOT RUN  /srv/backups: it does not exist; ... (fleet.toml, line 3)`."""
    if place.unlisted:
        what = f"COULD NOT RUN  {place.name}: {place.unlisted}. Nothing there is drilled"
    else:
        what = f"{place.name}: no backups lie there; check the path. Its drill fails"
    return printable(f"{what} ({place.where})")


def warning_lines(inventory: Inventory) -> list[str]:
    """`Warning: ignore 'suprise' matches no series in /srv/backups (fleet.toml, line 3)`."""
    return [printable(f"Warning: {each}") for each in inventory.warnings]


def lines_to_write(new: Sequence[Database]) -> Iterator[str]:
    """What the inventory may say of the `new` databases; drills under these names go on."""
    for each in new[:MOST_SHOWN]:
        name = each.name if BARE.fullmatch(each.name) else quoted(each.name)
        yield f"    [databases.{name}]"
        yield f"    backups = {quoted(each.backups)}"
        yield f"    series = {quoted(each.series)}"
        yield ""
    more = len(new) - MOST_SHOWN
    rest = f"Likewise for the {more:,} others. " if more > 0 else ""
    yield f"{rest}Other keys of [[discover]] do not apply to what is named: copy those it needs."


def quoted(text: str) -> str:
    """`text` as TOML writes it."""
    return printable(json.dumps(text, ensure_ascii=False))


def row_of(database: Database, mark: str) -> tuple[str, ...]:
    """What the table shows of `database`."""
    labels = " ".join(f"{name}={value}" for name, value in sorted(database.labels.items()))
    row = (
        f"{mark} {database.name}" if mark else database.name,
        database.source,
        database.series or "-",
        database.owner or "-",
        show_duration(database.every) if database.every else "-",
        labels or "-",
    )
    return tuple(map(printable, row))
