"""How good the order of a fleet's drills is, in virtual time: the scheduler's rules without Dask.

    python -m benchmarks.fleet_policy [--seeds 16]

Nothing sleeps and nothing is handed over, so that the machine's load changes nothing but the CPU
time. What Dask adds is measured by `benchmarks.fleet_simulation`.
"""

from __future__ import annotations

import argparse
import heapq
import statistics
import time
from collections.abc import Sequence

from benchmarks.fleet_drawn import bounds, draw_jobs, machines_of, seconds_of
from restore_drill.fleet.model import Done, Job
from restore_drill.fleet.pool.book import Book, Flight
from restore_drill.fleet.pool.machines import Machine
from restore_drill.fleet.pool.placing import next_ones

PASSED = Done("", 0, "", 1.0, {"verdict": "passed"})


def main() -> None:
    """Draw some fleets, and print the ratios to their lower bounds."""
    parser = argparse.ArgumentParser(prog="benchmarks.fleet_policy", description=__doc__)
    parser.add_argument("--drills", type=int, default=1000, help="drills (1000)")
    parser.add_argument("--workers", type=int, default=50, help="workers (50)")
    parser.add_argument("--at-once", type=int, default=4, help="drills of one source at once (4)")
    parser.add_argument("--seeds", type=int, default=16, help="fleets that are drawn (16)")
    options = parser.parse_args()
    ratios, began = [], time.process_time()
    for seed in range(options.seeds):
        jobs, machines = draw_jobs(options.drills, seed), machines_of(options.workers)
        lowest = bounds(jobs, machines, options.at_once)
        why = max(lowest, key=lambda each: lowest[each])
        ratios.append(makespan(jobs, machines, options.at_once) / lowest[why])
        print(f"fleet {seed}: {ratios[-1]:.3f} times the lower bound ({why})", flush=True)
    each = 1000 * (time.process_time() - began) / options.seeds / options.drills
    print(f"median {statistics.median(ratios):.3f}, at most {max(ratios):.3f}; ", end="")
    print(f"{each:.1f} ms of CPU for each drill")


def makespan(jobs: Sequence[Job], machines: Sequence[Machine], at_once: int) -> float:
    """Seconds until all `jobs` have ended, each begun as the scheduler would; all end well."""
    ended: list[Done] = []
    book, now = Book(jobs, 1, ended.append), 0.0
    running: list[tuple[float, int, Flight]] = []
    while not book.is_over:
        for number, machine in list(next_ones(book, machines, at_once)):
            flight = Flight(number, machine, "", None)
            book.begins(flight)
            heapq.heappush(running, (now + seconds_of(jobs[number]), number, flight))
        now, _, flight = heapq.heappop(running)
        book.ends(flight, PASSED)
    assert sorted(done.name for done in ended) == sorted(job.name for job in jobs)
    return now


if __name__ == "__main__":
    main()
