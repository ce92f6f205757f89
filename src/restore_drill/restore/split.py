"""Restores a dump over several connections: the same database as psql makes, sooner."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import IO

from restore_drill.backups.model import Backup, Contents
from restore_drill.backups.plaindump.events import CopyData, Inserts, LargeObjects
from restore_drill.backups.plaindump.object_reader import ObjectReader
from restore_drill.core.units import progress_line
from restore_drill.restore.blocks import Blocks
from restore_drill.restore.model import Restoration
from restore_drill.restore.plain import MAX_ERRORS
from restore_drill.restore.pool import Pool
from restore_drill.restore.same_reading import SameReading
from restore_drill.restore.scope import Scope
from restore_drill.restore.session import Session
from restore_drill.restore.single_transaction import LARGEST
from restore_drill.restore.source import begin, kept_sql, open_sql
from restore_drill.restore.splitter import Splitter
from restore_drill.servers.model import Target

SMALL = 8_000_000
"""Bytes of a dump below which splitting it does not pay."""
SMALL_TABLE = 50_000
"""Bytes a table, on average, below which the catalog is what takes the time: it is no faster."""
SMALLISH_TABLE = 2 * SMALL_TABLE
"""The same for a dump that fits in one transaction, which asks least of the server: with 500
partitions of 60 kB, or tables of 120 kB, it took 30 and 25 % less of its processors."""
SPOOL_ROOM = 4
"""Free bytes a byte of a compressed dump: its rows are spooled beside a database of their size."""


def may_split(target: Target, backup: Backup, contents: Contents, jobs: int) -> bool:
    """Whether `backup` is to be split: it pays, and nothing but a copy is at stake."""
    if not target.is_expendable or jobs < 2 or contents.read_bytes < SMALL:
        return False
    small = SMALL_TABLE if contents.read_bytes > LARGEST else SMALLISH_TABLE
    if contents.read_bytes < small * len(contents.counted):
        return False
    free = shutil.disk_usage(tempfile.gettempdir()).free
    return not is_spooled(target, backup, contents) or free >= SPOOL_ROOM * contents.read_bytes


def is_spooled(target: Target, backup: Backup, contents: Contents) -> bool:
    """Whether the rows of `backup` lie in no file as they go to the server."""
    is_file = not (backup.is_archive or backup.compression)
    return not is_file and kept_sql(target, backup, contents) is None


def restore_split(
    target: Target,
    backup: Backup,
    contents: Contents,
    *,
    jobs: int,
    progress: Callable[[str], None],
) -> Restoration:
    """Restore `backup` into the empty database of `target`, `jobs` at once.

    Rows that lie in no file are spooled to a temporary one that needs their whole size.
    """
    restoration = begin(target, backup, f"split over {jobs} connections")
    clock = Clock(contents.read_bytes, progress)
    stop = threading.Event()
    with ExitStack() as stack:
        # All at once, before the dump can change what a new connection gets.
        main, *workers = [Session(target, restoration, stop) for _ in range(jobs + 1)]
        stack.callback(main.close)
        stream = stack.enter_context(open_sql(target, backup, contents))
        blocks = Blocks(None if is_spooled(target, backup, contents) else stream)
        stack.callback(blocks.close)
        pool = Pool(workers, stop)
        stack.callback(pool.close)
        counts = {name.encode(): rows for name, rows in contents.counted.items()}
        splitter = Splitter(
            main, pool, blocks, lambda: clock.report(pool), counts, contents.read_bytes
        )
        feed_all(splitter, stream, contents, clock)
    restoration.errors.sort(key=lambda error: line_of(error.where))
    if splitter.serial_since:
        restoration.way += (
            f" up to line {splitter.serial_since:,}, then over one ({splitter.reason})"
        )
    restoration.seconds = time.monotonic() - clock.started
    return restoration


class Clock:
    """Reports how far a split restore is."""

    def __init__(self, total: int, progress: Callable[[str], None]) -> None:
        """Report to `progress` on a dump of `total` bytes."""
        self.total, self.progress = total, progress
        self.started = time.monotonic()

    def report(self, pool: Pool) -> None:
        """Report the bytes of rows that are loaded, indexes and keys, and the time left.

        To build an index takes about as long as to load the rows that it is read from.
        """
        seconds = time.monotonic() - self.started
        loaded = sum(session.loaded for session in pool.sessions)
        share = (loaded + pool.paid) / max(1, self.total + pool.cost)
        line = progress_line("restoring", loaded, self.total, seconds, share=share)
        if loaded > self.total * 0.9:
            line += f" (indexes and keys: {pool.finished} of {pool.submitted} steps)"
        self.progress(line)


def feed_all(splitter: Splitter, stream: IO[bytes], contents: Contents, clock: Clock) -> None:
    """Feed all of the dump that concerns the database, up to MAX_ERRORS errors."""
    reader = ObjectReader(stream, in_runs=True)
    reader.spans = contents.spans if splitter.blocks.spool is None else None
    reading = SameReading(reader, splitter.main)
    for event in Scope(contents, splitter.main.restoration).events(reader.events()):
        splitter.feed(event, reader.place)
        reading.check()
        reader.passes = splitter.loader.current is not None
        is_hopeless = len(splitter.main.restoration.errors) >= MAX_ERRORS
        if is_hopeless or splitter.pool.failure is not None:
            splitter.break_off(reader.line, reader.place)
            break
        if isinstance(event, CopyData | Inserts | LargeObjects):
            clock.report(splitter.pool)
    splitter.end()


def line_of(where: str) -> int:
    """Line number in `line 1,234`."""
    digits = "".join(char for char in where if char.isdigit())
    return int(digits) if digits else 0
