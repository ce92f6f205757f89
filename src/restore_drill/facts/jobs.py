"""What a plan consists of: jobs, each on one connection, and questions that jobs are made of."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from restore_drill.core.deadline import at_work
from restore_drill.core.units import show_count
from restore_drill.facts.asking import Asking, ask_all
from restore_drill.facts.session import Connection

Result = TypeVar("Result")


class Labelled(Protocol):
    """What a question is about."""

    @property
    def label(self) -> str:
        """Its name in progress lines: `rows of public.cards`."""


About = TypeVar("About", bound=Labelled)

SMALL = 100
"""Cost up to which questions are asked many at a time: 800 kB are counted in 3 ms."""
MOST = 100
"""Questions asked at a time; 500 are no faster, and what fails is asked once more."""
TURNS = 2
"""So often each connection gets questions where there are few: all of them are to have some."""


@dataclass
class Job:
    """What reads some `pages`, each with so much `effort`: that of counting rows is 1.

    It is `helped` by parallel workers where it takes longer than all that begins after it.
    """

    label: str
    pages: int
    effort: float
    work: Callable[[Connection], None]
    helped: bool = False
    began: float | None = None
    is_done: bool = False

    @property
    def cost(self) -> float:
        """What it takes, beside the others."""
        return self.pages * self.effort

    def run(self, connection: Connection) -> None:
        """Do it on `connection`."""
        self.began = time.monotonic()
        with at_work(lambda: self.label):
            self.work(connection)
        self.is_done = True


class Asked(Generic[Result]):
    """Questions about something of so many `pages`, and what comes of them once they are asked.

    They are made when they are asked: begun before, those of 10,000 tables took 30 MB.
    """

    __slots__ = ("about", "begin", "effort", "found", "pages")

    def __init__(
        self, begin: Callable[[About], Asking[Result]], about: About, pages: int, effort: float
    ) -> None:
        """Nothing is asked yet."""
        self.begin: Callable[[Any], Asking[Result]] = begin
        self.about: Labelled = about
        self.pages = pages
        self.effort = effort
        self.found: Result

    @property
    def label(self) -> str:
        """What they are about."""
        return self.about.label

    def asking(self) -> Asking[Result]:
        """The questions, of which none has been asked."""
        return self.begin(self.about)

    @property
    def cost(self) -> float:
        """What it takes, beside the others."""
        return self.pages * self.effort

    def result(self) -> Result:
        """What came of it; to be called once it was asked."""
        return self.found


def jobs_of(asked: Sequence[Asked[Any]], connections: int) -> Iterator[Job]:
    """Jobs that ask all that is to be `asked`: the small many at a time, the others each alone."""
    small = []
    for each in asked:
        if each.cost > SMALL:
            yield job_of([each])
        else:
            small.append(each)
    if not small:
        return  # a database without tables is analyzed over no connection
    most = min(MOST, -(-len(small) // (TURNS * connections)))
    for first in range(0, len(small), most):
        yield job_of(small[first : first + most])


def job_of(asked: Sequence[Asked[Any]]) -> Job:
    """One job that asks all of `asked`."""
    pages = sum(each.pages for each in asked)
    label = asked[0].label
    if len(asked) > 1:
        label = f"{show_count(len(asked), 'small check')} from {label} on"

    def work(connection: Connection) -> None:
        found = ask_all(connection, [each.asking() for each in asked])
        for each, result in zip(asked, found, strict=True):
            each.found = result

    return Job(label, pages, sum(each.cost for each in asked) / pages, work)
