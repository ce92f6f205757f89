"""The yardstick: bare COPY, then all indexes, then the joins that foreign keys are checked by.

It has barriers between its three phases, and no keys: no restore, and no hard floor either.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from benchmarks.sources import Source
from restore_drill.backups.plaindump.events import CopyData, CopyEnd, Statement
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.restore.blocks import Block, Blocks
from restore_drill.restore.model import Restoration
from restore_drill.restore.pool import Pool
from restore_drill.restore.session import Session
from restore_drill.servers.model import Target


def restore_bare(target: Target, source: Source, jobs: int) -> None:
    """Do the least work that a restore of `source` over `jobs` connections needs."""
    stop = threading.Event()
    restoration = Restoration(target, "bare")
    main, *workers = [Session(target, restoration, stop) for _ in range(jobs + 1)]
    pool = Pool(workers, stop)
    try:
        with source.dumps["schema"].open("rb") as schema:
            for event in PlainReader(schema).events():
                main.feed(event)
        load_all(pool, source)
        for phase in (source.indexes, source.joins):
            for number, sql in enumerate(phase):
                pool.submit(bare(sql.encode()), weight=-number)
            pool.drain(lambda: None)
    finally:
        pool.close()
        main.close()
    if restoration.errors:
        raise RuntimeError(f"the floor met errors: {restoration.errors[0]}")


def bare(sql: bytes) -> Callable[[Session], None]:
    """Work that runs `sql`."""

    def work(session: Session) -> None:
        if not session.succeeds(sql):
            raise RuntimeError(f"failed: {sql.decode()}")

    return work


def load_all(pool: Pool, source: Source) -> None:
    """Load all rows, the largest tables first."""
    with source.dumps["plain"].open("rb") as dump:
        found: list[tuple[Statement, Block]] = []
        blocks = Blocks(dump)
        reader = PlainReader(dump)
        copying: Statement | None = None
        for event in reader.events():
            if isinstance(event, Statement):
                copying = event
            elif isinstance(event, CopyData) and copying:
                if not found or found[-1][0] is not copying:
                    found.append((copying, blocks.new()))
                blocks.add(found[-1][1], event.data, reader.place)
            elif isinstance(event, CopyEnd) and found:
                found[-1][1].end()
        for statement, block in found:
            pool.submit(loading(statement, block), weight=block.size)
        pool.drain(lambda: None)


def loading(statement: Statement, block: Block) -> Callable[[Session], None]:
    """Work that loads one table without WAL."""
    table = statement.sql.split()[1]

    def work(session: Session) -> None:
        session.load(statement, block, fresh=table)

    return work
