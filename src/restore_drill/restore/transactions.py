"""Restores a dump in transactions of many statements each.

It saves a commit and a round trip for each statement, which is what many small tables cost: all in
one would hold all their locks at once (205,000 of 10,000 tables), and repeat all after an error.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

from restore_drill.backups.model import Backup, Contents
from restore_drill.backups.plaindump.object_reader import ObjectReader
from restore_drill.core.units import show_count
from restore_drill.restore.crew import FEWEST, Connections
from restore_drill.restore.lane import Lane
from restore_drill.restore.model import Restoration
from restore_drill.restore.portions import Cutter
from restore_drill.restore.same_reading import SameReading
from restore_drill.restore.scope import Scope
from restore_drill.restore.single_transaction import locks_for
from restore_drill.restore.source import begin, followed, open_sql
from restore_drill.servers.model import Target

MOST = 1000
"""Statements of a transaction."""
FEW = 2000
"""Entries of a dump up to which one transaction holds all."""
LOCKS_EACH = 3
"""Locks that a statement takes at most, on average: a table takes its TOAST table and the index of
that too."""


def may_use_transactions(target: Target, contents: Contents) -> bool:
    """Whether there is more than one transaction should hold, and a copy alone is at stake."""
    return target.is_expendable and len(contents.entries) > FEW


def restore_in_transactions(
    target: Target,
    backup: Backup,
    contents: Contents,
    *,
    jobs: int,
    progress: Callable[[str], None],
) -> Restoration:
    """Restore `backup` into the empty database of `target`, a copy that nobody uses yet."""
    restoration = begin(target, backup, "")
    started = time.monotonic()
    stop = threading.Event()
    with ExitStack() as stack:
        lanes = [Lane(target, restoration, stop) for _ in range(jobs)]
        crew = Connections(lanes, stop, portion_size(target, jobs))
        stack.callback(crew.close)
        stream = followed(
            stack.enter_context(open_sql(target, backup, contents)), contents, progress
        )
        cutter = Cutter(crew)
        reader = ObjectReader(stream, in_runs=True)
        reading = SameReading(reader, crew.main)
        for event in Scope(contents, restoration).events(reader.events()):
            cutter.feed(event)
            reading.check()
            if crew.is_hopeless:
                break
        cutter.end()
        crew.settle_all()
    restoration.way = way_of(crew)
    restoration.seconds = time.monotonic() - started
    return restoration


def portion_size(target: Target, lanes: int) -> int:
    """Statements of a transaction; fewer on a server that is not ours.

    Its table of locks is shared: where we filled it, the application would get none either.
    """
    if target.throwaway:
        return MOST
    return min(MOST, max(FEWEST, int(locks_for(target) / LOCKS_EACH / lanes)))


def way_of(crew: Connections) -> str:
    """How all was restored, in words."""
    if not crew.committed:
        return "statement by statement, over one connection"
    count = crew.committed + crew.redone
    way = "in one transaction" if count == 1 else f"in {show_count(count, 'transaction')}"
    if len(crew.lanes) > 1:
        way += f" over {len(crew.lanes)} connections"
    return way + (f", {crew.redone:,} of them repeated by statement" if crew.redone else "")
