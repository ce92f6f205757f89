"""What the page shows: a result in words, with the places of the timeline's bars."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from markupsafe import Markup

from restore_drill.core.printable import printable_lines
from restore_drill.core.units import show_bytes, show_duration, show_time
from restore_drill.results.criterion import QUERY
from restore_drill.results.grouped import WORDS, bounded, stages_of
from restore_drill.results.kinds import stage_of
from restore_drill.results.listed import facts_of, tables_of
from restore_drill.results.live_cards import coherence_card, promotion_card, snapshot_card
from restore_drill.results.meaning import meaning_of, measured_of
from restore_drill.results.past import Background
from restore_drill.results.recovery_card import ended_of, recovery_card
from restore_drill.results.redis_card import latencies_of, redis_backup_card, redis_card
from restore_drill.results.result import Result
from restore_drill.results.tiles import tiles_of
from restore_drill.results.trends import trends_of
from restore_drill.results.words import (
    SAMPLE,
    backup_name,
    count,
    describe,
    headline_of,
    problems_of,
    short_name,
    waived_of,
)

FEW = 12
"""So many rows of a list are shown at once; more are folded away, what is wrong first."""
LONGEST = 300
"""So many characters say what was not checked: of 10,000 tables it may name each."""


def view_of(result: Result, background: Background) -> dict[str, Any]:
    """What the page shows: `result` in words, with the places of the timeline's bars."""
    result = result | {"checks": bounded(result["checks"])}
    places = {check["id"]: f"c{number}" for number, check in enumerate(result["checks"])}
    return {
        "subject": subject_of(result),
        "tiles": tiles_of(result, background),
        "stages": stages_of(result),
        "trends": trends_of(result, background),
        "verdict": result["verdict"],
        "word": headline_of(result).removeprefix("Restore drill: "),
        "meaning": meaning_of(result),
        "measured": measured_of(result),
        "ended": ended_of(result.get("recovery")),
        "others": others_of(result),
        "reasons": result["reasons"],
        "sample": SAMPLE if result["sample"] and result["verdict"] != "sample" else "",
        "warnings": result["warnings"],
        "started_at": describe({"started_at": result["started_at"]})[0][1],
        "total": show_duration(result["timings"]["total"]),
        "counts": counts_of(result),
        "few": FEW,
        "selection": result["selection"],
        "findings": findings_of(problems_of(result), places),
        "waived": findings_of(waived_of(result), places),
        "recovery": recovery_card(result.get("recovery")),
        "cards": cards_of(result),
        "latencies": latencies_of(result["redis"]),
        "timeline": timeline_of(result),
        "not_checked": [
            (shortened(short_name(each["what"])), shortened(each["why"]))
            for each in result["not_checked"]
        ],
        "tables": tables_of(result, background.before(result["started_at"])),
        "facts": facts_of(result),
        "candidates": candidates_of(result),
        "proof": [(each["what"], noticed_by(each)) for each in result["proof"]],
        "notes": result["notes"],
    }


