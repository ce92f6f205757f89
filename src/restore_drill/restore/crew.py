"""Carries out portions of a dump over one or several connections, as if one after the other.

Portions that may run side by side are begun together and committed in their order. Where one fails
all behind it are rolled back and begun anew once it has been repeated statement by statement: then
each error is the one that psql would report, at its line.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from restore_drill.backups.plaindump.events import Event, LargeObjects, Statement
from restore_drill.backups.plaindump.statements import setting_of
from restore_drill.restore.lane import Lane, leaves_nothing
from restore_drill.restore.large_objects import load
from restore_drill.restore.object_runs import ObjectRuns, Open
from restore_drill.restore.plain import MAX_ERRORS
from restore_drill.restore.portion import Portion
from restore_drill.restore.relations import Catalog, query
from restore_drill.restore.steps import Settings

FEWEST = 16
"""Statements of a portion where many fail: one that fails costs all that is before it twice."""
LOOK = 0.1
"""Seconds between two looks at whether one portion waits for another one."""
MISSES = 3
"""So often may portions of a phase have been in each other's way before they run one by one."""
BLOCKS = "SELECT pg_catalog.pg_backend_pid() = ANY (pg_catalog.pg_blocking_pids(%d))"


@dataclass(eq=False)
class Begun:
    """A portion that was begun on a connection, perhaps `beside` others.

    `outcome` says whether it was silent.
    """

    number: int
    portion: Portion
    lane: Lane
    is_beside: bool
    outcome: Future[bool]


class Connections:
    """Carries out the portions and the statements of one dump."""

    def __init__(self, lanes: list[Lane], stop: threading.Event, most: int) -> None:
        """Use `lanes`, the first of them for what runs alone; portions have `most` statements."""
        self.lanes, self.stop = lanes, stop
        self.main = lanes[0]
        self.most = self.usual = most
        self.is_parallel = len(lanes) > 1
        self.open: deque[Begun] = deque()
        self.threads = ThreadPoolExecutor(len(lanes))
        self.catalog = Catalog(self.main)
        self.misses: Counter[str] = Counter()
        self.escapes = self.main.escapes
        self.begun = self.committed = self.redone = 0

    @property
    def is_within(self) -> bool:
        """Whether a COPY or a transaction of the dump's own is to end over the first connection."""
        return not self.open and self.main.is_within

    @property
    def share(self) -> float:
        """What of its usual size a portion is to have: less after errors."""
        return self.most / self.usual

    @property
    def is_hopeless(self) -> bool:
        """Whether there were too many errors to go on."""
        return len(self.main.restoration.errors) >= MAX_ERRORS

    def alone(self, event: Event, settings: Settings) -> None:
        """Carry out an event over the first connection, once all before it is done.

        What may change more than its settings binds all that follows to that connection.
        """
        self.settle_all()
        if not self.main.is_within:
            self.main.apply(settings)
        self.main.feed(event)
        if isinstance(event, Statement):
            name = setting_of(event)
            if name:
                self.main.settings = {**self.main.settings, name: event.sql}
            self.is_parallel &= bool(name) or leaves_nothing(event)
        self.escapes = self.main.escapes

    def large_objects(self, run: LargeObjects, here: Open, settings: Settings) -> None:
        """Carry out a run over the first connection; `here` is what is open where it begins."""
        self.settle_all()
        self.main.apply(settings)
        load(self.main, run, here)

    def go_on(self, objects: ObjectRuns) -> None:
        """Open what is open behind them, on the first connection."""
        self.settle_all()
        objects.go_on(self.main)

    def run(self, portion: Portion) -> None:
        """Begin a portion as soon as it may run."""
        if not self.may_join(portion):
            self.settle_all()
        while len(self.open) >= len(self.lanes):
            self.settle()
        if not self.is_hopeless:
            self.begin(portion)

    def may_join(self, portion: Portion) -> bool:
        """Whether it may run beside those that are open."""
        if not self.is_parallel or not portion.phase or self.misses[portion.phase] >= MISSES:
            return False
        return all(
            each.portion.phase == portion.phase and each.portion.tables.isdisjoint(portion.tables)
            for each in self.open
        )

    def begin(self, portion: Portion) -> None:
        """Begin a portion on a connection that has nothing to do."""
        taken = [each.lane for each in self.open]
        lane = next(lane for lane in self.lanes if lane not in taken)
        outcome = self.threads.submit(lane.attempt, portion)
        self.begun += 1
        self.open.append(Begun(self.begun, portion, lane, bool(taken), outcome))

    def settle_all(self) -> None:
        """End all portions that are open."""
        while self.open:
            self.settle()

    def settle(self) -> None:
        """End the first of the open portions: commit it, or repeat it statement by statement."""
        first = self.open.popleft()
        again = self.wait_for(first)
        if first.outcome.result() and first.lane.commit(first.portion):
            self.committed += 1
            self.escapes = first.lane.escapes
            self.most = min(self.usual, 2 * self.most)
        else:
            first.lane.roll_back()
            again += self.withdraw()
            if first.is_beside:
                self.misses[first.portion.phase] += 1
                again.append(first)
            else:
                self.redone += 1
                self.most = max(FEWEST, self.most // 4)
                first.lane.redo(first.portion)
        for each in sorted(again, key=lambda one: one.number):
            self.settle_all()
            if not self.is_hopeless:
                self.begin(each.portion)
        if again:
            self.settle_all()

    def wait_for(self, first: Begun) -> list[Begun]:
        """Wait for the end of `first`; gives what had to be rolled back meanwhile."""
        again: list[Begun] = []
        while first.outcome not in wait([first.outcome], LOOK).done:
            running = [each for each in (first, *self.open) if not each.outcome.done()]
            held = [each for each in self.open if holds_up(each, running)]
            for each in held:
                self.open.remove(each)
                each.lane.roll_back()
                self.misses[each.portion.phase] += 1
            again += held
        return again

    def withdraw(self) -> list[Begun]:
        """Roll back all that is open, the one that ends first at first: others may wait for it."""
        withdrawn: list[Begun] = []
        while self.open:
            wait([each.outcome for each in self.open], LOOK, FIRST_COMPLETED)
            for each in [each for each in self.open if each.outcome.done()]:
                self.open.remove(each)
                each.lane.roll_back()
                withdrawn.append(each)
        return withdrawn

    def close(self) -> None:
        """End the threads, cancelling what still runs, and close the connections."""
        self.stop.set()
        for lane in self.lanes:
            lane.wire.cancel()
        self.threads.shutdown()
        for lane in self.lanes:
            lane.close()


def holds_up(each: Begun, running: list[Begun]) -> bool:
    """Whether one of those `running` waits for the end of `each`, which has none before theirs."""
    if not each.outcome.done() or not each.outcome.result():
        return False
    return any(query(each.lane, BLOCKS % other.lane.pid) == [[b"t"]] for other in running)
