"""fleet.json: the run for programs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from restore_drill import __version__
from restore_drill.core.redact import Redactor
from restore_drill.fleet.report.outcome import Outcome
from restore_drill.fleet.report.run import Fleet
from restore_drill.results.result import as_json

SCHEMA = 1


def plain_of(fleet: Fleet) -> dict[str, Any]:
    """The run in JSON's own types, without secrets: see `schema.py`; databases the worst first."""
    found = {
        "schema": SCHEMA,
        "verdict": fleet.verdict,
        "exit_code": fleet.code,
        "started_at": fleet.started,
        "ended_at": fleet.ended or datetime.now(UTC),
        "interrupted": fleet.is_interrupted,
        "inventory": str(fleet.inventory),
        "counts": fleet.counts,
        "databases": [of_database(each) for each in fleet.rows],
        "undecided": fleet.undecided,
        "tool": {"name": "restore-drill", "version": __version__},
    }
    plain: dict[str, Any] = as_json(found, Redactor())
    return plain


def of_database(outcome: Outcome) -> dict[str, Any]:
    """One database: what became of it, and what was measured; null for what is not known."""
    database, measured = outcome.database, outcome.measured
    return {
        "name": outcome.name,
        "owner": database.owner,
        "labels": database.labels,
        "state": outcome.shown_state,
        "still_failed": outcome.is_red,
        "exit_code": outcome.code,
        "why": outcome.why or None,
        "tries": outcome.tries,
        "worker": outcome.worker or None,
        "seconds": outcome.seconds,
        "started_at": measured.started,
        "backup": measured.backup or None,
        "bytes": measured.size,
        "backup_age_seconds": measured.age,
        "data_age_seconds": measured.data_age,
        "restore_seconds": measured.restore,
        "total_seconds": measured.total,
        "rows": measured.rows,
        "strength": measured.strength or None,
        "findings": measured.findings,
        "warnings": measured.warnings,
        "not_recorded": outcome.unrecorded or None,
        "not_checked": measured.not_checked,
        "reports": str(outcome.folder) if outcome.folder else None,
    }
