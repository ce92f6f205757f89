"""How long a drill would take: by earlier drills of the series, else by what was measured."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from restore_drill.backups.model import Backup
from restore_drill.backups.sizes import sql_bytes
from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.units import show_bytes
from restore_drill.doctor.examine import Checkup
from restore_drill.doctor.physical import physical_of
from restore_drill.doctor.records import drills_of
from restore_drill.watch.entry import setup_named
from restore_drill.watch.history import Drill

LAST = 5
"""So many passed drills make an estimate."""
RATE, PRODUCTION_RATE, READ_RATE = 55e6, 25e6, 380e6
"""Bytes of SQL a second on two cores (benchmarks/RESULTS.md): restored 50 to 76 MB, with default
settings over one connection 23 to 30 MB; read to its end before, 1.3 GB in 3.4 s."""
VERIFIED = {False: 0.37, True: 1.27}
"""Share of a tuned restore's time that verification takes, without and with --heapallindexed."""
COPY_RATE, PAGES_RATE = 300e6, 100e6
"""Bytes of a server's files a second on two cores: 285 MB were copied in 0.8 s; their pages, index
entries and rows took 2.4 s to examine."""
STARTED, EXAMINED = 0.5, 2.0
"""Seconds until a server has started on next to nothing, and until its catalogs are examined."""
LEAST = 0.1
"""Seconds of a restore, and of a verification, of next to nothing."""
AROUND = 1.2
"""Seconds of the rest: Python, server, Redis, criteria, reports."""
SAMPLE_ROW_BYTES = 400
"""Bytes of SQL of the sample shop a card, about: 1,000 cards take 0.4 MB."""


class Estimate(NamedTuple):
    """Seconds by stage, and in words what they are taken from."""

    read: float
    restore: float
    verify: float
    total: float
    basis: str


def estimate(
    size: int, sql: int, drills: Sequence[Drill], settings: Settings, *, is_files: bool = False
) -> Estimate:
    """Times for a backup of `size` bytes that holds `sql` bytes; `drills` are of its series.

    Of a physical one `sql` are bytes of files.
    """
    known = [each for each in drills if each.has_passed and each.restore is not None]
    setup = setup_named(
        settings.way if settings.target == "database" else settings.target, settings
    )
    alike = [each for each in known if each.setup == setup]
    passes = (alike or known)[-LAST:]
    read = sql / READ_RATE
    if not passes and is_files:
        return of_files(read, sql)
    if not passes:
        is_cautious = settings.production_settings or settings.in_place
        rate = PRODUCTION_RATE if is_cautious else RATE
        restore = LEAST + sql / rate
        verify = LEAST + VERIFIED[settings.heapallindexed] * sql / RATE
        measured = f"{show_bytes(rate)} of SQL a second were measured on two cores"
        basis = f"estimated from its size: {measured}"
        basis += "" if settings.is_sample else "; no drill of this series has passed yet"
        return Estimate(read, restore, verify, AROUND + read + restore + verify, basis)
    sizes = [each.size for each in passes if each.size]
    growth = size / statistics.median(sizes) if sizes and size else 1.0
    restore, verify, total = (
        growth * statistics.median([each for each in times if each is not None] or [0.0])
        for times in (
            [each.restore for each in passes],
            [each.verify for each in passes],
            [each.total for each in passes],
        )
    )
    last = "passed drill" if len(passes) == 1 else f"{len(passes)} passed drills"
    basis = f"estimated from the last {last} of this series"
    basis += "" if alike else ", which were restored in another way"
    basis += f", by its size {growth:.2f} times theirs" if abs(growth - 1) > 0.01 else ""
    return Estimate(read, restore, verify, total, basis)


def of_files(read: float, size: int) -> Estimate:
    """Times for `size` bytes of a server's files, where no drill of the series has passed."""
    restore, verify = STARTED + size / COPY_RATE, EXAMINED + size / PAGES_RATE
    measured = f"{show_bytes(COPY_RATE)} of files a second were copied on two cores"
    basis = f"estimated from its size: {measured}; no drill of this series has passed yet"
    return Estimate(read, restore, verify, AROUND + read + restore + verify, basis)


def times_of(checkup: Checkup) -> Estimate:
    """Estimated times for the backup that would be drilled."""
    settings, chosen = checkup.configured.settings, checkup.chosen
    drills: list[Drill] = []
    with suppress(CouldNotRun):  # reported by the checkup
        drills = drills_of(settings, chosen)
    size = chosen.size if isinstance(chosen, Backup) else 0
    is_files = physical_of(chosen) is not None
    return estimate(size, sql_of(checkup), drills, settings, is_files=is_files)


def sql_of(checkup: Checkup) -> int:
    """Bytes of SQL that would be restored, about."""
    chosen = checkup.chosen
    if isinstance(chosen, Backup):
        return sql_bytes(chosen)
    return checkup.configured.settings.sample_rows * SAMPLE_ROW_BYTES
