"""`python -m tests.corpus ways`: every database x every form of its dump x every way."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from restore_drill.core.errors import CouldNotRun
from restore_drill.servers.find import find_binaries
from tests.corpus.healthy import HEALTHY
from tests.corpus.lab import Lab
from tests.corpus.ways.compared import OWN, Compared, Found
from tests.corpus.ways.forms import FORMS
from tests.corpus.ways.mistakes import MISTAKES
from tests.corpus.ways.ways import WAYS
from tests.helpers.shop import Shops, quiet

SHARE = 3
"""Databases that one process takes on at once, on servers of its own."""
STRIDE = 12
"""Shares that the mistakes are dealt out to."""
EACH = 1
"""Forms that each mistake is put into on one major, by turns."""
PACKS = frozenset({"zstd", "lz4"})
"""What the build of a server should be able to do, where there is one."""
EDITED = "mistakes"
"""Names the dumps with mistakes beside the databases."""


@dataclass(frozen=True)
class Share:
    """What one process takes on: databases with the turns that they have, or mistakes."""

    major: int
    databases: tuple[tuple[int, str], ...] = ()
    mistakes: slice = field(default_factory=lambda: slice(0))


def shares(names: list[str]) -> Iterator[Share]:
    """What `names` ask for, dealt out; none are all."""
    usual = [name for name in HEALTHY if not HEALTHY[name].needs]
    asked = [each for each in enumerate([*usual, *OWN]) if not names or each[1] in names]
    for major in (18, 15):
        for at in range(0, len(asked), SHARE):
            yield Share(major, tuple(asked[at : at + SHARE]))
        if not names or EDITED in names:
            for at in range(STRIDE):
                yield Share(major, mistakes=slice(at, None, STRIDE))


def found_in(share: Share, folder: Path) -> Found:
    """What a share comes to, on servers of its own."""
    folder.mkdir()
    try:
        find_binaries(share.major, needs=PACKS, note=quiet)
        needs = PACKS
    except CouldNotRun:
        needs = frozenset()
    with closing(Shops(folder, needs)) as shops:
        compared = Compared(Lab(shops, folder / "lab", share.major))
        for turn, name in share.databases:
            compared.database(name, FORMS, turn)
        if share.mistakes != slice(0):
            compared.mistakes([*enumerate(MISTAKES, share.major)][share.mistakes], EACH)
        return compared.found


def table(folder: Path, names: list[str]) -> Generator[str, None, bool]:
    """Lines on what differs, then by way how often it was gone; whether all was as it must be.

    A way that none of all dumps has gone to its end is wrong too: nothing was proved of it.
    """
    began = time.monotonic()
    total = Found()
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=spawned) as pool:
        jobs = [
            pool.submit(found_in, share, folder / f"share{number}")
            for number, share in enumerate(shares(names))
        ]
        for job in jobs:
            found = job.result()
            yield from found.lines
            total.update(found)
    yield "| way | restores | taken to the end | not as psql or pg_restore |"
    yield "|---|---|---|---|"
    for way in total.tried:
        yield f"| {way} | {total.tried[way]} | {total.taken[way]} | {total.wrong[way]} |"
    undumped = ", ".join(f"{form} {count}" for form, count in total.undumped.items())
    spent = (time.monotonic() - began) / 60
    yield f"that pg_dump does not write: {undumped or 'none'}; {spent:.0f} minutes"
    never = [way.name for way in WAYS if not names and not total.taken[way.name]]
    for each in never:
        yield f"never taken to its end: {each}"
    return not total.wrong and not never
