"""The rows of all tables beside what was expected: for result.json, and in lines."""

from __future__ import annotations

from collections.abc import Iterator

from restore_drill.backups.model import Contents
from restore_drill.config.criteria import Criteria
from restore_drill.core.units import show_count
from restore_drill.facts.model import Facts

SHOWN = 12
"""How many tables the terminal names; the report names all."""


def table_records(
    facts: Facts, contents: Contents, criteria: Criteria
) -> dict[str, dict[str, object]]:
    """Rows of each table with what was expected, for result.json and the report."""
    records: dict[str, dict[str, object]] = {}
    for name in sorted({*facts.rows, *facts.unreadable, *contents.rows, *criteria.tables}):
        rows = facts.rows.get(name)
        expected, ok = [], rows is not None
        if name in contents.rows:
            expected.append(f"{contents.rows[name]:,} (as in the backup)")
            ok = ok and rows == contents.rows[name]
        if name in criteria.tables:
            required = criteria.tables[name]
            expected.append(required.expectation)
            ok = ok and required.holds(rows or 0)
        records[name] = {"rows": rows, "expected": "; ".join(expected), "ok": ok}
    return records


def rows_in_lines(facts: Facts, criteria: Criteria) -> Iterator[str]:
    """`Cards: 1234`, as the guide has it: required tables first, then the largest."""
    largest = sorted(facts.rows, key=lambda name: -facts.rows[name])
    named = [name for name in criteria.tables if name in facts.rows]
    named += [name for name in largest if name not in named]
    for name in named[:SHOWN]:
        label = name.removeprefix("public.")
        yield f"{label[:1].upper()}{label[1:]}: {facts.rows[name]:,}"
    if len(named) > SHOWN:
        yield f"and {show_count(len(named) - SHOWN, 'more table')}, see the report"
