"""What the drill says of a recovery on the terminal, and notes in the record."""

from __future__ import annotations

from restore_drill.backups.physical.model import show_lsn
from restore_drill.core.record import Record
from restore_drill.core.steps import Steps
from restore_drill.core.units import show_bytes, show_count, show_duration, show_moment, some
from restore_drill.recovery.model import Part, Recovered, Side
from restore_drill.recovery.outcome import record_of

SHORTEST = 0.1
"""Seconds of which a rate is told."""
SHOWN = 6
"""So many databases are named."""


def announce(recovered: Recovered, steps: Steps, record: Record) -> None:
    """Say where recovery ended, what its time went into, and which databases there are."""
    record.recovery = record_of(recovered)
    for what, _ in recovered.faults:
        steps.bad(what)
    for line in lines_of(recovered):
        steps.note(line)
        record.notes.append(line)
    for what, why in recovered.told:
        record.skip(what, why)
    for line in recovered.warnings:
        steps.warn(line)
        record.warnings.append(line)


def lines_of(recovered: Recovered) -> list[str]:
    """What there is to know of `recovered`, beside what the criteria ask."""
    evidence, lines = recovered.evidence, []
    if evidence.last_in is not None:
        lines.append(f"The newest transaction in it{side_in_words(evidence.last_in)}")
    if evidence.first_out is not None:
        lines.append(f"The first transaction not in it{side_in_words(evidence.first_out)}")
    if evidence.end_lsn is not None:
        lines.append(f"Recovery ended at {place_in_words(evidence.end_lsn, evidence.timeline)}")
    if evidence.had_archive:
        found = sum(each.found for each in evidence.asked)
        lines.append(f"{show_count(found, 'file')} of WAL came from the archive")
    if recovered.parts:
        lines.append("Time: " + ", ".join(map(part_in_words, recovered.parts)))
    number = show_count(len(recovered.databases), "database")
    named = some(sorted(recovered.databases), SHOWN)
    lines.append(f"{number}: {named}; the criteria are about {recovered.database}")
    return lines


def place_in_words(lsn: int, timeline: int | None) -> str:
    """`0/1E0000B0 on timeline 1`."""
    return show_lsn(lsn) + (f" on timeline {timeline}" if timeline else "")


def side_in_words(side: Side) -> str:
    """` (800) ended 2026-11-27 23:36:49.020000 UTC`."""
    number = f" ({side.xid})" if side.xid else ""
    return f"{number} ended {show_moment(side.at) if side.at else 'at a time that is not known'}"


def part_in_words(part: Part) -> str:
    """`copy 3 s (285 MB, 95 MB/s)`; of what took no time no rate is told."""
    rate = f", {show_bytes(part.bytes / part.seconds)}/s" if part.seconds >= SHORTEST else ""
    size = f" ({show_bytes(part.bytes)}{rate})" if part.bytes else ""
    return f"{part.name} {show_duration(part.seconds)}{size}"
