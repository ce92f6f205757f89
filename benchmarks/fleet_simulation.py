"""SIMULATION: a thousand drills on fifty workers, by the scheduler that `fleet run` has.

    python -m benchmarks.fleet_simulation [--kill 2] [--seed 7]

Scheduler and workers of Dask are real processes of this machine, a drill at once on each. Drills
are sleeps in scaled time, of drawn lengths; each hands back the files of one that was carried out
before, and the client keeps them and writes the pages as in a run. It ends with 1 where a drill has
not exactly one verdict, and where all took longer than MOST times the lower bound.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psutil

from benchmarks.fleet_drawn import bounds, draw_jobs, keep_sample, sleeps, workers_of
from benchmarks.small import make_backup
from benchmarks.tables import in_ms
from restore_drill.core.units import show_bytes
from restore_drill.fleet.model import Database, Done, Job, Needs
from restore_drill.fleet.pool.book import Progress
from restore_drill.fleet.pool.drilling import drill
from restore_drill.fleet.pool.machines import Machine
from restore_drill.fleet.pool.opening import open_cluster
from restore_drill.fleet.pool.run import run_jobs
from restore_drill.fleet.report.files import begin, keep_reports, leave
from restore_drill.fleet.report.run import Fleet
from tests.helpers.fleets import Processes, processes

MOST = 1.15
"""So many times the lower bound a run may take."""
START = 600.0
"""Seconds for all workers to be there."""


def main() -> int:
    """Simulate; the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks.fleet_simulation", description=__doc__)
    parser.add_argument("--drills", type=int, default=1000, help="drills (1000)")
    parser.add_argument("--workers", type=int, default=50, help="workers (50)")
    parser.add_argument("--at-once", type=int, default=4, help="drills of one source at once (4)")
    parser.add_argument("--speed", type=float, default=20.0, help="seconds that pass in one (20)")
    parser.add_argument("--kill", type=int, default=0, help="workers that are killed (0)")
    parser.add_argument("--seed", type=int, default=17, help="of what is drawn (17)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fl-") as name:
        folder = Path(name)
        jobs = draw_jobs(options.drills, options.seed, options.speed, make_sample(folder))
        with processes(folder) as cluster:
            note(f"starting {options.workers} workers")
            # Each looks at its own stack a hundred times a second: too much for one machine.
            os.environ["DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED"] = "False"
            for worker, resources in workers_of(options.workers):
                cluster.worker(worker, resources)
            machines = wait_for(cluster, options.workers)
            run = Simulated(jobs, cluster, folder / "reports", options.kill)
            run.carry_out(options.at_once)
    lowest = bounds(jobs, machines, options.at_once)
    print(f"SIMULATION of {options.drills:,} drills on {options.workers} workers, ", end="")
    print(f"a second stands for {options.speed:g}, {options.kill} workers killed\n")
    because = (f"lower bound by {why}: {took:.1f} s" for why, took in lowest.items())
    for line in (*run.times(max(lowest.values())), *run.costs(), *because, *run.wrong()):
        print(f"- {line}")
    return 1 if run.wrong() or run.seconds > MOST * max(lowest.values()) else 0


def make_sample(folder: Path) -> Path:
    """A folder with what a real drill of a shop of 1 MB has left."""
    backup = make_backup(folder / "small", None)
    options = ("--require-backup", f"--backup={backup}", "--max-backup-age=1d")
    keep_sample(drill(Job("sample", options, {}, {}, Needs(0, 0, 1), "")), folder)
    return folder


def wait_for(cluster: Processes, count: int) -> list[Machine]:
    """All workers, once they are there; TimeoutError."""
    with closing(open_cluster(cluster.address, None, START)) as found:
        until = time.monotonic() + START
        while time.monotonic() < until:
            if len(machines := found.machines()) == count:
                return machines
            time.sleep(0.5)
    raise TimeoutError(f"not all of {count} workers came within {START:.0f} s")


