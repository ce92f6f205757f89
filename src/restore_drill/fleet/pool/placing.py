"""Which drill begins next, and on which worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from restore_drill.fleet.model import Needs
from restore_drill.fleet.pool.book import Book, Flight
from restore_drill.fleet.pool.machines import Machine


def next_ones(
    book: Book, machines: Sequence[Machine], at_once: int
) -> Iterator[tuple[int, Machine]]:
    """Numbers of jobs that can begin now, each with its worker; the caller notes each in the book.

    At most `at_once` of one source run at the same time: no lease that a dead worker could hold.
    The first that finds no room keeps its worker from all behind it, which else would fill it
    again and again.
    """
    running = {address: list(needs) for address, needs in book.running_on().items()}
    busy = Counter(book.jobs[number].source for number in book.flights)
    held: set[str] = set()
    for place in list(book.waiting):
        open_ones = [
            each for each in machines
            if each.address not in held and len(running.get(each.address, ())) < each.threads
        ]  # fmt: skip
        if not open_ones:
            return
        number = book.order[place]
        job = book.jobs[number]
        if job.source and busy[job.source] >= max(1, at_once):
            continue
        fitting = untried(book, number, machines)
        chosen = emptiest([each for each in fitting if each in open_ones], job.needs, running)
        if chosen is None:
            waits_for = emptiest(fitting, None, running)
            held |= {waits_for.address} if waits_for and not held else set()
            continue
        busy[job.source] += 1
        running.setdefault(chosen.address, []).append(job.needs)
        yield number, chosen


def has_other(book: Book, flight: Flight, machines: Sequence[Machine]) -> bool:
    """Whether a worker could do the drill of `flight` that has not tried it."""
    before = {each.address for each in book.tried[flight.number]}
    return any(each.address not in before for each in untried(book, flight.number, machines))


def untried(book: Book, number: int, machines: Sequence[Machine]) -> list[Machine]:
    """Workers that are large enough for the job `number`: others than before, where there are."""
    fitting = [each for each in machines if each.has_room(book.jobs[number].needs)]
    before = {each.address for each in book.tried[number]}
    return [each for each in fitting if each.address not in before] or fitting


def emptiest(
    machines: Sequence[Machine], needs: Needs | None, running: Mapping[str, Sequence[Needs]]
) -> Machine | None:
    """The worker with the smallest part of it at work, of those with room for `needs`."""
    found = [
        each for each in machines
        if needs is None or each.has_room(needs, running.get(each.address, ()))
    ]  # fmt: skip
    return min(
        found, key=lambda each: (len(running.get(each.address, ())) / each.threads, each.name),
        default=None,
    )  # fmt: skip
