"""What came of measuring drift: step lines and notes, and kept for the next drill."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from restore_drill.backups.model import OF_ONE_NAME, Backup, Contents
from restore_drill.config.settings import Settings
from restore_drill.core.calling import COMMAND
from restore_drill.core.mirrors import as_written
from restore_drill.core.record import Record
from restore_drill.core.server_errors import error_text
from restore_drill.core.steps import Steps
from restore_drill.core.units import show_count
from restore_drill.drift.accepted import Acceptances
from restore_drill.drift.drift import Drift, drift_of
from restore_drill.drift.findings import ADDED, CHANGED, LOST, ROWS
from restore_drill.drift.high import highs_after
from restore_drill.drift.measures import Measures, facts_of
from restore_drill.drift.state import Passed, State
from restore_drill.drift.tolerance import Tolerance
from restore_drill.facts.model import Facts
from restore_drill.facts.schema.model import Highs
from restore_drill.manifest.file import Manifest

SHOWN = 1000


def measure_drift(
    facts: Facts,
    contents: Contents,
    backup: Backup,
    manifest: Manifest | None,
    measures: Measures,
    settings: Settings,
) -> tuple[Drift, list[str]]:
    """What has changed in the source since it was measured, and what was in the way of that."""
    held = facts_of(facts, contents, backup, manifest)
    assert measures.state is not None
    tolerance = Tolerance(settings.criteria)
    lines, damaged = measures.state.read_accepted()
    found = drift_of(
        measures.all,
        held,
        tolerance,
        Acceptances(lines, tolerance),
        restored=lost_by_restore(facts),
        command=command_of(settings, measures.state.scheme),
    )  # fmt: skip
    return found, list(filter(None, (damaged, head_note(facts))))


def lost_by_restore(facts: Facts) -> frozenset[str]:
    """Names of what the restore has lost, as drift has them; those of other kinds as they fit."""
    names = set[str]()
    for each in facts.missing_objects:
        kind = next((kind for kind in OF_ONE_NAME if each.startswith(f"{kind} ")), "")
        name = each.removeprefix(f"{kind} ") if kind else each.partition(" ")[2]
        names.add(name if kind else name.replace(" ", ".").replace('"', ""))
    return frozenset(names)


def head_note(facts: Facts) -> str:
    """That the migration head could not be read, if so."""
    error = facts.head_error
    why = error_text(error) if error else facts.why_no_head
    return why and f"The migration head cannot be read: {why}"


def command_of(settings: Settings, series: str) -> str:
    """Command that accepts what a drill of `series` has found."""
    named = f" --backup {shlex.quote(as_written(settings.backup))}" if settings.backup else ""
    named += f" --series {shlex.quote(series)}" if settings.choice.series else ""
    return f"{COMMAND} accept{named}"


def report(found: Drift, measures: Measures, steps: Steps, record: Record) -> None:
    """Step lines and notes: against what, and what came of it."""
    for what, why in found.not_compared:
        record.skip(what, why)
    if measures.why_not:
        record.skip("drift since the last passed drill", measures.why_not)
    for each in found.accepted:
        steps.warn(f"{each.line}: {each.why}")
        record.notes.append(f"drift: {each.line}: {each.why}")
    excused = [each for each in found.noted if each.what != ADDED]
    record.notes += [
        f"drift: {each.line}" + (f": {each.why}" if each.why else "") for each in excused[:SHOWN]
    ]
    if len(excused) > SHOWN:
        record.notes.append(f"drift: and {len(excused) - SHOWN} more; see drift in result.json")
    since = f"since {found.against}"
    if found.failing:
        steps.bad(f"Drift {since}: {numbers(found)}")
        return
    more = "; ".join(without_loss(found, excused=len(excused)))
    steps.ok(f"No object was lost {since}" + (f" ({more})" if more else ""))


def without_loss(found: Drift, *, excused: int) -> Iterator[str]:
    """What has changed and is no loss: so many changes that were `excused`, new objects, moves."""
    if excused:
        yield f"{show_count(excused, 'change')} noted"
    if added := len(found.noted) - excused:
        yield f"{show_count(added, 'new object')}"
    if found.moved:
        yield f"{', '.join(found.moved)} has moved"


def numbers(found: Drift) -> str:
    """`2 lost, 1 changed, 1 other`."""
    lost, changed = len(found.of(LOST)), len(found.of(CHANGED))
    other = len(found.failing) - lost - changed
    counts = {"lost": lost, "changed": changed, "other": other}
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def keep(state: State, found: Drift, backup: Backup, result: dict[str, Any], at: datetime) -> None:
    """Note a passed drill as the measure for the next, and what people may accept.

    `result` is what came of the drill that began `at` that time. An older backup that was picked
    measures nothing that comes after it. Raises OSError.
    """
    if backup.among.picked:
        return
    is_whole = result["verdict"] == "passed" and not result["selection"]
    known, problem = state.read_passed()
    if problem:
        return
    if is_whole and (known is None or known.taken_at <= backup.taken_at):
        highs = highs_now(known, found) if known else {}
        state.write_passed(backup, at, found.facts, highs)
    if is_whole or found.failing:
        state.write_found(backup, at, list(found.failing))


def highs_now(known: Passed, found: Drift) -> Highs:
    """The most rows of tables that have shrunk, now that a drill has passed."""
    accepted = {each.name for each in found.accepted if each.what == ROWS}
    return highs_after(known.facts, known.name, known.highs, found.facts, accepted)
