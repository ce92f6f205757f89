"""Round after round: what has ended, who is there, what can begin; and when all breaks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from restore_drill.core.errors import EXIT_COULD_NOT_RUN, CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_duration
from restore_drill.fleet.model import CANCELLED, Done, Needs
from restore_drill.fleet.pool.book import Book, Progress
from restore_drill.fleet.pool.cluster import Cluster, Lost
from restore_drill.fleet.pool.drilling import Drill
from restore_drill.fleet.pool.machines import Machine, fits_nowhere
from restore_drill.fleet.pool.opening import Patience, Reopen
from restore_drill.fleet.pool.outcomes import lost, outcome
from restore_drill.fleet.pool.placing import has_other, next_ones

TICK = 0.25
"""Seconds between two looks at what has ended, where nothing says so before."""
LOOK = 1.0
"""Seconds between two looks at which workers there are, and between two reports of progress."""
CONNECT = 5.0
"""Seconds for one attempt to connect again."""
MOST_LOSSES = 20
"""So often in a row may the scheduler be lost without a single verdict in between."""


class Rounds:
    """The drills of `book` on `cluster`.

    The longest begins first, owners are woven, of one source `at_once` run. What could not run and
    what was lost with its worker is tried again, elsewhere if possible; a verdict is final.
    """

    def __init__(self, book: Book, cluster: Cluster, function: Drill, at_once: int,
                 progress: Callable[[Progress], None], stop: threading.Event,
                 patience: Patience) -> None:  # fmt: skip
        """Begin with nothing known of the workers."""
        self.book, self.cluster, self.function, self.at_once = book, cluster, function, at_once
        self.tell, self.stop, self.patience = progress, stop, patience
        self.machines: list[Machine] = []
        self.woken = threading.Event()
        self.looked = self.told = 0.0
        self.state: object = None
        self.unfit: dict[int, float] = {}
        """Since when a job fits on no worker."""
        self.reasons: dict[Needs, str] = {}
        """Why drills with such needs fit on none of `machines`."""
        self.losses = 0
        self.is_without = False
        """Whether it has been said that there is no worker."""

    def refuse_versions(self) -> None:
        """CouldNotRun where a worker has another version than this machine."""
        try:
            self.machines = self.cluster.machines()
        except Lost:
            return
        if self.cluster.refused:
            raise CouldNotRun(
                "the workers of the fleet have another version of restore-drill",
                checked=sorted(self.cluster.refused.values()),
                remedy=remedy_for("fleet", "versions"),
            )

    def carry_out(self, reopen: Reopen) -> None:
        """Go on until each drill has its verdict."""
        while not self.book.is_over:
            if self.stop.is_set():
                self.cancel()
                return
            try:
                self.step()
            except Lost:
                self.lose(reopen)
            self.report()
            self.woken.wait(TICK)
            self.woken.clear()
        self.report("")

    def step(self) -> None:
        """Note what has ended and who is there, and begin what can begin; raises Lost."""
        self.collect()
        now = time.monotonic()
        if now - self.looked >= LOOK:
            refused = len(self.cluster.refused)
            there, before = self.cluster.machines(), self.machines
            self.machines = there
            if there != before:
                self.reasons.clear()
            for why in list(self.cluster.refused.values())[refused:]:
                self.report(f"{why}: it is given nothing")
            self.looked = now
            self.note_none()
            self.note_dead()
            self.end_unfit(now)
        for number, machine in next_ones(self.book, self.machines, self.at_once):
            job = self.book.jobs[number]
            flight = self.cluster.submit(self.function, job, number, machine, self.woken.set)
            self.book.begins(flight)

    def collect(self) -> None:
        """Take what has ended into the book; raises Lost where Dask knows of a task no more."""
        for flight in list(self.book.flights.values()):
            status = flight.future.status
            if status in ("cancelled", "lost"):
                raise Lost(status)
            if status != "pending":
                if (done := outcome(flight)) is not None:
                    self.losses = 0
                    is_last = done.is_mistake and not has_other(self.book, flight, self.machines)
                    self.book.ends(flight, done, is_last=is_last)
                self.cluster.check()

    def note_none(self) -> None:
        """Say once that there is no worker, and for how long one is waited for."""
        if not self.machines and not self.is_without:
            self.report(f"waiting for a worker (up to {show_duration(self.patience.workers)})")
        self.is_without = not self.machines

    def note_dead(self) -> None:
        """End the tries whose worker is not there any more."""
        for flight in list(self.book.flights.values()):
            if flight.machine.address not in self.cluster.there:
                done = None if flight.future.status == "pending" else outcome(flight)
                flight.future.cancel()
                self.book.ends(flight, done or lost(flight))

    def end_unfit(self, now: float) -> None:
        """End the drills that fit on no worker, once larger ones had time to come."""
        wait = self.patience.larger if self.machines else self.patience.workers
        for number in [self.book.order[place] for place in self.book.waiting]:
            job = self.book.jobs[number]
            if job.needs not in self.reasons:
                self.reasons[job.needs] = fits_nowhere(job.needs, self.machines)
            if not (why := self.reasons[job.needs]):
                self.unfit.pop(number, None)
            elif now - self.unfit.setdefault(number, now) >= wait:
                self.book.settle(number, Done(job.name, EXIT_COULD_NOT_RUN, "", 0.0, why=why))

    def lose(self, reopen: Reopen) -> None:
        """Connect again, for as long as patience lasts, and drill again what has no verdict yet."""
        self.losses += 1
        self.book.unlaunch()
        self.machines, self.looked, where = [], 0.0, self.cluster.where
        self.report(f"the connection to {where} is lost: connecting again")
        self.cluster.close()
        until = time.monotonic() + self.patience.again
        while self.losses <= MOST_LOSSES and time.monotonic() < until and not self.stop.is_set():
            try:
                self.cluster = reopen(min(CONNECT, until - time.monotonic()))
            except CouldNotRun:
                self.stop.wait(1.0)
            else:
                self.report(f"connected to {where} again")
                return
        if not self.stop.is_set():
            within = f"did not come back within {show_duration(self.patience.again)}"
            often = f"was lost {self.losses} times in a row"
            why = f"{where} {often if self.losses > MOST_LOSSES else within}"
            self.book.give_up(EXIT_COULD_NOT_RUN, why)

    def cancel(self) -> None:
        """Give up what waits, and let what runs clean up, as long as patience lasts."""
        flights = list(self.book.flights.values())
        self.report("cancelled: running drills clean up")
        self.cluster.interrupt(flights)
        until = time.monotonic() + self.patience.cleanup
        while self.book.flights and time.monotonic() < until:
            for flight in list(self.book.flights.values()):
                status = flight.future.status
                done = None if status == "pending" else outcome(flight) or lost(flight)
                if done is not None and done.is_final:
                    self.book.ends(flight, done)
                elif done is not None:
                    why = Done(done.name, None, flight.machine.name, done.seconds, why=CANCELLED)
                    self.book.settle(flight.number, why)
            self.woken.wait(TICK)
            self.woken.clear()
        self.book.give_up(None, CANCELLED)
        self.report("")

    def report(self, note: str | None = None) -> None:
        """Tell how far all is: where something has changed, and each LOOK."""
        state = (len(self.book.verdicts), tuple(self.book.flights))
        now = time.monotonic()
        if note is not None or state != self.state or now - self.told >= LOOK:
            self.state, self.told = state, now
            self.tell(self.book.progress(self.machines, note or ""))
