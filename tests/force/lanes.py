"""Cases in several worlds side by side: each lane is a process with a server of its own."""

from __future__ import annotations

import ctypes
import multiprocessing
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.queues import Queue

from tests.force.cases import Case
from tests.force.run import Result, run_case
from tests.force.world import World

SET_CHILD_SUBREAPER = 36


def inherit_orphans() -> None:
    """Let this process inherit what drills leave behind: nothing that runs on goes unseen."""
    ctypes.CDLL(None, use_errno=True).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@contextmanager
def new_world() -> Iterator[World]:
    """A world, which is taken away at the end."""
    inherit_orphans()
    world = World()
    try:
        yield world
    finally:
        world.remove()


def lane(cases: Sequence[Case], seed: int, results: Queue[Result | None]) -> None:
    """Run `cases` one after the other; a case that breaks the harness counts as a fault."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # What a shell lets its background jobs ignore is ignored by their children too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with new_world() as world:
            for case in cases:
                results.put(safely(world, case, seed))
    finally:
        results.put(None)


def safely(world: World, case: Case, seed: int) -> Result:
    """Run one case; what goes wrong in the harness itself is a fault too."""
    try:
        return run_case(world, case, seed)
    except Exception as error:  # noqa: BLE001 - whatever it is, the table must show it
        world.heal()
        world.clear()
        result = Result(case.number, case.name, case.way.name, case.injection.name)
        result.lies.append(f"the harness: {type(error).__name__}: {error}")
        result.output = traceback.format_exc()
        return result


def run_lanes(cases: Sequence[Case], seed: int, count: int) -> Iterator[Result]:
    """Results of all cases that this machine can do, as they come."""
    possible = [each for each in cases if not each.injection.why_not()]
    context = multiprocessing.get_context("fork")
    results: Queue[Result | None] = context.Queue()
    lanes = [
        context.Process(target=lane, args=(possible[number::count], seed, results))
        for number in range(count)
    ]
    for each in lanes:
        each.start()
    try:
        ended = 0
        while ended < len(lanes):
            result = results.get()
            ended += result is None
            if result is not None:
                yield result
    finally:
        for each in lanes:
            each.terminate()
            each.join()