def shortened(text: str) -> str:
    """`text`, up to a comma where it lists more names than anyone reads: result.json has all."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST].rpartition(', ')[0] or text[:LONGEST]}, … (result.json has all)"


def candidates_of(result: Result) -> dict[str, Any]:
    """What the backup was chosen from: name, facts and why it was passed over, newest first."""
    found = result.get("candidates") or {"total": 0, "newest": []}
    rows = [
        (
            each["name"],
            f"{show_time(datetime.fromisoformat(each['taken_at']))}, {show_bytes(each['bytes'])}",
            each["why_not"] or "drilled",
        )
        for each in found["newest"]
    ]
    return {"rows": rows, "total": found["total"]} if found["total"] > 1 else {}


def others_of(result: Result) -> str:
    """That the run has drilled other series too, whose verdicts stand elsewhere; else empty."""
    drilled = len(result.get("run_of") or ())
    if drilled < 2:
        return ""
    return (
        f"One of {drilled} series that the same run drilled, each with a page of its own: "
        "series.json in the report directory holds the verdict of each"
    )


def noticed_by(proved: dict[str, Any]) -> str:
    """Which criteria have noticed a damage; three of them are enough to read."""
    names = proved["noticed_by"]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"noticed by {', '.join(names[:3])}{more}" if names else "not noticed"


def counts_of(result: Result) -> list[tuple[str, str]]:
    """How many criteria passed, failed, could not run: `("passed", "31 passed")`."""
    found = ((outcome, word, count(result, outcome)) for outcome, word in WORDS.items())
    return [(outcome, f"{number:,} {word}") for outcome, word, number in found if number]


def subject_of(result: Result) -> list[str]:
    """What was drilled, and where: database, host, backup and its age; what is known of it."""
    backup, source = result["backup"] or {}, (result.get("identity") or {}).get("source") or {}
    host = (result.get("machine") or {}).get("host")
    database = backup.get("database") or source.get("database")
    parts = [f"database {database}" if database else "", backup_name(backup)]
    age = backup.get("age_seconds")
    parts += [f"{show_duration(age)} old" if age is not None and age >= 0 else ""]
    parts += [f"drilled on {host}" if host else ""]
    return [part for part in parts if part]


def findings_of(
    checks: Iterable[dict[str, Any]], places: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Messages of `checks`; criteria with the same message share it. `places` are in the page."""
    findings: dict[tuple[str, ...], dict[str, Any]] = {}
    for check in checks:
        waiver = check.get("waiver", {})
        head, _, rest = check["message"].strip().partition("\n")
        finding = findings.setdefault(
            (check["outcome"], check["message"], *waiver.values()),
            {
                "outcome": check["outcome"],
                "head": head or "no message",
                "parts": parts_of(rest),
                "names": [],
                "waiver": waiver,
                "sentence": check["sentence"],
            },
        )
        finding["names"].append((short_name(check["id"]), places.get(check["id"], "criteria")))
    return list(findings.values())


def parts_of(rest: str) -> list[tuple[str, bool]]:
    """The lines of a message below its first, and whether each part is a query for rows."""
    pieces = QUERY.split("\n" + rest)  # text and query by turns
    parts = [(piece if number % 2 else piece.strip("\n"), bool(number % 2))
             for number, piece in enumerate(pieces)]  # fmt: skip
    # Escaped here: as text of lines, which the page's own escaping would spell out.
    return [(Markup("{}").format(printable_lines(text)), is_sql) for text, is_sql in parts if text]


def cards_of(result: Result) -> list[tuple[str, list[tuple[str, str]]]]:
    """Title and facts of promotion, backup, target, snapshot, Redis; those that are there."""
    found = [
        ("Promotion", promotion_card(result["promotion"])),
        ("Backup", describe(result["backup"])),
        ("Target", describe(result["target"])),
        ("Safety snapshot", snapshot_card(result["snapshot"])),
        ("Redis", redis_card(result["redis"])),
        ("Backup of Redis", redis_backup_card(result.get("redis_backup"))),
        ("Redis and the rows", coherence_card(result.get("coherence"))),
    ]
    return [(title, facts) for title, facts in found if facts]


def timeline_of(result: Result) -> list[dict[str, Any]]:
    """Stages in their order: the left edge and width of each one's bars, in percent of the run."""
    ends = [stage["started"] + stage["seconds"] for stage in result["stages"]]
    whole = max(result["timings"]["total"], *ends, 0.001)
    outcomes = {stage_of(check): check["outcome"] for check in reversed(problems_of(result))}
    rows: dict[str, dict[str, Any]] = {}
    for stage in sorted(result["stages"], key=lambda stage: stage["started"]):
        name = stage["name"]
        outcome = outcomes.get(name, "passed")
        words = {"name": name.replace("_", " "), "outcome": outcome}
        row = rows.setdefault(name, {**words, "bars": [], "seconds": 0})
        row["bars"].append([round(100 * stage[key] / whole, 2) for key in ("started", "seconds")])
        row["seconds"] += stage["seconds"]
    return [row | {"time": show_duration(row["seconds"])} for row in rows.values()]
