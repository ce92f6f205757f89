"""All databases of a fleet as metrics in Prometheus's text format, by what their histories say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.fleet.report.judged import Judged
from restore_drill.results.result import EXIT_CODES, write_whole
from restore_drill.watch.history import Drill
from restore_drill.watch.metrics import Metric, Value, ended, text_of
from restore_drill.watch.metrics_out import FOR_ALL

Measure = Callable[[Drill], Value]
OF_LAST: tuple[tuple[str, str, Measure], ...] = (
    ("last_run_timestamp_seconds", "When the last drill ended", ended),
    ("proven", "1 if content and schema were proved equal to the source's",
     lambda drill: float(drill.strength == "proven")),
    ("restored_rows", "Rows of the restored database", lambda drill: drill.rows),
    ("backup_age_seconds", "Age of the backup when it was drilled", lambda drill: drill.age),
    ("backup_max_age_seconds", "Maximum age of the backup",
     lambda drill: drill.budgets.get("age")),
    ("backup_size_bytes", "Size of the backup", lambda drill: drill.size),
)  # fmt: skip
"""Gauges of the last drill, by the names that a drill alone gives them."""
STAGES = ("restore", "verify", "total")


def write_gauges(path: Path, found: Sequence[Judged]) -> None:
    """Write the metrics of all to `path`, in one step. Raises CouldNotRun."""
    try:
        write_whole(path, text_of(gauges_of(found), {}), FOR_ALL)
    except OSError as error:
        is_missing = isinstance(error, FileNotFoundError)
        raise CouldNotRun(
            f"the metrics of the fleet cannot be written: {error.strerror or error}",
            checked=[str(path)],
            remedy=remedy_for("fleet", "no_metrics_folder" if is_missing else "metrics"),
        ) from None


def gauges_of(found: Sequence[Judged]) -> Iterator[Metric]:
    """All gauges; what is not known of a database is left out."""
    yield Metric("in_order", "1 if the last drill has passed, in time and steadily",
                 {labels(each): float(each.series.problem is None) for each in found})  # fmt: skip
    yield Metric("last_pass_timestamp_seconds", "When the last passed drill ended",
                 {labels(each): round(ended(last), 3) for each in found
                  if (last := each.series.last_pass)})  # fmt: skip
    yield Metric("pass_limit_seconds", "Maximum age of the last pass",
                 {labels(each): each.rules.limit for each in found})  # fmt: skip
    drilled = [(each, each.series.drills[-1]) for each in found if each.series.drills]
    yield Metric("verdict", "1 for the verdict of the last drill, else 0", {
        labels(each, verdict=verdict): float(verdict == last.verdict)
        for each, last in drilled for verdict in EXIT_CODES
    })  # fmt: skip
    for name, text, measure in OF_LAST:
        yield Metric(name, text, {labels(each): measure(last) for each, last in drilled})
    yield Metric("duration_seconds", "Time that a stage took", {
        labels(each, stage=stage): getattr(last, stage)
        for each, last in drilled for stage in STAGES
    })  # fmt: skip
    yield Metric("budget_seconds", "Maximum time of a stage", {
        labels(each, stage=stage): last.budgets.get(stage)
        for each, last in drilled for stage in STAGES
    })  # fmt: skip


def labels(each: Judged, **more: str) -> tuple[tuple[str, str], ...]:
    """`database` and `series`, as alerts of single drills name it, and `more`."""
    return (("database", each.database.name), ("series", each.series.name), *more.items())
