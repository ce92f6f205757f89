"""Runs the drills of a fleet: hands each to a worker, and gives exactly one verdict for each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial

from restore_drill.fleet.model import Done, Job
from restore_drill.fleet.pool.book import Book, Progress
from restore_drill.fleet.pool.drilling import Drill, drill
from restore_drill.fleet.pool.opening import Patience, open_cluster
from restore_drill.fleet.pool.rounds import Rounds
from restore_drill.fleet.pool.starting import fork_server


def run_jobs(
    jobs: Sequence[Job],
    *,
    scheduler: str | None,
    workers: int | None,
    tries: int,
    at_once: int,
    ended: Callable[[Done], None],
    progress: Callable[[Progress], None],
    stop: threading.Event | None = None,
    function: Drill = drill,
    patience: Patience | None = None,
) -> None:
    """Drill `jobs` on the workers of `scheduler`, or with so many `workers` here; see `Rounds`.

    `ended` is called once for each, in this thread. Raises CouldNotRun, before anything has begun,
    where the scheduler does not answer or a worker has another version.
    """
    stop, patience = stop or threading.Event(), patience or Patience()
    book = Book(jobs, tries, ended)
    if book.is_over:
        return
    with fork_server() if scheduler is None and len(jobs) > 1 else nullcontext():
        cluster = open_cluster(scheduler, workers, patience.connect)
        run = Rounds(book, cluster, function, at_once, progress, stop, patience)
        try:
            run.refuse_versions()
            run.carry_out(partial(open_cluster, scheduler, workers))
        finally:
            run.cluster.close()
