"""A scheduler and workers of Dask in processes of their own; drills that are plain functions."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from restore_drill.core.errors import EXIT_COULD_NOT_RUN
from restore_drill.fleet.model import Done, Job, Needs
from restore_drill.fleet.pool.book import Progress
from restore_drill.fleet.pool.leash import own_leash
from restore_drill.fleet.pool.opening import Patience
from restore_drill.fleet.pool.run import run_jobs
from tests.helpers.drills import ROOT, inherited

QUICK = Patience(connect=20.0, again=30.0, workers=20.0, larger=1.5, cleanup=20.0)
LIMIT = 50.0
"""Seconds after which a run of a test is given up."""


def wait_until(holds: Callable[[], Any], seconds: float = 30.0) -> Any:
    """What `holds` gives once it is true; AssertionError after so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := holds():
            return found
        time.sleep(0.05)
    raise AssertionError(f"it did not come to that within {seconds:.0f} s")


class Processes:
    """`dask scheduler` and `dask worker`s in `folder`, which holds their logs and their TMPDIR."""

    def __init__(self, folder: Path) -> None:
        """Choose a port; nothing is started."""
        self.folder = folder
        self.temporary = folder / "t"
        self.temporary.mkdir()
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.port = int(server.getsockname()[1])
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def address(self) -> str:
        """Of the scheduler."""
        return f"tcp://127.0.0.1:{self.port}"

    def start(self, name: str, *command: str, **environment: str) -> None:
        """Start `python -m` with `command`, as `name`."""
        paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
        own = {"TMPDIR": str(self.temporary), "XDG_STATE_HOME": str(self.folder / "state")}
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", *command],
                env={**inherited(), "PYTHONPATH": paths, **own, **environment},
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def scheduler(self, **environment: str) -> None:
        """Start the scheduler."""
        self.start(
            "scheduler", "distributed.cli.dask_scheduler", "--host", "127.0.0.1",
            "--port", str(self.port), "--no-dashboard", **environment,
        )  # fmt: skip

    def worker(self, name: str, resources: str = "", **environment: str) -> None:
        """Start the worker `name`, a drill at once."""
        more = ["--resources", resources] if resources else []
        self.start(
            name, "distributed.cli.dask_worker", self.address, "--name", name, "--nthreads", "1",
            "--no-nanny", "--no-dashboard", "--memory-limit", "0", *more, **environment,
        )  # fmt: skip

    def log(self, name: str) -> str:
        """What it has written."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def kill(self, name: str) -> None:
        """Kill it, as the kernel does when memory runs out."""
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def left(self) -> list[str]:
        """Names of the run directories that are there."""
        return [path.name for path in self.temporary.glob("restore-drill-*")]

    def close(self) -> None:
        """End all of them."""
        for process in self.running.values():
            process.send_signal(signal.SIGKILL)
        for process in self.running.values():
            process.wait()


@contextmanager
def processes(folder: Path, *workers: str) -> Iterator[Processes]:
    """A scheduler with `workers`, all in processes of their own."""
    found = Processes(folder)
    try:
        found.scheduler()
        for name in workers:
            found.worker(name)
        yield found
    finally:
        found.close()


class Running:
    """`run_jobs` in a thread, with what it has told so far."""

    def __init__(self, jobs: Sequence[Job], **options: Any) -> None:
        """Begin."""
        self.ended: list[Done] = []
        self.told: list[Progress] = []
        self.stop = threading.Event()
        self.errors: list[BaseException] = []
        given = {"scheduler": None, "workers": None, "tries": 3, "at_once": 9, "patience": QUICK,
                 "ended": self.ended.append}  # fmt: skip
        self.thread = threading.Thread(
            target=self.carry_out, args=(jobs, given | options), daemon=True
        )
        self.thread.start()

    def carry_out(self, jobs: Sequence[Job], options: dict[str, Any]) -> None:
        """Run, and keep the error."""
        try:
            run_jobs(jobs, progress=self.told.append, stop=self.stop, **options)
        except BaseException as error:  # noqa: BLE001 - it is raised by `result`
            self.errors.append(error)

    def result(self, seconds: float = LIMIT) -> dict[str, Done]:
        """How each drill ended, by its name, once all have; there is one Done for each."""
        self.thread.join(seconds)
        assert not self.thread.is_alive(), f"the run did not end within {seconds:.0f} s"
        if self.errors:
            raise self.errors[0]
        found = {done.name: done for done in self.ended}
        assert len(found) == len(self.ended), "a drill has two verdicts"
        return found

    @property
    def notes(self) -> list[str]:
        """What it had to say."""
        return [each.note for each in self.told if each.note]


def job_of(name: str, *arguments: str, files: dict[str, bytes] | None = None, source: str = "s",
           owner: str = "", timeout: float | None = None, seconds: float | None = None,
           needs: Needs | None = None, **environment: str) -> Job:  # fmt: skip
    """A job with needs that any machine meets."""
    needs = needs or Needs(1_000, 1_000, 0)
    return Job(name, arguments, environment, files or {}, needs, source, owner, timeout, seconds)


def worker_here() -> str:
    """Name of the worker that this runs on."""
    return str(own_leash().worker.name)


def note(job: Job, what: str) -> None:
    """Write a line into the file that the job names: what, name of the job, worker."""
    with Path(job.environment["LOG"]).open("a", encoding="utf-8") as file:
        file.write(f"{what} {job.name} {worker_here()}\n")


def sleeps(job: Job) -> Done:
    """Sleep as long as the job took before, unless it is interrupted; passed."""
    note(job, "begins")
    until, leash = time.monotonic() + (job.seconds or 0.0), own_leash()
    while time.monotonic() < until:
        if leash.why_to_end():
            note(job, "interrupted")
            return Done(job.name, 2, "", 0.0, why="interrupted")
        time.sleep(0.01)
    note(job, "ends")
    return Done(job.name, 0, "", job.seconds or 0.0, {"verdict": "passed"})


def cannot(job: Job) -> Done:
    """Could not run; the one called `fails` fails, and `passes` passes."""
    note(job, "begins")
    verdict = {"fails": ("failed", 1), "passes": ("passed", 0)}.get(job.name)
    if verdict:
        return Done(job.name, verdict[1], "", 0.1, {"verdict": verdict[0]})
    return Done(job.name, EXIT_COULD_NOT_RUN, "", 0.1, why="no server")


def breaks(job: Job) -> Done:
    """Raise an error that shows a secret."""
    raise RuntimeError(f"no such place: {job.environment['PLACE']}")


def lines_of(log: Path, what: str) -> list[list[str]]:
    """Words of the lines of `log` that begin with `what`, without it."""
    return [each[1:] for each in words_of(log) if each[0] == what]


def words_of(log: Path) -> list[list[str]]:
    """Words of each line of `log`: what, name of the job, worker."""
    return [line.split() for line in log.read_text(encoding="utf-8").splitlines()]
