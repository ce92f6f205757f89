"""The result of a drill that ran in another job, which may have died before it left one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from restore_drill.alerts.message import message_of
from restore_drill.alerts.subject import Origin, subject_of
from restore_drill.core.record import Record
from restore_drill.core.redact import Redactor
from restore_drill.results.result import EXIT_CODES, Result, build_result

JOBS = ("success", "failure", "cancelled", "skipped")
"""How GitHub says that a job ended; one that ran out of time is cancelled."""
GREEN = ("passed", "sample")


def result_at(path: Path, job: str = "") -> Result | None:
    """The result at `path` of a drill whose job ended as `job`; None where it was skipped.

    A pass is a result that says so, of a job that has succeeded where `job` is known: what left no
    result could not run, and neither could what failed around a drill that passed.
    """
    if job == "skipped":
        return None
    found = read(path)
    result = undone("") | found
    if not (found and is_readable(result)):
        return undone(f"its job ended ({job or 'unknown'}) without a result.json: see its log")
    if result["verdict"] in GREEN and job not in ("", "success"):
        reason = f"the drill passed, but its job did not succeed: {job}"
        return result | {"verdict": "could-not-run", "reasons": [reason]}
    return result


def read(path: Path) -> dict[str, Any]:
    """What lies at `path`; empty where it is no result."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    verdict = found.get("verdict") if isinstance(found, dict) else None
    is_result = isinstance(verdict, str) and verdict in EXIT_CODES
    return found if is_result else {}


def is_readable(result: Result) -> bool:
    """Whether a message can be made of `result`, which is another's and may hold anything."""
    if not isinstance(result["reasons"], list):
        return False
    try:
        message_of(result, result["verdict"], subject_of(result, "", Origin()), "")
    except (LookupError, TypeError, ValueError, AttributeError):
        return False
    return True


def undone(reason: str) -> Result:
    """Result of a drill that could not run."""
    return build_result(Record(), Redactor(), verdict="could-not-run", reasons=[reason])
