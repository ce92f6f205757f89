"""The jobs that read a database: the costliest first, side by side, and how far they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, TypeVar

from restore_drill.core.units import progress_line, show_duration
from restore_drill.facts.asking import Asking
from restore_drill.facts.jobs import About, Asked, Job, jobs_of
from restore_drill.facts.pool import Workers, abandon, cancel
from restore_drill.facts.session import Connection

Result = TypeVar("Result")

PAGE = 8192
"""Bytes of a page."""
TICK = 0.5
"""Seconds between two looks at how far the jobs are."""
GRACE = 1.0
"""Seconds for queries to end that were cancelled; a function may refuse to."""
LONG = 5.0
"""Seconds after which a job is named as the one that takes the time."""


@dataclass(frozen=True)
class Aside:
    """Work that needs no connection, of a process that `stop` ends."""

    work: Callable[[], None]
    stop: Callable[[], None]


@dataclass
class Plan:
    """Jobs to be run on connections, `doing` in progress lines, and what runs aside meanwhile.

    What is `asked` becomes jobs when it is known how many connections there are.
    """

    doing: str = "verifying"
    jobs: list[Job] = field(default_factory=list)
    asked: list[Asked[Any]] = field(default_factory=list)
    asides: list[Aside] = field(default_factory=list)

    def add(
        self, label: str, job: Callable[[Connection], Result], *, pages: int = 1, effort: float = 1
    ) -> Future[Result]:
        """Plan `job`; what it gives can be had once the plan has run."""
        future: Future[Result] = Future()

        def work(connection: Connection) -> None:
            future.set_result(job(connection))

        self.jobs.append(Job(label, max(1, pages), effort, work))
        return future

    def ask(
        self,
        begin: Callable[[About], Asking[Result]],
        about: About,
        *,
        pages: int = 1,
        effort: float = 1,
    ) -> Asked[Result]:
        """Plan that what `begin` asks of `about` gets its answers; what comes of it is had then.

        Where it costs little it is asked together with others.
        """
        asked = Asked(begin, about, max(1, pages), effort)
        self.asked.append(asked)
        return asked

    def pack(self, connections: int) -> list[Job]:
        """Make jobs for so many connections of what is to be asked, and give these."""
        made = list(jobs_of(self.asked, connections))
        self.asked.clear()
        self.jobs += made
        return made

    def add_aside(
        self, work: Callable[[], Result], stop: Callable[[], None] = lambda: None
    ) -> Future[Result]:
        """Plan `work` that needs no connection, and is ended by `stop` where a job fails."""
        future: Future[Result] = Future()
        self.asides.append(Aside(lambda: future.set_result(work()), stop))
        return future

    def order(self, connections: int) -> None:
        """Put first what takes longest, and let workers help where connections would idle."""
        self.jobs.sort(key=lambda job: -job.cost)
        rest = 0.0
        for job in reversed(self.jobs):
            job.helped = job.cost * connections > rest
            rest += job.cost

    def run(self, workers: Workers, progress: Callable[[str], None], tick: float = TICK) -> None:
        """Run all jobs, and let `progress` show at each tick how far they are.

        The first error of a job ends the others and is raised.
        """
        self.pack(len(workers.connections))
        if not self.jobs and not self.asides:
            return
        started = time.monotonic()
        self.order(len(workers.connections))
        with ThreadPoolExecutor(len(self.asides) + len(workers.connections)) as threads:
            asides = [threads.submit(each.work) for each in self.asides]
            # those first whose error is raised: what runs aside may fail because a job has
            running = [*map(threads.submit, workers.tasks(self.jobs)), *asides]

            def stop() -> None:
                threads.shutdown(wait=False, cancel_futures=True)
                workers.stop()
                cancel(workers.connections)
                for each in self.asides:
                    each.stop()

            def report() -> None:
                progress(self.line(started, time.monotonic()))

            follow(running, report, stop, tick, lambda: abandon(workers.connections))

    def line(self, started: float, now: float) -> str:
        """`verifying: 1.2 GB of 5.6 GB, 412.0 MB/s, 9 s left (index public.a for 7.30 s)`."""
        done = [job for job in self.jobs if job.is_done]
        line = progress_line(
            self.doing,
            PAGE * sum(job.pages for job in done),
            PAGE * sum(job.pages for job in self.jobs),
            now - started,
            share=sum(job.cost for job in done) / (sum(job.cost for job in self.jobs) or 1),
        )
        at_work = [(now - job.began, job) for job in self.jobs if job.began and not job.is_done]
        longest, job = max(at_work, key=lambda each: each[0], default=(0.0, None))
        if job is None or longest < LONG:
            return line
        return f"{line} ({job.label} for {show_duration(longest)})"


def follow(
    futures: Sequence[Future[Any]],
    report: Callable[[], None],
    stop: Callable[[], None],
    tick: float,
    abandon: Callable[[], None],
) -> None:
    """Wait for all `futures`, calling `report` at each tick.

    Once one has failed, or we are interrupted, `stop` is to end the others, and the error is
    raised when they have ended. `abandon` is for those that `stop` does not end within GRACE.
    """
    try:
        while wait(futures, tick, FIRST_EXCEPTION).not_done:
            raise_first(futures)
            report()
    finally:
        until = time.monotonic() + GRACE
        while not all(future.done() for future in futures):
            (stop if time.monotonic() < until else abandon)()
            wait(futures, tick)
    raise_first(futures)


def raise_first(futures: Sequence[Future[Any]]) -> None:
    """Raise the first error of those of `futures` that are done."""
    for future in futures:
        if future.done() and not future.cancelled():
            future.result()
