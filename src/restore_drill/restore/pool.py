"""Carries out pieces of a restore over several connections, each as soon as it may run.

Of those that may run the heaviest goes first. Two pieces that exclude each other on a table never
run at once; which of the two is first matters only where one waits for the other.
"""

from __future__ import annotations

import heapq
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from restore_drill.restore.session import Session
from restore_drill.restore.wire import GivenUp

Work = Callable[[Session], None]
FEW = 32
"""So many tasks that may run keep all connections busy, however long another takes."""


@dataclass(eq=False)
class Task:
    """Something to run on one connection, once all that it waits for has run.

    The heaviest goes first; its `cost` is in bytes of rows that it reads. It excludes all others
    on the tables `alone`, and those that need one of `shared` alone.
    """

    work: Work
    number: int
    weight: int
    cost: int
    alone: frozenset[Hashable]
    shared: frozenset[Hashable]
    waits_for: int = 0
    is_taken: bool = False
    is_done: bool = False
    followers: list[Task] = field(default_factory=list)


class Pool:
    """Threads with a connection each, and the tasks that they are to run."""

    def __init__(self, sessions: Iterable[Session], stop: threading.Event) -> None:
        """Start a thread for each of `sessions`; `stop` ends them early."""
        self.sessions = list(sessions)
        self.stop = stop
        self.changed = threading.Condition()
        self.ready: list[tuple[int, int, Task]] = []
        self.held: set[Hashable] = set()
        self.sharing: Counter[Hashable] = Counter()
        self.submitted = self.finished = self.idle = 0
        self.cost = self.paid = 0
        self.failure: BaseException | None = None
        self.threads = [
            threading.Thread(target=self.run, args=(session,), daemon=True)
            for session in self.sessions
        ]
        for thread in self.threads:
            thread.start()

    def submit(
        self,
        work: Work,
        *,
        weight: int = 0,
        cost: int = 0,
        alone: Iterable[Hashable] = (),
        shared: Iterable[Hashable] = (),
        after: Iterable[Task] = (),
    ) -> Task:
        """Run `work` when all tasks `after` have run and no running one excludes it."""
        with self.changed:
            self.submitted += 1
            self.cost += cost
            task = Task(work, self.submitted, weight, cost, frozenset(alone), frozenset(shared))
            for other in set(after):
                if not other.is_done:
                    other.followers.append(task)
                    task.waits_for += 1
            self.make_ready(task)
        return task

    def add_weight(self, tasks: Iterable[Task], weight: int) -> None:
        """Let `tasks` run earlier by `weight`, since others of that weight wait for them."""
        with self.changed:
            for task in tasks:
                task.weight += weight
                self.make_ready(task)

    def make_ready(self, task: Task) -> None:
        """Let a thread take `task` if it waits for nothing; of equals the first one submitted."""
        if not task.waits_for and not task.is_taken:
            heapq.heappush(self.ready, (-task.weight, task.number, task))
            self.changed.notify_all()

    def run(self, session: Session) -> None:
        """Carry out tasks on `session` until the pool is stopped."""
        while (task := self.take()) is not None:
            try:
                session.use_helpers(allowed=self.outlasts(task))
                task.work(session)
            except GivenUp:
                return
            except BaseException as error:  # noqa: BLE001  # raised again by `drain`
                with self.changed:
                    self.failure = self.failure or error
                self.stop.set()
            self.finish(task)

    def take(self) -> Task | None:
        """Next task that may run, waiting for one; None when the pool is stopped."""
        with self.changed:
            self.idle += 1
            while not self.stop.is_set():
                task = self.heaviest()
                if task is not None:
                    self.idle -= 1
                    return task
                self.changed.wait(0.2)
        return None

    def heaviest(self) -> Task | None:
        """Heaviest task that no running one excludes, now holding its tables."""
        excluded = []
        found = None
        while self.ready and found is None:
            entry = heapq.heappop(self.ready)
            task = entry[2]
            if task.is_taken:
                continue
            if self.is_free(task):
                found = task
            else:
                excluded.append(entry)
        for entry in excluded:
            heapq.heappush(self.ready, entry)
        if found is not None:
            found.is_taken = True
            self.held |= found.alone
            self.sharing.update(found.shared)
        return found

    def is_free(self, task: Task) -> bool:
        """Whether no running task excludes `task`."""
        if not self.held.isdisjoint(task.alone) or not self.held.isdisjoint(task.shared):
            return False
        return not any(self.sharing[table] for table in task.alone)

    def finish(self, task: Task) -> None:
        """Note that `task` has run, give its tables back and free those that waited for it."""
        with self.changed:
            task.is_done = True
            self.finished += 1
            self.paid += task.cost
            self.held -= task.alone
            self.sharing.subtract(task.shared)
            for follower in task.followers:
                follower.waits_for -= 1
                self.make_ready(follower)
            self.changed.notify_all()

    def outlasts(self, task: Task) -> bool:
        """Whether `task` is longer than all else that may run, so that cores would be idle."""
        with self.changed:
            if len(self.ready) > FEW:
                return False
            others = {each.number: each.weight for *_, each in self.ready if not each.is_taken}
        return sum(others.values()) <= task.weight

    @property
    def is_hungry(self) -> bool:
        """Whether a connection has nothing to do."""
        return self.idle > 0 and not self.ready

    def drain(self, report: Callable[[], None]) -> None:
        """Wait until all tasks have run, calling `report` meanwhile; raises what made one fail."""
        with self.changed:
            while self.finished < self.submitted and self.failure is None:
                self.changed.wait(0.2)
                report()
        if self.failure is not None:
            raise self.failure

    def close(self) -> None:
        """End the threads, cancelling what still runs, and close their connections."""
        self.stop.set()
        with self.changed:
            self.changed.notify_all()
        for session in self.sessions:
            session.wire.cancel()
        for thread, session in zip(self.threads, self.sessions, strict=True):
            thread.join(10)
            if not thread.is_alive():
                session.close()
