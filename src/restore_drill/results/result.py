"""The verdict of a run, and result.json."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from restore_drill.config.settings import Settings
from restore_drill.core.errors import EXIT_COULD_NOT_RUN
from restore_drill.core.printable import printable_json
from restore_drill.core.record import Record
from restore_drill.core.redact import Redactor
from restore_drill.results.checks import Checks
from restore_drill.results.criterion import counts_of
from restore_drill.results.evidence import evidence_of

Result = dict[str, Any]
"""result.json (schema 2, see `schema.py`): plain values, free of secrets."""

SCHEMA = 2

TIMED = ("select", "snapshot", "target", "restore", "verify", "redis")
"""Stages whose seconds always stand in `timings`, None where a stage did not run."""

EXIT_CODES = {
    "passed": 0,
    "sample": 0,
    "incomplete": 0,
    "failed": 1,
    "could-not-run": EXIT_COULD_NOT_RUN,
}
"""Exit code by verdict, where pytest has none of its own."""

NO_ROWS = "no criterion read a row of the restored database"


def verdict_of(checks: Checks, exitstatus: int) -> str:
    """Verdict of a session that pytest would end with `exitstatus`.

    `failed` speaks against the backup, `could-not-run` against the drill's own means;
    `incomplete` means that what the user selected passed without any restored row being read,
    `sample` that all holds of the sample shop, which says nothing about anyone's backup.
    """
    outcomes = {check["outcome"] for check in checks.found.values()}
    if "failed" in outcomes:
        return "failed"
    # A criterion that ends the session by pytest.exit(returncode=0) leaves the others unproved.
    if "error" in outcomes or exitstatus != 0 or checks.not_run:
        return "could-not-run"
    if checks.rows_were_read:
        return "sample" if checks.record.sample else "passed"
    held = outcomes & {"passed", "waived"}
    return "incomplete" if checks.selection.text and held else "could-not-run"


def exit_code_of(verdict: str, checks: Checks, exitstatus: int) -> int:
    """Exit code: the verdict's, unless pytest was interrupted, broke down or ran nothing."""
    if exitstatus in (0, 1) or checks.collection_broke:
        return EXIT_CODES[verdict]
    return exitstatus


def build_result(
    record: Record,
    redact: Redactor,
    *,
    verdict: str,
    reasons: Sequence[str],
    selection: str = "",
    rows_read: bool = False,
    counts: Mapping[str, int] | None = None,
    settings: Settings | None = None,
) -> Result:
    """result.json of the run that `record` is of; times in ISO 8601 UTC, durations in seconds.

    `reasons` say why it ended early, `selection` what narrowed it, `rows_read` whether a criterion
    that reads restored rows has passed, `counts` how many had which outcome, `settings` if known.
    """
    result = {
        "schema": SCHEMA,
        "verdict": verdict,
        "reasons": reasons,
        "started_at": record.started_at,
        "sample": record.sample,
        "selection": selection,
        "run_of": record.run_of,
        **measures_of(record),
        "counts": counts or counts_of(record.checks),
        "checks": record.checks,
        "proof": record.proof,
        "basis": record.basis or None,
        "strength": strength_of(record, verdict),
        "drift": record.drift,
        "budgets": record.budgets,
        "rows_read": rows_read,
        "warnings": record.warnings,
        "not_checked": record.not_checked,
        "notes": record.notes,
        **evidence_of(record, settings),
    }
    plain: Result = as_json(result, redact)
    return plain


def measures_of(record: Record) -> dict[str, Any]:
    """What was done and measured, with its seconds: None for one of TIMED that did not run."""
    ran = dict.fromkeys(stage["name"] for stage in record.stages)
    timings = {
        name: round(record.seconds(name), 3) if name in ran else None for name in [*TIMED, *ran]
    }
    stages = [
        {"name": s["name"], "started": round(s["started"], 3), "seconds": round(s["seconds"], 3)}
        for s in record.stages
    ]
    return {
        "series": record.series or None,
        "backup": record.backup,
        "target": record.target,
        "snapshot": record.snapshot,
        "promotion": record.promotion,
        "recovery": record.recovery,
        "timings": timings | {"total": round(record.elapsed, 3)},
        "stages": stages,
        "tables": record.tables,
        "facts": record.facts,
        "redis": record.redis,
        "redis_backup": record.redis_backup,
        "coherence": record.coherence,
        "bypass": record.bypass,
        "history": record.history,
    }


def strength_of(record: Record, verdict: str) -> str | None:
    """What a pass is worth: `proven` by a manifest, else `plausible`; None unless it passed."""
    if verdict != "passed" or not record.strength:
        return None
    is_waived = any(check["outcome"] == "waived" for check in record.checks)
    return "plausible" if is_waived else record.strength


def as_json(value: Any, redact: Redactor) -> Any:
    """`value` in JSON's own types, without secrets; what JSON has no word for becomes text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Decimal | float):
        number = float(value)
        return number if math.isfinite(number) else None
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {redact(str(key)): as_json(item, redact) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes):
        return [as_json(item, redact) for item in value]
    return redact(str(value))


def write_result(path: Path, result: Result) -> None:
    """Write `result` to `path`; raises OSError."""
    write_whole(path, printable_json(result, indent=2) + "\n")


def write_whole(path: Path, text: str, mode: int | None = None) -> None:
    """Write `text` to `path` in one step: a reader sees the old file or the new one."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_text(text, encoding="utf-8")
        if mode is not None:
            part.chmod(mode)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
