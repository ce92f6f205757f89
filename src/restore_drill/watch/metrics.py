"""A drill as metrics in Prometheus's text format; docs/metrics.md describes each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun
from restore_drill.results.result import EXIT_CODES, Result
from restore_drill.watch.entry import drill_of
from restore_drill.watch.groups import group_of
from restore_drill.watch.history import Drill, history_path, load_history

PREFIX = "restore_drill_"
LAST_PASS = f"{PREFIX}last_pass_timestamp_seconds"
Labels = Mapping[str, str]
Value = float | None


class Metric(NamedTuple):
    """A gauge: its name without PREFIX, its help text, and its values by their labels."""

    name: str
    help: str
    values: Mapping[tuple[tuple[str, str], ...], Value]


def alone(value: Value) -> Mapping[tuple[tuple[str, str], ...], Value]:
    """The one value of a gauge without labels."""
    return {(): value}


def by(label: str, values: Mapping[str, Value]) -> Mapping[tuple[tuple[str, str], ...], Value]:
    """`values` by the text of their `label`."""
    return {((label, name),): value for name, value in values.items()}


class Measured(NamedTuple):
    """A drill to be shown: `series` of its backups, `last_pass` in seconds since 1970, if known."""

    result: Result
    drill: Drill
    series: str
    last_pass: float | None


def measured(result: Result, settings: Settings) -> Measured:
    """What is known of the drill of `result`, and of those before it."""
    drill = drill_of(result, settings)
    earlier = drills_before(settings)
    series, of_it = group_of(earlier, drill)
    passes = [ended(each) for each in (*of_it, drill) if each.has_passed]
    return Measured(result, drill, series, max(passes, default=None))


def drills_before(settings: Settings) -> list[Drill]:
    """Drills in the history; none where there is no history, or it cannot be read."""
    path = history_path(settings)
    try:
        return load_history(path).drills if path is not None else []
    except CouldNotRun:
        return []  # the drill says so where it adds its own entry


def ended(drill: Drill) -> float:
    """When `drill` ended, in seconds since 1970."""
    return drill.at.timestamp() + (drill.total or 0)


def metrics_of(found: Measured) -> Iterator[Metric]:
    """All gauges of a drill."""
    result, drill = found.result, found.drill
    verdicts = {verdict: float(verdict == result["verdict"]) for verdict in EXIT_CODES}
    yield Metric("info", "The drill that these metrics are of", about(found))
    yield Metric(
        "last_run_timestamp_seconds", "When the last drill ended", alone(round(ended(drill), 3))
    )
    yield Metric(
        "last_pass_timestamp_seconds",
        "When the last passed drill ended",
        alone(found.last_pass and round(found.last_pass, 3)),
    )
    yield Metric("verdict", "1 for the verdict of the last drill, else 0", by("verdict", verdicts))
    yield Metric("proven", "1 if content and schema were proved equal to the source's",
                 alone(float(result["strength"] == "proven")))  # fmt: skip
    yield Metric("duration_seconds", "Time that a stage took", by("stage", result["timings"]))
    limits = {name: value for name, value in drill.budgets.items() if name != "age"}
    yield Metric("budget_seconds", "Maximum time of a stage", by("stage", limits))
    yield Metric("criteria", "Criteria by outcome", by("outcome", outcomes_of(result)))
    yield Metric("not_checked", "Points that were not checked", alone(len(result["not_checked"])))
    yield Metric("warnings", "Warnings beside the verdict", alone(len(result["warnings"])))
    yield Metric("restored_rows", "Rows of the restored database", alone(drill.rows))
    tables = len(result["tables"]) or None
    yield Metric("restored_tables", "Tables of the restored database", alone(tables))
    yield from metrics_of_backup(result, drill)


def metrics_of_backup(result: Result, drill: Drill) -> Iterator[Metric]:
    """Gauges of the backup that was drilled; without values where there was none."""
    taken = (result["backup"] or {}).get("taken_at")
    when = datetime.fromisoformat(taken).timestamp() if taken else None
    yield Metric("backup_timestamp_seconds", "When the backup was taken", alone(when))
    yield Metric("backup_age_seconds", "Age of the backup when it was drilled", alone(drill.age))
    limit = drill.budgets.get("age")
    yield Metric("backup_max_age_seconds", "Maximum age of the backup", alone(limit))
    yield Metric("backup_size_bytes", "Size of the backup", alone(drill.size))


def about(found: Measured) -> Mapping[tuple[tuple[str, str], ...], Value]:
    """Labels of the gauge `info`: what does not change from drill to drill, mostly."""
    drill = found.drill
    labels = {
        "database": drill.database,
        "machine": drill.machine,
        "version": drill.versions.get("drill"),
        "postgresql": drill.versions.get("postgresql"),
    }
    return {tuple((name, value or "") for name, value in labels.items()): 1}


def outcomes_of(result: Result) -> dict[str, Any]:
    """How many criteria had each outcome."""
    left_out = ("criteria", "deselected")
    return {name: number for name, number in result["counts"].items() if name not in left_out}


def text_of(metrics: Iterable[Metric], common: Labels) -> str:
    """`metrics` as a scrape gives them, with `common` labels; unknown ones are left out."""
    lines = []
    for metric in metrics:
        values = {labels: value for labels, value in metric.values.items() if value is not None}
        name = PREFIX + metric.name
        lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} gauge"] if values else []
        for labels, value in values.items():
            lines.append(f"{name}{shown({**common, **dict(labels)})} {value:.15g}")
    return "\n".join([*lines, ""])


def shown(labels: Labels) -> str:
    """`{series="db/shop"}`, with what the format has a meaning for escaped; empty for none."""
    escapes = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
    pairs = [f'{name}="{value.translate(escapes)}"' for name, value in labels.items()]
    return "{" + ",".join(pairs) + "}" if pairs else ""
