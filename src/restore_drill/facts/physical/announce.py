"""What the drill says of the examination of a recovered server, and notes in the record."""

from __future__ import annotations

from collections.abc import Iterator

from restore_drill.core.record import Record
from restore_drill.core.steps import Steps
from restore_drill.core.units import capitalised, show_count, some
from restore_drill.facts.physical.examination import Examination

SHOWN = 12


def announce(found: Examination, steps: Steps, record: Record) -> None:
    """Say what was read, what could not be checked, and what may be damage or not."""
    for line in lines_of(found):
        steps.note(line)
        record.notes.append(line)
    for what, why in found.told:
        record.skip(what, why)
    for line in found.warnings:
        steps.warn(capitalised(line))
        record.warnings.append(line)


def lines_of(found: Examination) -> Iterator[str]:
    """How much was read, and what is empty by design."""
    pages = found.pages
    sums = ", each with its checksum" if found.cluster.checksums_on else ""
    databases = show_count(len(found.databases), "database")
    yield f"Read {show_count(pages.pages, 'page')} of {databases}{sums}"
    yield (
        f"{show_count(pages.entries, 'entry', 'entries')} of "
        f"{show_count(pages.indexes, 'B-tree index', 'B-tree indexes')} held against their tables"
    )
    if found.unlogged:
        names = some(found.unlogged, SHOWN)
        yield f"Unlogged tables, which are empty after every recovery: {names}"
