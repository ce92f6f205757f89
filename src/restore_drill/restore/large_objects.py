"""Large objects: run by run, in a split restore over its connections, many to a statement.

A run of them is a transaction of its own, whose writes name their objects themselves; where it
fails, it is repeated statement by statement, so that each error has its line.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from restore_drill.backups.plaindump.events import LargeObjects, Statement
from restore_drill.backups.plaindump.large_objects import (
    CREATED,
    is_on_others,
    rules_of,
    statements_of,
)
from restore_drill.restore.blocks import Blocks
from restore_drill.restore.keys import KeyBuilder
from restore_drill.restore.object_runs import OPENED_OR_WRITTEN, ObjectRuns, Open
from restore_drill.restore.plain import MAX_ERRORS
from restore_drill.restore.pool import Pool, Task, Work
from restore_drill.restore.session import Session
from restore_drill.restore.steps import Settings
from restore_drill.restore.wire import GivenUp

CREATE = (
    b"SELECT FROM pg_catalog.unnest('{%b}'::pg_catalog.oid[]) o "
    b"WHERE pg_catalog.lo_create(o) IS NULL;"
)
WRITE = (
    b"SELECT FROM (VALUES (0::pg_catalog.oid, 0::pg_catalog.int8, ''::pg_catalog.bytea),%b OFFSET"
    b" 1) v(o, p, d) WHERE pg_catalog.lo_put(o, p, d) IS NULL;"
)
"""The first row gives the columns their types: three quarters of the time of a cast of each."""
PUT = b"SELECT pg_catalog.lo_put(%b, %d, '%b');"


def quick(sql: bytes, here: Open) -> bytes:
    """A run as few statements; `here` is what is open where it begins."""
    created = CREATED.findall(sql)
    quicker = [CREATE % b",".join(created)] if created else []
    quicker += rules_of(sql)
    pieces = []
    for oid, written in OPENED_OR_WRITTEN.findall(sql):
        here = Open(oid) if oid else here
        # That an object is there is seen where it is opened, also if nothing is written to it.
        pieces.append(b"('%b',%d,'%b')" % (here.oid, here.offset, b"\\x" + written))
        here = here.written(written)
    if pieces:
        quicker.append(WRITE % b",".join(pieces))
    return b"\n".join(quicker)


class Step(NamedTuple):
    """A statement of a run, what is run in its place, and the object whose data it is, if any."""

    statement: Statement
    sql: bytes
    oid: bytes = b""


def one_by_one(run: LargeObjects, here: Open) -> Iterator[Step]:
    """The statements of a run that `quick` stands for.

    Of an object that is opened nothing is left open: each piece is written by itself.
    """
    for statement in statements_of(run):
        found = OPENED_OR_WRITTEN.search(statement.sql)
        if statement.sql.startswith((b"BEGIN", b"COMMIT", b"SELECT pg_catalog.lo_close")):
            continue
        if found and found[1]:
            here = Open(found[1])
        if found is None or not here.oid:
            yield Step(statement, statement.sql)
            continue
        written = found[2] or b""
        yield Step(statement, PUT % (here.oid, here.offset, b"\\x" + written), here.oid)
        here = here.written(written)


def load(session: Session, run: LargeObjects, here: Open) -> None:
    """Carry out a run; `here` is what is open where it begins."""
    restoration = session.restoration
    restoration.statements += run.sql.count(b";\n")
    if session.succeeds_silently(quick(run.sql, here)):
        return
    lost = b""
    for step in one_by_one(run, here):
        if len(restoration.errors) >= MAX_ERRORS:
            return
        # What follows for an object of which a piece has failed would fail for that reason.
        if step.oid and step.oid == lost:
            continue
        if not session.succeeds_for(step.statement, step.sql):
            lost = step.oid


class LargeObjectLoader(ObjectRuns):
    """Gives the runs of one dump to the connections of `pool`; some of `keys` wait for them."""

    def __init__(self, pool: Pool, blocks: Blocks, keys: KeyBuilder) -> None:
        """Start with no run."""
        self.pool, self.blocks, self.keys = pool, blocks, keys
        super().__init__()
        self.making: list[Task] = []
        self.last: Task | None = None

    def take(self, run: LargeObjects, place: int, settings: Settings) -> None:
        """Submit a run, which ends at offset `place` of the dump."""
        here, sql = self.here, run.sql
        block = self.blocks.new()
        self.blocks.add(block, sql, place)
        block.end()

        def work(session: Session) -> None:
            session.apply(settings)
            text = b"".join(block.pieces(session.stop))
            if session.stop.is_set():
                raise GivenUp
            load(session, LargeObjects(run.line, text), here)
            session.loaded += len(text)

        self.submit(work, sql)
        self.pass_by(sql)

    def submit(self, work: Work, sql: bytes) -> None:
        """Submit the `work` on a run: behind what makes the objects that it is about.

        Of one object never two pieces are written at once.
        """
        waits = b"lo_open(" in sql or b"lowrite(" in sql or is_on_others(sql)
        after = self.making if waits else []
        behind = [self.last] if self.here.oid and self.last else []
        self.last = self.pool.submit(work, weight=len(sql), after=[*after, *behind])
        if CREATED.search(sql) or rules_of(sql):
            self.making = [self.last] if waits else [*self.making, self.last]
        self.keys.also_wait_for(self.last)
