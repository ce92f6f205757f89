"""What the drill says of the backup that it has selected, and of what it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from restore_drill.backups.arrived import transfer_of
from restore_drill.backups.model import Backup, Contents
from restore_drill.backups.sections import without_keys, without_rows
from restore_drill.backups.wraps.keys import keyring
from restore_drill.core.record import Record
from restore_drill.core.remedies import remedy_for
from restore_drill.core.steps import Steps
from restore_drill.core.units import capitalised, show_bytes, show_count, show_duration, some
from restore_drill.selection.chosen import (
    MOST_NAMED,
    age_of,
    backup_record,
    contents_record,
    described,
    left_open,
    remarks_on,
)
from restore_drill.selection.considered import considered_record


def announce(backup: Backup, manifest: Path, steps: Steps, record: Record) -> None:
    """Say which backup it is, and note it in the record, with its `manifest`, if there is one."""
    for line in backup.passed_over:
        record.notes.append(f"skipped {line}")
    for line in by_reason(backup.passed_over):
        steps.warn(f"Skipped {line}")
    for line in remarks_on(backup):
        steps.note(line)
        record.notes.append(line)
    for what, why in backup.not_drilled:
        steps.warn(f"Not drilled: {what}")
        record.skip(what, why)
    age = age_of(backup)
    record.sample = backup.is_sample
    record.candidates = considered_record(backup)
    record.backup = backup_record(backup, age, manifest)
    sample = " (the sample shop)" if backup.is_sample else ""
    name, picked, schedule = (
        backup.among.label or backup.name,
        backup.among.picked,
        backup.among.schedule,
    )
    steps.ok(f"Using backup: {name}{sample}")
    steps.note(described(backup, age))
    if picked:
        steps.warn(f"An older backup was picked, not the newest: {picked.newest}")
        record.warnings.append(
            f"an older backup was picked (--pick {picked.how}): this says nothing about the "
            f"newest, {picked.newest}"
        )
    if schedule and not schedule.holes:
        steps.note(
            f"No backup is missing, with one due every {show_duration(schedule.every)}: "
            f"{schedule.judged}"
        )


def by_reason(lines: Sequence[str]) -> Iterator[str]:
    """`lines` of the shape `name: why`, those that give one reason as one."""
    names: dict[str, list[str]] = {}
    for line in lines:
        name, _, why = line.partition(": ")
        names.setdefault(why, []).append(name)
    yield from (f"{some(each, MOST_NAMED)}: {why}" for why, each in names.items())


def announce_contents(
    found: Contents, steps: Steps, record: Record, *, is_physical: bool = False
) -> None:
    """Say what the backup holds, and note it in the record."""
    assert record.backup is not None
    record.backup = contents_record(found, record.backup)
    for line in keyring().new_notes():
        steps.note(line)
        record.notes.append(line)
    if found.is_complete:
        steps.ok(read_words(found, is_physical=is_physical))
    if why := without_rows(found):
        steps.warn(capitalised(why))
    if record.backup["manifest"] is None and (why := without_keys(found)):
        steps.warn(capitalised(why))
        record.skip("whether indexes, keys and triggers came back", why)
    if found.is_translated and found.is_complete:
        note = (
            "Its lines end with CRLF: no data was changed, but dumps should be "
            "transferred in binary mode"
        )
        steps.warn(note)
        record.notes.append(note)
    if found.misread:
        record.warnings.append(for_psql(found))
    for what, why in left_open(found):
        record.skip(what, why)


def read_words(found: Contents, *, is_physical: bool) -> str:
    """What was read of a whole backup; a physical one lists no table."""
    if is_physical:
        size = f" ({show_bytes(found.read_bytes)})" if found.read_bytes else ""
        if found.told:
            return f"Looked through before it is started, and not all could be verified{size}"
        return f"Verified before it is started{size}"
    tables = sum(entry.kind == "TABLE" for entry in found.entries)
    held = show_count(tables, "table")
    if found.rows is not None:
        held += f", {show_count(sum(found.rows.values()), 'row')}"
    return f"Read in full: {held}"


def for_psql(found: Contents) -> str:
    """That psql cannot restore what the drill can, and how else it is restored."""
    first, *more = found.misread
    steps = "; ".join(remedy_for("contents", "misread"))
    also = f", and {', '.join(more)}" if more else ""
    return (
        f"psql cannot restore this dump, though the drill can: in {first}{also} it takes a name "
        f"for BEGIN, waits for an END, and loses all that follows. {capitalised(steps)}"
    )


def announce_transfer(path: Path, steps: Steps, record: Record) -> None:
    """Say how the backup at `path` came from another machine, and note it as a stage of its own."""
    found = transfer_of(path)
    if found is None or record.backup is None:
        return
    steps.note(capitalised(found.text))
    record.notes.append(found.text)
    started = max(record.elapsed - found.ago, 0.0)
    record.stages.append({"name": "transfer", "started": started, "seconds": found.seconds})
    record.backup["transfer"] = {
        "bytes": found.size,
        "seconds": round(found.seconds, 3),
        "from_cache": found.is_kept,
    }
