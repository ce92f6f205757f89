"""What the page shows: a result in words, with the places of the timeline's bars."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from markupsafe import Markup

from restore_drill.core.printable import printable_lines
from restore_drill.core.units import show_count, show_duration
from restore_drill.results.meaning import meaning_of, measured_of
from restore_drill.results.result import Result
from restore_drill.results.words import (
    OTHERS,
    SAMPLE,
    count,
    describe,
    headline_of,
    problems_of,
    short_name,
    text_of,
    waived_of,
)

FEW = 12
"""So many rows of a list are shown at once; more are folded away, what is wrong first."""


def view_of(result: Result) -> dict[str, Any]:
    """What the page shows: `result` in words, with the places of the timeline's bars."""
    return {
        "verdict": result["verdict"],
        "word": headline_of(result).removeprefix("Restore drill: "),
        "meaning": meaning_of(result),
        "measured": measured_of(result),
        "reasons": result["reasons"],
        "sample": SAMPLE if result["sample"] and result["verdict"] != "sample" else "",
        "warnings": result["warnings"],
        "started_at": describe({"started_at": result["started_at"]})[0][1],
        "total": show_duration(result["timings"]["total"]),
        "counts": counts_of(result),
        "few": FEW,
        "selection": result["selection"],
        "findings": findings_of(problems_of(result)),
        "waived": findings_of(waived_of(result)),
        "cards": cards_of(result),
        "timeline": timeline_of(result),
        "not_checked": [(short_name(each["what"]), each["why"]) for each in result["not_checked"]],
        "tables": tables_of(result),
        "facts": facts_of(result),
        "proof": [(each["what"], noticed_by(each)) for each in result["proof"]],
        "notes": result["notes"],
    }


def noticed_by(proved: dict[str, Any]) -> str:
    """Which criteria have noticed a damage; three of them are enough to read."""
    names = proved["noticed_by"]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"noticed by {', '.join(names[:3])}{more}" if names else "not noticed"


def counts_of(result: Result) -> list[tuple[str, str]]:
    """How many criteria passed, failed, could not run: `("passed", "31 passed")`."""
    words = {"passed": "passed", **OTHERS}
    found = {outcome: count(result, outcome) for outcome in words}
    return [(outcome, f"{found[outcome]} {words[outcome]}") for outcome in words if found[outcome]]


def findings_of(checks: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages of `checks`; criteria with the same message share it."""
    findings: dict[tuple[str, ...], dict[str, Any]] = {}
    for check in checks:
        waiver = check.get("waiver", {})
        head, _, rest = check["message"].strip().partition("\n")
        finding = findings.setdefault(
            (check["outcome"], check["message"], *waiver.values()),
            {
                "outcome": check["outcome"],
                "head": head or "no message",
                "rest": Markup("{}").format(printable_lines(rest)),
                "names": [],
                "waiver": waiver,
                "sentence": check["sentence"],
            },
        )
        finding["names"].append(short_name(check["id"]))
    return list(findings.values())


def cards_of(result: Result) -> list[tuple[str, list[tuple[str, str]]]]:
    """Title and facts of backup, target, snapshot and Redis; those that are there."""
    found = [(name, describe(result[name])) for name in ("backup", "target", "snapshot", "redis")]
    titles = {
        "backup": "Backup",
        "target": "Target",
        "snapshot": "Safety snapshot",
        "redis": "Redis",
    }
    return [(titles[name], facts) for name, facts in found if facts]


def timeline_of(result: Result) -> list[dict[str, Any]]:
    """Stages in their order: the left edge and width of each one's bars, in percent of the run."""
    ends = [stage["started"] + stage["seconds"] for stage in result["stages"]]
    whole = max(result["timings"]["total"], *ends, 0.001)
    outcomes = {check["stage"]: check["outcome"] for check in reversed(problems_of(result))}
    rows: dict[str, dict[str, Any]] = {}
    for stage in sorted(result["stages"], key=lambda stage: stage["started"]):
        name = stage["name"]
        outcome = outcomes.get(name, "passed")
        row = rows.setdefault(name, {"name": name, "outcome": outcome, "bars": [], "seconds": 0})
        row["bars"].append([round(100 * stage[key] / whole, 2) for key in ("started", "seconds")])
        row["seconds"] += stage["seconds"]
    return [row | {"time": show_duration(row["seconds"])} for row in rows.values()]


def tables_of(result: Result) -> dict[str, Any]:
    """Tables with their rows against what was expected."""
    tables = result["tables"]
    rows = [row_of(name, facts.get("rows"), facts) for name, facts in tables.items()]
    counted = sum(facts.get("rows") or 0 for facts in tables.values())
    return listed(rows, f"{show_count(len(rows), 'table')}, {show_count(counted, 'row')}")


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
    return {"name": name, "value": known, "expected": facts.get("expected"), "ok": facts.get("ok")}


def listed(rows: list[dict[str, Any]], summary: str) -> dict[str, Any]:
    """`rows`, what is wrong first; many that are right are folded away; `summary` is of all."""
    wrong = [row for row in rows if row["ok"] is False]
    others = [row for row in rows if row["ok"] is not False]
    unjudged = sum(row["ok"] is None for row in rows)
    summary += f", {len(wrong)} not as expected" if wrong else ""
    summary += f", {unjudged} not compared with anything" if unjudged else ""
    summary += "" if wrong or unjudged else ", all as expected"
    few = len(others) <= FEW
    return {
        "summary": summary,
        "shown": [*wrong, *others] if few else wrong,
        "folded": [] if few else others,
        "fold": f"the other {len(others)}" if wrong else f"all {len(others)}",
    }
