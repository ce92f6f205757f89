"""The rows of all tables beside what was expected: for result.json, and in lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from restore_drill.backups.model import Contents
from restore_drill.config.criteria import Criteria
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import capitalised, show_count, some
from restore_drill.facts.checks.large_objects import LARGE_OBJECTS, LOST_LARGE_OBJECTS
from restore_drill.facts.checks.sizes import SIZES_OF_TABLES
from restore_drill.facts.model import Facts

SHOWN = 12
"""How many tables the terminal names, and objects the first line of a finding; reports name all."""


def table_records(
    facts: Facts, contents: Contents, criteria: Criteria
) -> dict[str, dict[str, object]]:
    """Rows and bytes of each table with what was expected, for result.json and the report."""
    records: dict[str, dict[str, object]] = {}
    sizes = facts.of(SIZES_OF_TABLES)
    for name in sorted({*facts.rows, *facts.unreadable, *contents.counted, *criteria.tables}):
        rows = facts.rows.get(name)
        expected, ok = [], rows is not None
        if name in contents.counted:
            expected.append(f"{contents.counted[name]:,} (as in the backup)")
            ok = ok and rows == contents.counted[name]
        if name in criteria.tables:
            required = criteria.tables[name]
            expected.append(required.expectation)
            ok = ok and required.holds(rows or 0)
        records[name] = {
            "rows": rows,
            "bytes": sizes.get(name),
            "expected": "; ".join(expected),
            "ok": ok,
        }
        if name in facts.partitioned:
            records[name]["partitioned"] = True
    return records


def why_not_counted(table: str, facts: Facts, contents: Contents) -> str:
    """Why nothing says how many rows `table` must have; empty where something does."""
    if contents.rows is None:
        return "the number of rows in the backup is not known before it is restored"
    if table in contents.rows or table in facts.partitioned:
        return ""
    return "the backup holds no data for it (--exclude-table-data, --schema-only?)"


def row_difference(table: str, facts: Facts, contents: Contents) -> str:
    """How the rows of `table` are not those of the backup: `has 0 rows, ...`; empty for equal."""
    if table in facts.unreadable:
        return f"cannot be read: {facts.unreadable[table]}"
    rows = facts.rows.get(table)
    if rows is None:
        return "is not in the restored database"
    dumped = contents.counted.get(table, rows)  # a partitioned table's rows lie in its partitions
    if rows == dumped:
        return ""
    how = "missing" if rows < dumped else "too many"
    return f"has {rows:,} rows, the backup has {dumped:,}: {abs(dumped - rows):,} {how}"


def remedy_of_rows(table: str, facts: Facts, contents: Contents) -> list[str]:
    """What to do where the rows of `table` differ, perhaps because event triggers add some.

    pg_dump refreshes materialized views behind all else: by then the event triggers are there.
    """
    kinds = {entry.kind for entry in contents.entries}
    names = [entry.name for entry in contents.entries if entry.kind == "EVENT TRIGGER"]
    is_more = facts.rows.get(table, 0) > contents.counted.get(table, 0)
    is_added = is_more and bool(names) and "MATERIALIZED VIEW DATA" in kinds
    cause = "added" if is_added else "different"
    return remedy_for("test_table_has_every_row", cause, triggers=", ".join(names))


def lost_large_objects(facts: Facts, contents: Contents) -> tuple[str, str]:
    """Cause by which large objects are lost, and what is lost; both empty for none."""
    if facts.of(LARGE_OBJECTS) < contents.large_objects:
        restored = show_count(facts.of(LARGE_OBJECTS), "large object")
        return "missing", f"{restored} restored, the backup has {contents.large_objects:,}"
    if facts.of(LOST_LARGE_OBJECTS):
        return "left_out", "rows refer to large objects that do not exist"
    return "", ""


def lost_objects(facts: Facts) -> tuple[str, str, Sequence[str]]:
    """Cause by which objects of the backup are not known to be back, what it is, and all names."""
    if facts.undumpable:
        what = "the restored database cannot be dumped again, so its objects cannot be compared"
        return "undumpable", what, []
    if missing := facts.missing_objects:
        number = show_count(len(missing), "object")
        are = "are" if missing[1:] else "is"
        what = f"{number} of the backup {are} missing after the restore: {some(missing, SHOWN)}"
        return "no_statement" if facts.had_no_errors else "missing", what, missing[SHOWN:]
    return "", "", []


def rows_in_lines(facts: Facts, criteria: Criteria) -> Iterator[str]:
    """`Cards: 1234`, as the guide has it: required tables first, then the largest."""
    largest = sorted(facts.rows, key=lambda name: -facts.rows[name])
    named = [name for name in criteria.tables if name in facts.rows]
    named += [name for name in largest if name not in named]
    for name in named[:SHOWN]:
        label = name.removeprefix("public.")
        if label.isalpha():  # a name that is quoted, has a schema or `_`, stays as it is
            label = capitalised(label)
        yield f"{label}: {facts.rows[name]:,}"
    if len(named) > SHOWN:
        yield f"and {show_count(len(named) - SHOWN, 'more table')}, see the report"
