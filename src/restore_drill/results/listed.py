"""Tables and business facts as the report lists them: found, expected, and at the last drill."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from restore_drill.core.units import show_bytes, show_count
from restore_drill.results.charts import bar
from restore_drill.results.past import Past
from restore_drill.results.result import Result
from restore_drill.results.tiles import change, total_of
from restore_drill.results.words import text_of

FEW = 12
"""So many rows of a list are shown at once; more are folded away, what is wrong first."""
MOST = 1000
"""So many are folded away, and so many wrong ones shown: browsers open such a page at once."""


def tables_of(result: Result, before: Sequence[Past]) -> dict[str, Any]:
    """Tables with rows and sizes against what was expected and what the last drill counted.

    `before` are the earlier drills, oldest first. The largest table comes first, with a bar each;
    the sum counts rows of partitions once.
    """
    tables = result["tables"]
    last = next((each.tables for each in reversed(before) if each.tables), {})
    counts = {name: facts.get("rows") or 0 for name, facts in tables.items()}
    most = max(counts.values(), default=0) or 1
    rows = []
    for name, facts in sorted(tables.items(), key=lambda each: (-counts[each[0]], each[0])):
        row = row_of(name, facts.get("rows"), facts)
        row["bar"] = bar(counts[name] / most, f"{counts[name] / most:.0%} of the largest")
        if facts.get("bytes") is not None:
            row["size"] = show_bytes(facts["bytes"])
        if name in last:
            row["last"] = f"{last[name]:,}"
            row["change"] = change(counts[name], last[name])
        rows.append(row)
    total = show_count(total_of(result, "rows") or 0, "row")
    summary = f"{show_count(len(rows), 'table')}, {total}"
    return listed(rows, summary, has_last=bool(last))


def facts_of(result: Result) -> dict[str, Any]:
    """Business facts with their values against what was expected."""
    facts = result["facts"].items()
    rows = [
        row_of(fact.get("description") or name, fact.get("value"), fact) for name, fact in facts
    ]
    return listed(rows, show_count(len(rows), "fact"))


def row_of(name: str, value: Any, facts: dict[str, Any]) -> dict[str, Any]:
    """One row of a list: what, how much, how much was expected, and whether that is so."""
    known = "unknown" if value is None else text_of("", value)
    return {
        "name": name,
        "value": known,
        "expected": facts.get("expected"),
        "ok": facts.get("ok"),
        "bar": "",
        "size": "",
        "last": "",
        "change": "",
    }


def listed(rows: list[dict[str, Any]], summary: str, *, has_last: bool = False) -> dict[str, Any]:
    """`rows`, what is wrong first; of many that are right the first are shown, others folded away.

    `summary` is of all. Of very many the rest is left to result.json.
    """
    wrong = [row for row in rows if row["ok"] is False]
    others = [row for row in rows if row["ok"] is not False]
    unjudged = sum(row["ok"] is None for row in rows)
    summary += f", {len(wrong)} not as expected" if wrong else ""
    summary += f", {unjudged} not compared with anything" if unjudged else ""
    summary += "" if wrong or unjudged else ", all as expected"
    shown, folded = [*wrong[:MOST], *others[:FEW]], [*wrong[MOST:], *others[FEW:]]
    fold = f"the other {len(folded):,}"
    if len(folded) > MOST:
        fold = f"the next {MOST:,}; result.json has the other {len(folded) - MOST:,}"
    return {
        "summary": summary,
        "has_last": has_last,
        "has_size": any(row["size"] for row in rows),
        "shown": shown,
        "folded": folded[:MOST],
        "fold": fold,
    }
