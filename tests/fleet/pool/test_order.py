"""Which drill begins next, and where; what is left. Without Dask."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from restore_drill.fleet.model import UNKNOWN, Done, Job, Needs
from restore_drill.fleet.pool.book import Book, Flight
from restore_drill.fleet.pool.machines import Machine, fits_nowhere, this_machine
from restore_drill.fleet.pool.order import expected_seconds, woven
from restore_drill.fleet.pool.placing import has_other, next_ones
from tests.helpers.drills import ROOT, inherited
from tests.helpers.fleets import job_of

TB, GB = 10**12, 10**9
PASSED = Done("", 0, "", 1.0, {"verdict": "passed"})


def order(jobs: list[Job]) -> list[str]:
    """Names of the jobs in the order in which they begin."""
    return [jobs[number].name for number in woven(jobs, expected_seconds(jobs))]


def machine(name: str, threads: int = 1, **resources: float) -> Machine:
    """A worker."""
    return Machine(f"tcp://{name}", name, threads, resources)


def book_of(jobs: list[Job], tries: int = 3) -> tuple[Book, list[Done]]:
    """A book of jobs, and what it has told."""
    ended: list[Done] = []
    return Book(jobs, tries, ended.append), ended


def begin(book: Book, machines: list[Machine], at_once: int = 9) -> list[tuple[str, str]]:
    """Begin what can begin; names of jobs and workers."""
    found = list(next_ones(book, machines, at_once))
    for number, chosen in found:
        book.begins(Flight(number, chosen, "", None))
    return [(book.jobs[number].name, chosen.name) for number, chosen in found]


def end(book: Book, name: str, done: Done) -> None:
    """End the try of the job `name`."""
    flight = next(each for each in book.flights.values() if book.jobs[each.number].name == name)
    book.ends(flight, done)
    book.ends(flight, done)  # a Done that arrives twice counts once


def test_reports_are_told_and_not_kept() -> None:
    """Those of a thousand drills do not lie in memory."""
    book, ended = book_of([job_of("one")])
    begin(book, [machine("a")])
    end(book, "one", replace(PASSED, report=b"<html", junit=b"<testsuite"))
    assert (ended[0].report, ended[0].junit) == (b"<html", b"<testsuite")
    assert (book.verdicts[0].report, book.verdicts[0].junit) == (b"", b"")


def test_longest_first() -> None:
    """By what each took before; without that by its disk, at the pace of the others."""
    sizes = {"short": (6, 60.0), "long": (60, 600.0), "large": (30, None), "small": (1, None)}
    jobs = [job_of(name, needs=Needs(size * GB, 0, 1), seconds=seconds)
            for name, (size, seconds) in sizes.items()]  # fmt: skip
    assert order(jobs) == ["long", "large", "short", "small"]
    assert expected_seconds(jobs) == [60.0, 600.0, 300.0, 10.0]


def test_what_has_grown_begins_early() -> None:
    """What it took before is not believed where its disk makes it much longer; of less it is."""
    sizes = {"grown": (60, 10.0), "steady": (60, 400.0), "shrunk": (6, 590.0)}
    jobs = [job_of(name, needs=Needs(size * GB, 0, 1), seconds=seconds)
            for name, (size, seconds) in sizes.items()]  # fmt: skip
    pace = 1000 / 126
    assert expected_seconds(jobs) == [pytest.approx(30 * pace), 400.0, 590.0]


def test_owners_are_woven() -> None:
    """Three drills of one begin before the fourth of another's 900, all longer."""
    many = [job_of(f"m{number}", owner="many", seconds=1000.0 - number) for number in range(900)]
    few = [job_of(f"f{number}", owner="few", seconds=5.0) for number in range(3)]
    assert order(many + few)[:8] == ["m0", "f0", "m1", "f1", "m2", "f2", "m3", "m4"]


def test_of_one_source_so_many_run_at_once() -> None:
    """Others go on; the next of it begins when one has ended."""
    book, _ = book_of([job_of(name, source=name[0]) for name in ("a1", "a2", "a3", "b1")])
    machines = [machine("w", 9)]
    assert [name for name, _ in begin(book, machines, 2)] == ["a1", "a2", "b1"]
    assert begin(book, machines, 2) == []
    end(book, "a1", PASSED)
    assert begin(book, machines, 2) == [("a3", "w")]


def test_a_large_drill_is_not_starved() -> None:
    """It keeps its worker from the small ones behind it; another worker takes them."""
    sizes = {"half": 5, "whole": 10, "little": 1, "least": 1}
    jobs = [job_of(name, seconds=1000.0 / 3**number, needs=Needs(size * GB, 0, 0))
            for number, (name, size) in enumerate(sizes.items())]  # fmt: skip
    large, little = machine("large", 9, disk=10 * GB), machine("little", 1, disk=GB)
    book, _ = book_of(jobs)
    assert begin(book, [large, little]) == [("half", "large"), ("little", "little")]
    end(book, "half", PASSED)
    assert begin(book, [large, little]) == [("whole", "large")]


