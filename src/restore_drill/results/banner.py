"""The lines of the verdict: what was found, what was proved, what was not, what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from restore_drill.config.settings import Settings
from restore_drill.core.calling import COMMAND, IS_INSTALLED, SUITE
from restore_drill.core.printable import shown_path
from restore_drill.core.units import show_bytes, show_count, show_duration
from restore_drill.results.kinds import next_step
from restore_drill.results.lines import (
    Line,
    finding_lines,
    not_checked_lines,
    waived_lines,
    warning_lines,
)
from restore_drill.results.meaning import meaning_of, measured_of, worth_of
from restore_drill.results.recovery_card import ended_of
from restore_drill.results.result import Result
from restore_drill.results.words import (
    SAMPLE,
    VERDICTS,
    backup_name,
    count,
    had_errors,
    problems_of,
    tally_of,
)

MOST_LOST = 20
"""So many differences from what was before are listed."""
SETTLED = ("not touched", "holds the backup", "as it was before")
"""What the live database is where nothing is left to do about it."""


def quiet_line(result: Result, report: Path | None) -> str:
    """The verdict in one line: `RESTORE DRILL PASSED: 30 of 31 criteria passed, 1 skipped, ...`."""
    parts = [tally_of(result)]
    warnings = len(result["warnings"])
    parts += [show_count(warnings, "warning")] if warnings else []
    open_ = len(result["not_checked"])
    parts += [f"{show_count(open_, 'point')} not checked"] if open_ else []
    parts += [f"backup {backup_name(result['backup'])}"] if result["backup"] else []
    parts += [show_duration(result["timings"]["total"])]
    parts += [f"report {shown_path(report)}"] if report is not None else []
    sample = " (sample)" if result["sample"] and result["verdict"] != "sample" else ""
    return f"RESTORE DRILL {VERDICTS[result['verdict']]}{sample}: " + ", ".join(parts)


def quiet_lines(result: Result, report: Path | None) -> Iterator[str]:
    """All that is shown with `-q`: findings, waivers and warnings, and the verdict in one line."""
    for _, text in (*finding_lines(result), *waived_lines(result), *warning_lines(result)):
        yield text
    yield quiet_line(result, report)


def start_lines(settings: Settings) -> Iterator[Line]:
    """Lines below the START banner: where, by which criteria, and of what."""
    is_package = IS_INSTALLED and settings.criteria.path.is_relative_to(SUITE)
    criteria = "of the package" if is_package else shown_path(settings.criteria.path)
    yield "ok", f"Environment validated (target {settings.target}, criteria {criteria})"
    if is_package and not settings.is_sample:
        yield "warn", f"No drill/ here or above: standard criteria only ({COMMAND} init creates it)"
    yield from (("warn", line) for line in settings.misspelled)
    if settings.is_sample and settings.require_backup:
        yield "warn", "No backup is configured (BACKUP_PATH, --backup), but one is required"
    elif settings.is_sample:
        yield "warn", "No backup is configured (BACKUP_PATH, --backup): drilling the sample shop"
    elif settings.backup is not None:
        yield "note", f"Backup named: {shown_path(settings.backup)}"
    elif settings.backup_path is not None:
        yield "note", f"Backup directory: {shown_path(settings.backup_path)}"


def end_lines(result: Result, target: str) -> Iterator[Line]:
    """Lines of the verdict banner: what was found, what it rests on, what to do next."""
    if result["verdict"] != "passed":
        yield ("bad" if result["verdict"] == "failed" else "warn"), meaning_of(result)
    yield from (("warn", reason) for reason in result["reasons"])
    yield from finding_lines(result)
    yield from backup_lines(result)
    yield from snapshot_lines(result, target)
    yield from promotion_lines(result)
    restored = result["timings"]["restore"]
    has_problem = any(check["stage"] == "restore" for check in problems_of(result))
    has_problem = has_problem or had_errors(result)
    if restored is not None and not has_problem:
        yield "ok", f"Database restored in {time_of(result, 'restore')}"
    if count(result, "passed"):
        yield "ok", tally_of(result)
    if worth := worth_of(result):
        yield ("ok" if result["strength"] == "proven" else "warn"), worth.removesuffix(".")
    if ended := ended_of(result.get("recovery")):
        yield "note", ended
    if measured := measured_of(result):
        yield "note", measured
    yield from waived_lines(result)
    yield from warning_lines(result)
    yield from not_checked_lines(result)
    yield from next_lines(result)
    yield "note", f"Duration: {time_of(result, 'total')}"


def time_of(result: Result, stage: str) -> str:
    """`3 min 20 s (no budget set)`: what `stage` took, and whether anything was allowed for it."""
    unset = stage in result["budgets"] and result["budgets"][stage] is None
    return show_duration(result["timings"][stage]) + (" (no budget set)" if unset else "")


def backup_lines(result: Result) -> Iterator[Line]:
    """What was drilled."""
    backup = result["backup"]
    if backup is None:
        yield "note", "Backup: none was checked"
        return
    size = show_bytes(backup["bytes"]) if backup.get("bytes") is not None else ""
    age = backup.get("age_seconds") or 0
    old = show_duration(age) + " old" if age > 0 else ""
    about = ", ".join(filter(None, (size, old)))
    about = f" ({about})" if about else ""
    if not result["sample"]:
        is_fit = all(check["stage"] != "select" for check in problems_of(result))
        yield "ok" if is_fit else "note", f"Backup used: {backup_name(backup)}{about}"
        return
    yield "note", f"Backup used: a dump of the sample shop, made for this drill{about}"
    if result["verdict"] not in ("sample", "failed"):
        yield "warn", SAMPLE


def snapshot_lines(result: Result, target: str) -> Iterator[Line]:
    """The safety snapshot and what the live database holds now, or why there is none."""
    snapshot = result["snapshot"]
    if snapshot:
        now, *more = str(snapshot.get("live_database") or "").splitlines() or [""]
        is_settled = now.startswith(SETTLED) and not more
        kind = "ok" if is_settled and snapshot.get("rolled_back") is not False else "bad"
        if now:
            yield kind, f"The live database {snapshot.get('database', '')}: {now}"
        yield from (("note", f"  {line.strip()}") for line in more)
        yield from lost_lines(snapshot.get("lost"))
        yield "note", f"  Safety snapshot: {snapshot['path'] or 'none was taken'}"
        if command := snapshot.get("way_back"):
            yield "note", f"  The way back: {command}"
    elif result["promotion"]:
        is_new = result["promotion"]["promoted"] and not result["promotion"]["kept"]
        why = "there was no database before" if is_new else "the old database is kept whole"
        yield "note", f"Safety snapshot: not needed, {why}"
    elif target == "database" and (result["target"] or {}).get("way") == "beside":
        yield "note", "Safety snapshot: not needed, the live database is only read"
    elif target == "database":
        yield "note", "Safety snapshot: none was taken"
    else:
        why = f"the {target} target touches no existing database"
        yield "note", f"Safety snapshot: not needed, {why}"


def lost_lines(lost: Sequence[str] | None) -> Iterator[Line]:
    """What the live database had before its reset and the backup lacks, where it was compared."""
    if lost is None:
        return
    if not lost:
        yield "note", "  Compared with its state before the drill: nothing is missing"
        return
    yield "warn", f"  Not as before the drill ({show_count(len(lost), 'difference')}):"
    yield from (("note", f"    {line}") for line in lost[:MOST_LOST])
    if (more := len(lost) - MOST_LOST) > 0:
        yield "note", f"    and {more} more, in result.json"


def promotion_lines(result: Result) -> Iterator[Line]:
    """What the live name holds now, the name of the old database, and the way back."""
    promotion = result["promotion"]
    if not promotion:
        return
    promoted = promotion["promoted"]
    yield ("ok" if promoted else "warn"), f"The live database: {promotion['live_database']}"
    if why := promotion.get("why"):
        said = "Not known to be promoted" if promoted is None else "Not promoted"
        yield ("bad" if promoted is None else "note"), f"{said}: {why}"
    yield from (("note", f"Next: {line}") for line in promotion.get("next", ()))
    yield from (("note", f"Accepted loss: {line}") for line in promotion["lost"] if promoted)
    if promoted:
        yield "note", f"The way back: {promotion['way_back']}"
    if promoted and promotion["kept"]:
        yield "note", f"Once the old one is not needed: DROP DATABASE {promotion['kept_quoted']}"


def next_lines(result: Result) -> Iterator[Line]:
    """What to do next, where the verdict asks for it."""
    if step := next_step(result):
        yield "note", f"Next: {step}"
