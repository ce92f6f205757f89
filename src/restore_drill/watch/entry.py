"""The entry that a drill leaves in the history."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from restore_drill import __version__
from restore_drill.config.settings import Settings
from restore_drill.config.where import server_at, where
from restore_drill.results.age import data_age
from restore_drill.results.result import Result
from restore_drill.results.tiles import total_of
from restore_drill.results.words import first_line, problems_of, series_of_result
from restore_drill.watch.append import append
from restore_drill.watch.history import Drill
from restore_drill.watch.terms import terms_of

MOST_CHECKS = 5
"""So many criteria that did not hold are named."""
MOST_TABLES = 200
"""So many of the largest tables have their rows noted."""
LONGEST = 300
"""Characters of a finding."""


def note(path: Path, drill: Drill) -> None:
    """Add `drill` to the history at `path`; OSError."""
    append(path, drill.as_json())


def drill_of(result: Result, settings: Settings, report: Path | None = None) -> Drill:
    """The drill of `result`, run with `settings`, whose reports lie in the folder `report`."""
    backup, timings = result["backup"] or {}, result["timings"]
    rows = {name: table["rows"] for name, table in result["tables"].items()}
    path, problems = backup.get("path"), problems_of(result)[:MOST_CHECKS]
    return Drill(
        at=datetime.fromisoformat(result["started_at"]),
        verdict=result["verdict"],
        strength=result["strength"],
        backup=(backup.get("name") or Path(path).name) if path else None,
        size=backup.get("bytes"),
        rows=total_of(result, "rows"),
        restore=timings["restore"],
        verify=timings["verify"],
        total=timings["total"],
        red=tuple(map(name_of, problems)),
        series=series_of_result(result) or settings.choice.one or None,
        pick=(backup.get("picked") or {}).get("how"),
        findings=findings_of(result, problems),
        sha256=backup.get("sha256"),
        stamp=backup.get("stamp"),
        terms=terms_of(settings),
        age=data_age(result),
        database=backup.get("database") or None,
        system=system_of(result),
        tables=largest(rows),
        budgets=budgets_of(result, settings),
        versions=versions_of(result),
        machine=settings.machine or platform.node() or None,
        place=place_of(settings, path),
        server=server_at(settings),
        setup=setup_of(result, settings),
        report=str(report.absolute()) if report else None,
    )


def drill_to_come(settings: Settings, backup: Path, series: str) -> Drill:
    """The drill of `backup`, of `series`, that would be noted now; nothing else is known of it."""
    return Drill(
        at=datetime.now(UTC), verdict="", strength=None, backup=backup.name, size=None, rows=None,
        restore=None, verify=None, total=None, series=series,
        place=place_of(settings, str(backup)),
    )  # fmt: skip


def unbegun(result: Result) -> Drill:
    """The drill of `result`, which could not begin: nothing but its verdict is known."""
    return Drill(
        at=datetime.fromisoformat(result["started_at"]), verdict=result["verdict"], strength=None,
        backup=None, size=None, rows=None, restore=None, verify=None,
        total=result["timings"]["total"], versions={"drill": __version__},
    )  # fmt: skip


def place_of(settings: Settings, backup: str | None) -> str | None:
    """Where the backups lie; None where the history itself lies there."""
    return None if settings.history is None else where(settings, backup) or None


def system_of(result: Result) -> str | None:
    """Identifier of the cluster that the backup was taken from, where its manifest says it."""
    source = (result.get("identity") or {}).get("source") or {}
    return source.get("system_identifier") or None


def name_of(check: Mapping[str, Any]) -> str:
    """Name of a criterion, without its module."""
    return str(check["id"]).rpartition("::")[2]


def findings_of(result: Result, problems: list[dict[str, Any]]) -> tuple[str, ...]:
    """What was found, a short line each; where no criterion failed, why the drill ended."""
    lines = [f"{name_of(check)}: {first_line(check['message'])}" for check in problems]
    lines = lines or [str(reason) for reason in result["reasons"][:MOST_CHECKS]]
    return tuple(line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…" for line in lines)


def largest(rows: Mapping[str, int | None]) -> dict[str, int]:
    """Rows of the largest tables, the largest first."""
    known = {name: count for name, count in rows.items() if count is not None}
    return dict(sorted(known.items(), key=lambda each: (-each[1], each[0]))[:MOST_TABLES])


def budgets_of(result: Result, settings: Settings) -> dict[str, float]:
    """Limits that were set, in seconds: of the backup's age, and of the times."""
    found = {"age": settings.max_backup_age} | result["budgets"]
    return {name: seconds for name, seconds in found.items() if seconds is not None}


def versions_of(result: Result) -> dict[str, str]:
    """Versions of the drill, of the server restored into, of the source, and of Python."""
    found = {
        "drill": __version__,
        "postgresql": (result["target"] or {}).get("server_version"),
        "source": (result["backup"] or {}).get("source_version"),
        "python": platform.python_version(),
    }
    return {name: str(version) for name, version in found.items() if version}


def setup_of(result: Result, settings: Settings) -> str:
    """How it was restored: `embedded, 2 jobs`. Times of another setup cannot be compared."""
    return setup_named((result["target"] or {}).get("way") or settings.target, settings)


def setup_named(how: str, settings: Settings) -> str:
    """The same of a drill by a target, or a way into a live server, that is called `how`."""
    parts = [how, f"{settings.jobs} jobs"]
    parts += ["production settings"] if settings.production_settings else []
    return ", ".join(parts)