def test_tried_again_elsewhere() -> None:
    """So often in all, on another worker where there is one; a failure is a verdict at once."""
    book, ended = book_of([job_of("bad"), job_of("fails")], tries=3)
    machines = [machine("a"), machine("b")]
    cannot = Done("", 6, "", 1.0, why="no server")
    assert begin(book, machines) == [("bad", "a"), ("fails", "b")]
    end(book, "bad", cannot)
    assert begin(book, machines) == []  # it waits for the other one
    end(book, "fails", Done("", 1, "", 1.0, {"verdict": "failed"}))
    assert begin(book, machines) == [("bad", "b")]
    end(book, "bad", replace(cannot, code=4))  # its folder is missing there
    assert begin(book, machines) == [("bad", "a")]
    end(book, "bad", cannot)
    assert book.is_over and [(done.name, done.worker) for done in ended] == [
        ("fails", "b"), ("bad", "a"),
    ]  # fmt: skip
    assert ended[1].why == "no server (tried 3 times: a, b)"


def test_who_else_could_do_it() -> None:
    """Of a drill whose options are wrong here: workers with room that have not tried it."""
    book, _ = book_of([job_of("bad", needs=Needs(2 * GB, 0, 1))])
    machines = [machine("a"), machine("small", disk=GB)]
    begin(book, machines)
    (flight,) = book.flights.values()
    assert not has_other(book, flight, machines)
    assert has_other(book, flight, [*machines, machine("b")])
    assert Done("", 4, "", 1.0).is_mistake and not Done("", 6, "", 1.0).is_mistake


def test_a_lost_scheduler_is_no_try() -> None:
    """What ran is begun again in its place."""
    book, ended = book_of([job_of("one", seconds=2.0), job_of("two", seconds=1.0)], tries=1)
    assert begin(book, [machine("a")]) == [("one", "a")]
    book.unlaunch()
    assert begin(book, [machine("b", 2)]) == [("one", "b"), ("two", "b")]
    end(book, "one", Done("", None, "", 1.0, why="lost"))
    assert [done.why for done in ended] == ["lost"]


def test_the_try_that_says_why_is_told() -> None:
    """One that was lost, or whose worker had no room for its reports, says less."""
    machines = [machine("a"), machine("b"), machine("c")]
    said = Done("", 6, "", 1.0, {"verdict": UNKNOWN}, why="no key")
    for last, why in (
        (Done("", 6, "", 1.0, why="no result"), "no key (tried 3 times: a, b, c)"), (PASSED, ""),
    ):  # fmt: skip
        book, ended = book_of([job_of("one")])
        for done in (said, Done("", None, "", 1.0), last):
            begin(book, machines)
            end(book, "one", done)
        assert [(each.why, each.tries) for each in ended] == [(why, 3)]
        assert ended[0].result == (last.result or said.result)


def test_fits_nowhere_by_numbers() -> None:
    """What it needs, and what the largest has; what a worker does not count it does not lack."""
    needs = Needs(3 * TB, 2 * GB, 2)
    machines = [machine("small", disk=GB, memory=GB, cores=8), machine("big", disk=TB, memory=4e9)]
    assert fits_nowhere(needs, machines) == (
        "it fits on no worker: it needs 3.0 TB of disk, 2.0 GB of memory, 2 cores; "
        "the largest worker (big) has 1.0 TB of disk, 4.0 GB of memory"
    )
    assert fits_nowhere(needs, [*machines, machine("says nothing")]) == ""
    assert fits_nowhere(needs, []) == "there is no worker"


def test_this_machine_is_shared() -> None:
    """Its disk, memory and cores are those of all drills together."""
    many, has = this_machine(3)
    assert many == 3 and has["cores"] >= 3 and has["disk"] > 0 and has["memory"] > 0
    assert this_machine(None)[0] >= 1


def test_seconds_left() -> None:
    """At the pace of those that have ended; nothing is said before anything is known."""
    book, _ = book_of([job_of(str(number), needs=Needs(GB, 0, 0)) for number in range(5)])
    assert book.progress([]).seconds_left is None
    begin(book, [machine("a", 2)])
    end(book, "0", replace(PASSED, seconds=10.0))
    assert 19 < (book.progress([]).seconds_left or 0) <= 40
    book, _ = book_of([job_of("known", seconds=30.0)])
    assert book.progress([machine("a")]).seconds_left == 30.0


def test_a_plain_drill_imports_nothing_of_dask() -> None:
    """Neither does a look at the modules of the pool."""
    code = "import sys, restore_drill.fleet.pool.run; sys.exit('dask' in sys.modules)"
    env = inherited() | {"PYTHONPATH": str(ROOT / "src")}
    assert subprocess.run([sys.executable, "-c", code], env=env, check=False).returncode == 0