@dataclass
class Simulated:
    """A run of `jobs` on the workers of `cluster`, of which so many are to `kill`.

    Reports go to the folder `top`.
    """

    jobs: Sequence[Job]
    cluster: Processes
    top: Path
    kill: int

    def __post_init__(self) -> None:
        """Nothing has ended: `known` is when, `slept` begin, end and name, by worker."""
        self.known: dict[str, float] = {}
        self.verdicts: list[tuple[str, str]] = []
        self.slept = defaultdict[str, list[tuple[float, float, str]]](list)
        self.told = time.monotonic()

    def carry_out(self, at_once: int) -> None:
        """Run all, as `fleet run` does once it knows the backups."""
        databases = {job.name: Database(job.name, "", owner=job.owner) for job in self.jobs}
        self.fleet = Fleet(Path("fleet.toml"), databases)
        begin(self.top)
        scheduler = psutil.Process(self.cluster.running["scheduler"].pid)
        self.memory_before = memory()
        before, own, began = cpu(scheduler), time.process_time(), time.monotonic()
        run_jobs(
            self.jobs, scheduler=self.cluster.address, workers=None, tries=3, at_once=at_once,
            ended=self.ended, progress=self.progress, function=sleeps,
        )  # fmt: skip
        self.seconds = max(self.known.values()) - began
        self.client, self.scheduler = time.process_time() - own, cpu(scheduler) - before
        self.fleet.close()
        ended = time.monotonic()
        leave(self.top, self.fleet, {})
        self.pages, self.memory = time.monotonic() - ended, memory()

    def ended(self, done: Done) -> None:
        """Keep what a drill has left; at a third of all, kill the first workers."""
        folder = keep_reports(self.top, done, self.fleet.inventory)
        self.fleet.end(done, done.tries, folder)
        self.known[done.name] = time.monotonic()
        self.verdicts.append((done.name, done.verdict))
        if done.result is not None:
            worker, began, ended = done.result["simulated"]
            self.slept[worker].append((began, ended, done.name))
        if self.kill and len(self.verdicts) == len(self.jobs) // 3:
            for name in list(self.cluster.running)[-self.kill :]:
                self.cluster.kill(name)

    def progress(self, now: Progress) -> None:
        """Say how far all is."""
        if now.note or time.monotonic() - self.told > 10.0:
            self.told = time.monotonic()
            note(now.note or f"{now.done:,} of {now.total:,}, {len(now.running)} run")

    def times(self, lowest: float) -> Iterator[str]:
        """What it took, against the lower bound."""
        gaps = [after[0] - before[1] for drills in self.slept.values()
                for before, after in pairwise(sorted(drills))]  # fmt: skip
        late = [self.known[name] - ended for each in self.slept.values() for _, ended, name in each]
        yield f"first to last: {self.seconds:.1f} s, the lower bound is {lowest:.1f} s"
        yield f"**ratio: {self.seconds / lowest:.3f}** (at most {MOST})"
        yield f"a worker waits for its next drill: {in_ms(gaps)}"
        yield f"a verdict is known after the end of its drill: {in_ms(late)}"

    def costs(self) -> Iterator[str]:
        """What the client and the scheduler had to do, in all and for each drill."""
        many, found = len(self.jobs), Counter(verdict for _, verdict in self.verdicts)
        yield (
            f"CPU for each drill: client {1000 * self.client / many:.1f} ms, "
            f"scheduler {1000 * self.scheduler / many:.1f} ms; load {os.getloadavg()[1]:.1f}"
        )
        yield (
            f"memory of the client: {show_bytes(self.memory)} at most, "
            f"{show_bytes(self.memory_before)} before; pages in {self.pages:.1f} s"
        )
        yield f"verdicts: {', '.join(f'{count:,} {each}' for each, count in found.items())}"

    def wrong(self) -> list[str]:
        """Drills that have not exactly one verdict, or another one than they must have."""
        found = Counter(name for name, _ in self.verdicts)
        wrong = [f"{job.name}: {found[job.name]} verdicts" for job in self.jobs
                 if found[job.name] != 1]  # fmt: skip
        return wrong + [f"{name}: {each}" for name, each in self.verdicts if each != "passed"]


def cpu(process: psutil.Process) -> float:
    """Seconds of a processor that it has taken."""
    times = process.cpu_times()
    return float(times.user + times.system)


def memory() -> int:
    """The most bytes that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def note(text: str) -> None:
    """One line about what is going on."""
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
