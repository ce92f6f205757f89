"""How a table differs between two fingerprints, in words without row data."""

from __future__ import annotations

from restore_drill.core.units import show_count
from restore_drill.facts.fingerprint import TableFacts


def of_table(was: TableFacts | None, now: TableFacts | None, *, same_hash: bool) -> str:
    """How a table differs, as the end of a sentence that begins with its name."""
    if was is None:
        return "was not in the source"
    if now is None:
        return f"is missing; the source had it with {show_count(was.rows or 0, 'row')}"
    if was.rows is None or now.rows is None:
        return f"could not be read: {was.error or now.error}"
    columns = of_columns(was, now)
    if was.rows != now.rows:
        lost = was.rows - now.rows
        how = f"{abs(lost):,} {'missing' if lost > 0 else 'too many'}"
        return f"has {show_count(now.rows, 'row')}, the source had {was.rows:,}: {how}{columns}"
    return of_content(was, now, columns) if same_hash else columns.removeprefix("; ")


def of_content(was: TableFacts, now: TableFacts, columns: str) -> str:
    """How the content of a table with as many rows differs; `columns` says so of its columns."""
    common = [name for name in was.columns if name in now.columns]
    changed = [name for name in common if was.columns[name] != now.columns[name]]
    rows = f"has its {show_count(was.rows or 0, 'row')}"
    if changed:
        return f"{rows}, but different content in {listed(changed)}{columns}"
    if columns or was.content == now.content:
        return columns.removeprefix("; ")
    return f"{rows}, but the values are in other rows"


def of_columns(was: TableFacts, now: TableFacts) -> str:
    """Columns that only one side has, as a clause."""
    missing = [name for name in was.columns if name not in now.columns]
    new = [name for name in now.columns if name not in was.columns]
    return (f"; missing: {listed(missing)}" if missing else "") + (
        f"; new: {listed(new)}" if new else ""
    )


def listed(names: list[str]) -> str:
    """`column a`, `columns a, b`."""
    return ("column " if len(names) == 1 else "columns ") + ", ".join(names)


def is_refreshed_otherwise(was: TableFacts | None, now: TableFacts | None) -> bool:
    """Whether a materialised view has other rows, which is no loss while it has any."""
    if was is None or now is None or not was.is_refreshed:
        return False
    return now.rows is not None and (now.rows > 0 or not was.rows)
