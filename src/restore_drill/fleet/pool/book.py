"""What is known of each drill of a run: who waits, who runs where, and which verdicts there are."""

from __future__ import annotations

import time
from bisect import insort
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from restore_drill.fleet.model import Done, Job, Needs
from restore_drill.fleet.pool.machines import Machine
from restore_drill.fleet.pool.order import expected_seconds, woven


class Progress(NamedTuple):
    """How far a run is: `done` of `total` drills, names of those that run, seconds that are left.

    `seconds_left` is None while nothing is known of it; `note` is something to say, mostly empty.
    """

    done: int
    total: int
    running: tuple[str, ...]
    seconds_left: float | None
    note: str = ""


@dataclass(frozen=True)
class Flight:
    """One try of the job `number`, which runs on `machine` as the task `key`."""

    number: int
    machine: Machine
    key: str
    future: Any
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long it has been there."""
        return time.monotonic() - self.began


class Book:
    """All drills of a run; each gets exactly one final Done, by `ended`.

    A drill waits by its place in the order, which it keeps when it is tried again.
    """

    def __init__(self, jobs: Sequence[Job], tries: int, ended: Callable[[Done], None]) -> None:
        """All of them wait."""
        self.jobs, self.tries, self.ended = list(jobs), max(1, tries), ended
        self.seconds = expected_seconds(jobs)
        self.order = woven(jobs, self.seconds)
        self.place = {number: place for place, number in enumerate(self.order)}
        self.waiting = list(range(len(jobs)))
        """Places in the order."""
        self.flights: dict[int, Flight] = {}
        self.tried: dict[int, list[Machine]] = {number: [] for number in self.order}
        self.said: dict[int, Done] = {}
        """The last try of each that could not run and left a result, which says why."""
        self.verdicts: dict[int, Done] = {}

    @property
    def is_over(self) -> bool:
        """Whether each drill has its verdict."""
        return len(self.verdicts) == len(self.jobs)

    def begins(self, flight: Flight) -> None:
        """A try has been handed to a worker."""
        self.waiting.remove(self.place[flight.number])
        self.flights[flight.number] = flight
        self.tried[flight.number].append(flight.machine)

    def ends(self, flight: Flight, done: Done, *, is_last: bool = False) -> None:
        """A try has ended: it is the verdict, or the drill waits to be tried again.

        `is_last`: it would end no otherwise on any worker that is there.
        """
        if self.flights.get(flight.number) is not flight:
            return
        del self.flights[flight.number]
        done = replace(done, name=self.jobs[flight.number].name, worker=flight.machine.name)
        tried = self.tried[flight.number]
        if done.result is not None:
            self.said[flight.number] = done
        if is_last or done.is_final or len(tried) >= self.tries:
            said = self.said.pop(flight.number, done)
            done = done if done.is_final else said
            if not done.is_final and len(tried) > 1:
                names = ", ".join(dict.fromkeys(each.name for each in tried))
                done = replace(done, why=f"{done.why} (tried {len(tried)} times: {names})".strip())
            self.settle(flight.number, done)
        else:
            insort(self.waiting, self.place[flight.number])

    def unlaunch(self) -> None:
        """The scheduler is lost, and with it all that ran: no try of theirs."""
        for number in self.flights:
            self.tried[number].pop()
            insort(self.waiting, self.place[number])
        self.flights.clear()

    def settle(self, number: int, done: Done) -> None:
        """Give the job `number` its one verdict; one that it has already stays."""
        if number in self.verdicts:
            return
        if (place := self.place[number]) in self.waiting:
            self.waiting.remove(place)
        self.flights.pop(number, None)
        done = replace(done, tries=len(self.tried[number]))
        # Its reports lie on the disk once it is told: a thousand of them are a lot of memory.
        self.verdicts[number] = replace(done, report=b"", junit=b"")
        self.ended(done)

    def give_up(self, code: int | None, why: str) -> None:
        """Each drill without a verdict ends so."""
        for number in self.order:
            if number not in self.verdicts:
                flight = self.flights.get(number)
                name, seconds = (flight.machine.name, flight.seconds) if flight else ("", 0.0)
                self.settle(number, Done(self.jobs[number].name, code, name, seconds, why=why))

    def running_on(self) -> Mapping[str, list[Needs]]:
        """Needs of the drills that run, by the address of their worker."""
        found: dict[str, list[Needs]] = {}
        for flight in self.flights.values():
            found.setdefault(flight.machine.address, []).append(self.jobs[flight.number].needs)
        return found

    def progress(self, machines: Sequence[Machine], note: str = "") -> Progress:
        """How far all is, with `machines` at work."""
        names = tuple(self.jobs[number].name for number in self.flights)
        return Progress(
            len(self.verdicts), len(self.jobs), names, self.seconds_left(machines), note
        )

    def seconds_left(self, machines: Sequence[Machine]) -> float | None:
        """Seconds until all have ended, at the pace of those that have.

        None without any pace, and without a worker.
        """
        if not (self.flights or machines):
            return None
        took = [(done.seconds, self.seconds[number]) for number, done in self.verdicts.items()
                if done.result is not None or done.code is not None]  # fmt: skip
        if not took and not any(job.seconds for job in self.jobs):
            return None
        pace = sum(each for each, _ in took) / sum(each for _, each in took) if took else 1.0
        rest = [pace * self.seconds[self.order[place]] for place in self.waiting]
        rest += [
            max(0.0, pace * self.seconds[number] - flight.seconds)
            for number, flight in self.flights.items()
        ]
        slots = max(1, len(self.flights) or sum(each.threads for each in machines))
        return max([sum(rest) / slots, *rest], default=0.0)
