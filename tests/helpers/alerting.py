"""Results of drills to alert for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from restore_drill.alerts.announce import Ending
from restore_drill.alerts.handed import undone
from restore_drill.alerts.subject import Origin

ORIGIN = Origin(Path("/srv"), ("ops1:/srv",), "ops1:/opt/restore-drill")
PATH = "/srv/backups/shop/db/shop_2026-11-28T030000Z.dump"


def result_of(verdict: str, *messages: str, path: str | None = PATH, **others: Any) -> Any:
    """result.json with `verdict`, a finding for each of `messages`, and a backup at `path`."""
    outcome = "error" if verdict == "could-not-run" else "failed"
    checks = [
        {
            "id": f"drill/test_a.py::test_table_has_rows[{n}]",
            "outcome": outcome,
            "message": text,
            "stage": "verify",
            "budget": "",
            "seconds": 0.1,
        }
        for n, text in enumerate(messages)
    ]
    counts = {**undone("")["counts"], "criteria": 49, "passed": 49 - len(checks)}
    backup = {
        "path": path,
        "database": "shop",
        "bytes": 1_200_000,
        "taken_at": "2026-11-28T03:00:00Z",
        "age_seconds": 7200.0,
    }
    return undone("") | {
        "verdict": verdict,
        "reasons": [],
        "checks": checks,
        "counts": counts | {outcome: len(checks)},
        "backup": backup if path else None,
        **others,
    }


EMPTY = (
    "public.cards has 0 rows, at least 1 expected\n  checked: it\n  1. read the log\n  2. go back"
)


def ended(verdict: str, *messages: str, before: str = "", **others: Any) -> Ending:
    """A drill that has ended with `verdict`."""
    code = {"failed": 1, "could-not-run": 6}.get(verdict, 0)
    return Ending(
        result_of(verdict, *messages, **others),
        code,
        Path("/srv/report.html"),
        before,
        ORIGIN,
    )
