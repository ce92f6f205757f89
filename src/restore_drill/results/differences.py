"""What differs between two drills of one series: a good backup, and a bad one after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from restore_drill.core.units import show_bytes, show_count
from restore_drill.results.words import first_line, problems_of, short_name

MOST = 10
"""So many criteria, and so many tables, are named."""
VERSIONS = (("dumped_by", "pg_dump"), ("source_version", "source server"), ("format", "format"))


def differences(good: Mapping[str, Any], bad: Mapping[str, Any]) -> Iterator[str]:
    """What the result `bad` has in other ways than `good`, a line each."""
    before, after = good.get("backup") or {}, bad.get("backup") or {}
    problems = problems_of(dict(bad))
    for check in problems[:MOST]:
        yield f"{short_name(check['id'])}: {first_line(check['message'])}"
    if len(problems) > MOST:
        yield f"and {show_count(len(problems) - MOST, 'more finding')}"
    yield from of_tables(good.get("tables") or {}, bad.get("tables") or {})
    if (old := before.get("bytes")) and (new := after.get("bytes")) is not None and old != new:
        was, now = show_bytes(old), show_bytes(new)
        if was != now:
            yield f"size: {was} before, {now} after ({new / old - 1:+.0%})"
    for key, what in VERSIONS:
        if before.get(key) and after.get(key) and before[key] != after[key]:
            yield f"{what}: {before[key]} before, {after[key]} after"


def of_tables(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Tables that only one of the two has, and those whose rows have changed, most lost first."""
    if not after:
        return  # it was not restored
    rows = {name: (facts.get("rows") or 0) for name, facts in before.items()}
    now = {name: (facts.get("rows") or 0) for name, facts in after.items()}
    lines = [f"table {name}: gone, it had {show_count(rows[name], 'row')}" for name in rows
             if name not in now]  # fmt: skip
    lines += [f"table {name}: new" for name in now if name not in rows]
    changed = [name for name in rows if name in now and rows[name] != now[name]]
    for name in sorted(changed, key=lambda each: (now[each] - rows[each], each)):
        lines.append(f"table {name}: {rows[name]:,} rows before, {now[name]:,} after")
    yield from lines[:MOST]
    if len(lines) > MOST:
        yield f"and {show_count(len(lines) - MOST, 'more table')}"
