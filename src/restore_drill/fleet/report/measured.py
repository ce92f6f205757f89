"""What the report of a fleet keeps of a drill's result.json: a thousand of them fit into memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from restore_drill.alerts.message import REMEDY
from restore_drill.config.alerts import Alerts
from restore_drill.config.criteria.notify import Notify
from restore_drill.core.printable import printable
from restore_drill.core.redact import Redactor, secrets_in
from restore_drill.core.units import parse_duration
from restore_drill.fleet.model import Database
from restore_drill.results.age import data_age
from restore_drill.results.kinds import failed_kinds
from restore_drill.results.newest import RESULT
from restore_drill.results.tiles import total_of
from restore_drill.results.words import backup_name, depends, problems_of, series_of_result
from restore_drill.watch.history import Drill

MOST_REMEDIES = 3


@dataclass(frozen=True)
class Measured:
    """What one drill measured: sizes in bytes, ages and times in seconds, None where unknown.

    `age` is that of the backup, `data_age` that of the newest data in it (what a recovery now would
    lose); `is_old`, `is_slow`: over the limit. `findings` and `warnings` are counts, `remedy` what
    to do about the first finding, `kinds` what failed (`failed_kinds`). `finding` is the first one
    of a drill before this run.
    """

    backup: str = ""
    series: str = ""
    started: datetime | None = None
    age: float | None = None
    data_age: float | None = None
    max_age: float | None = None
    is_old: bool = False
    restore: float | None = None
    max_restore: float | None = None
    is_slow: bool = False
    total: float | None = None
    rows: int | None = None
    size: int | None = None
    strength: str = ""
    findings: int = 0
    warnings: int = 0
    not_checked: int = 0
    remedy: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()
    finding: str = ""


def measured_in(result: Mapping[str, Any], database: Database) -> Measured:
    """What `result` (a result.json) has of `database`.

    KeyError, TypeError, ValueError or AttributeError where it is none.
    """
    plain, backup, timings = dict(result), result["backup"] or {}, result["timings"]
    restore, budget = timings["restore"], (result["budgets"] or {}).get("restore")
    return Measured(
        backup=backup_name(backup),
        series=series_of_result(plain) or "",
        started=datetime.fromisoformat(result["started_at"]),
        age=backup.get("age_seconds"),
        data_age=data_age(plain),
        max_age=max_age_of(database),
        is_old=any(is_red(each) and each.get("budget") == "age" for each in result["checks"]),
        restore=restore,
        max_restore=budget,
        is_slow=restore is not None and budget is not None and restore > budget,
        total=timings["total"],
        rows=total_of(plain, "rows"),
        size=backup.get("bytes"),
        strength=result["strength"] or "",
        findings=len([each for each in problems_of(plain) if not depends(each["message"])]),
        warnings=len(result["warnings"]),
        not_checked=len(result["not_checked"]),
        remedy=remedy_in(plain),
        kinds=frozenset(failed_kinds(plain)),
    )


def measured_before(drill: Drill, folder: Path | None, database: Database) -> Measured:
    """What the last `drill` of `database` measured: the history knows less than its reports.

    Those lie in `folder`, where they are kept.
    """
    redact, found = redactor_of(database), noted_of(drill, database)
    with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
        if folder is not None:
            found = measured_in(json.loads((folder / RESULT).read_bytes()), database)
    return replace(
        found,
        backup=printable(redact(found.backup)),
        remedy=tuple(printable(redact(line)) for line in found.remedy),
        finding=redact(next(iter(drill.findings), "")),
    )


def noted_of(drill: Drill, database: Database) -> Measured:
    """What the history has of a `drill` of `database`."""
    restore, limit = drill.restore, drill.budgets.get("restore")
    return Measured(
        backup=drill.backup or "",
        series=drill.series or "",
        started=drill.at,
        age=drill.age,
        max_age=max_age_of(database),
        restore=restore,
        max_restore=limit,
        is_slow=restore is not None and limit is not None and restore > limit,
        total=drill.total,
        rows=drill.rows,
        size=drill.size,
        strength=drill.strength or "",
        findings=len(drill.findings),
    )


def is_red(check: Mapping[str, Any]) -> bool:
    """Whether a check of a result did not hold."""
    return check["outcome"] in ("failed", "error")


def max_age_of(database: Database) -> float | None:
    """Seconds that its backup may be old, None where the inventory does not say."""
    for name, text in database.budgets.items():
        if name.strip("-").replace("-", "_") == "max_backup_age":
            with suppress(ValueError):
                return parse_duration(str(text))
    return None


def remedy_in(result: dict[str, Any]) -> tuple[str, ...]:
    """What to do about the first finding, `1. ...` each; none where it does not say."""
    first = next((each for each in problems_of(result) if not depends(each["message"])), None)
    lines = first["message"].split("\n") if first else []
    return tuple(line.strip() for line in lines if REMEDY.match(line))[:MOST_REMEDIES]


def redactor_of(database: Database) -> Redactor:
    """Masks the secrets that the inventory has of `database`."""
    tokens = [*secrets_in(database.environment), *Alerts(Notify(), database.notify).secrets]
    urls = [database.backups, database.backup, *database.environment.values()]
    return Redactor(*(each for each in urls if looks_secret(each)), tokens=filter(None, tokens))


def looks_secret(value: str) -> bool:
    """Whether `value` may be a URL, or keywords of libpq, with a password."""
    return "://" in value or "password" in value.lower()
