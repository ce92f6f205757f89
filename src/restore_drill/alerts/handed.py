"""The results of drills that ran in another job, which may have died before it left any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from restore_drill.alerts.message import message_of
from restore_drill.alerts.subject import Origin, subject_of
from restore_drill.core.record import Record
from restore_drill.core.redact import Redactor
from restore_drill.results.newest import SUMMARY
from restore_drill.results.result import EXIT_CODES, Result, build_result

JOBS = ("success", "failure", "cancelled", "skipped")
"""How GitHub says that a job ended; one that ran out of time is cancelled."""
GREEN = ("passed", "sample")


def results_at(path: Path, job: str = "") -> list[tuple[Path, Result]]:
    """The result at `path`, or that of each series of its run, with where it lies; see `result_at`.

    A series that failed is why the job did: what passed beside it has passed.
    """
    paths = {series: path.parent / folder / path.name for series, folder in folders_beside(path)}
    found = {series: read(each) for series, each in paths.items()}
    if job == "skipped" or not found:
        result = result_at(path, job)
        return [(path, result)] if result else []
    is_red = any(each.get("verdict") not in GREEN for each in found.values())
    done = []
    for series, each in paths.items():
        result = result_at(each, "" if is_red and found[series] else job)
        if not found[series]:
            result = undone(f"{series}: it left no result.json: see the log of its job")
        done += [(each, result)] if result else []
    return done


def folders_beside(path: Path) -> list[tuple[str, str]]:
    """Each series of the run that `path` is the worst result of, with the folder of its reports."""
    summary = parsed(path.with_name(SUMMARY))
    listed = summary.get("series") if read(path) else None
    listed = listed if isinstance(listed, list) else []
    named = [each for each in listed if isinstance(each, dict)]
    return [(str(each.get("series")), Path(str(each.get("reports"))).name) for each in named]


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
    found = parsed(path)
    verdict = found.get("verdict")
    is_result = isinstance(verdict, str) and verdict in EXIT_CODES
    return found if is_result else {}


def parsed(path: Path) -> dict[str, Any]:
    """The JSON object at `path`; empty where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


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
