"""Drills on workers in processes of their own, which are killed in the middle of them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from restore_drill import __version__
from restore_drill.core.errors import EXIT_COULD_NOT_RUN, CouldNotRun
from restore_drill.fleet.model import Done, Needs
from restore_drill.fleet.pool import opening
from tests.helpers.drills import ROOT
from tests.helpers.fleets import (
    QUICK,
    Processes,
    Running,
    breaks,
    cannot,
    job_of,
    lines_of,
    processes,
    sleeps,
    wait_until,
)
from tests.helpers.shop import USUAL, Shops

WAITS = b"""
import os, pathlib, time
def test_waits(facts):
    place = pathlib.Path(os.environ["PLACE"])
    tries = len(list(place.iterdir()))
    (place / f"{tries}-{os.getpid()}").touch()
    time.sleep(60 if tries < 2 else 0)
"""
OWN = {
    "drill/conftest.py": b"# restore_drill\n",
    "drill/criteria.toml": b"",
    "drill/test_waits.py": WAITS,
}
"""A drill folder of a user's own, with a criterion that waits at the first two tries."""
HAS = "disk=1e9 memory=1e9 cores=1"
LOG = "log"


@pytest.fixture(scope="module")
def two() -> Iterator[Processes]:
    """A scheduler with the workers a and b; each test leaves it so, or is starting it anew.

    In a folder with a short name: sockets of servers lie below it.
    """
    with tempfile.TemporaryDirectory(prefix="fl-") as name, processes(Path(name)) as two:
        for worker in "ab":
            two.worker(worker, HAS)
        yield two


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where drills that are functions say what they do."""
    (path := tmp_path / LOG).touch()
    return path


def list_of(folder: Path, names: str) -> list[Path]:
    """What is there under these names."""
    return list(folder.glob(names))


def worker_of(two: Processes, pid: int) -> str:
    """The worker that has started the process."""
    parents = [each.pid for each in psutil.Process(pid).parents()]
    return next(name for name, each in two.running.items() if each.pid in parents)


def kill_all_of(two: Processes, name: str) -> None:
    """Kill a worker with all that it has started, as a machine that vanishes does."""
    started = psutil.Process(two.running[name].pid).children(recursive=True)
    two.kill(name)
    for each in started:
        with suppress(psutil.NoSuchProcess):
            each.kill()


def test_workers_that_are_killed(shops: Shops, two: Processes, tmp_path: Path) -> None:
    """The drill is done elsewhere, to one verdict; nothing of the first ones is left.

    The first worker dies alone, and its drill cleans up by itself; the second with all processes
    of its drill, and the third removes what is left of that before it begins.
    """
    (place := tmp_path / "place").mkdir()
    backup = ("--backup", str(shops.dump(USUAL, "custom.dump")), "-k", "waits or has_rows")
    job = job_of("shop", *backup, files=OWN, PLACE=str(place))
    running, family, used = Running([job], scheduler=two.address), list[psutil.Process](), []
    for number, kill in enumerate((Processes.kill, kill_all_of)):
        found = wait_until(partial(list_of, place, f"{number}-*"))
        process = psutil.Process(pid := int(found[0].name.partition("-")[2]))
        family += [process, *process.children(recursive=True)]
        assert [name for name in two.left() if "fleet" in name]
        used.append(worker_of(two, pid))
        kill(two, used[-1])
        two.worker(f"new-{used[-1]}", HAS)
    done = running.result()
    assert done["shop"].verdict == "passed" and set(used) == {"a", "b"}
    assert done["shop"].worker.startswith("new-") and len(list(place.iterdir())) == 3
    wait_until(lambda: not [each for each in family if each.is_running()], 20)
    wait_until(lambda: not two.left(), 20)
    for name in "ab":
        two.kill(f"new-{name}")
        two.worker(name, HAS)


def test_a_scheduler_that_is_killed(two: Processes, log: Path) -> None:
    """It comes back, and so do the workers: each drill has one verdict."""
    jobs = [job_of(str(number), seconds=0.4, LOG=str(log)) for number in range(10)]
    running = Running(jobs, scheduler=two.address, function=sleeps)
    wait_until(lambda: len(running.ended) >= 3)
    two.kill("scheduler")
    wait_until(lambda: any("is lost" in note for note in running.notes))
    two.scheduler()
    for name in ("a", "b"):
        two.kill(name)  # a service manager starts them anew
        two.worker(name, HAS)
    done = running.result()
    assert len(done) == 10 and {each.verdict for each in done.values()} == {"passed"}
    assert any("again" in note for note in running.notes)
    assert len(lines_of(log, "begins")) <= 10 + 2


def test_tried_on_another_worker(two: Processes, log: Path) -> None:
    """What could not run here may run there."""
    running = Running([job_of("cannot", LOG=str(log))], scheduler=two.address, tries=3,
                      function=cannot)  # fmt: skip
    assert "tried 3 times: " in running.result()["cannot"].why
    workers = [worker for _, worker in lines_of(log, "begins")]
    assert set(workers[:2]) == {"a", "b"} and len(workers) == 3


def test_resources_decide_where(two: Processes, log: Path) -> None:
    """A large drill goes to the worker with the disk for it, which joins meanwhile."""
    large = job_of("large", needs=Needs(4 * 10**9, 10**6, 1), LOG=str(log))
    small, largest = replace(large, name="small", needs=Needs(0, 0, 0)), Needs(9 * 10**9, 10**6, 1)
    running = Running([large, small], scheduler=two.address, function=sleeps,
                      patience=replace(QUICK, larger=30.0))  # fmt: skip
    wait_until(lambda: running.ended)
    two.worker("large", "disk=5e9 memory=1e9 cores=2")
    done = running.result()
    assert done["large"].worker == "large" and done["small"].worker in ("a", "b")
    done = Running([replace(large, needs=largest)], scheduler=two.address, function=sleeps,
                   patience=replace(QUICK, larger=0.0)).result()  # fmt: skip
    two.kill("large")
    assert done["large"].code == EXIT_COULD_NOT_RUN and done["large"].why.endswith(
        "it needs 9.0 GB of disk, 1.0 MB of memory, 1 core; the largest worker (large) has "
        "5.0 GB of disk, 1.0 GB of memory, 2 cores"
    )


def set_status(name: str, dask_worker: Any) -> None:
    """Set the status of a worker."""
    dask_worker.status = type(dask_worker.status)[name]


def test_a_worker_that_takes_nothing_new_is_not_lost(two: Processes, log: Path) -> None:
    """Dask pauses one that is short of memory: what runs there goes on, and counts."""
    client: Any = opening.distributed().Client(two.address, set_as_default=False)
    jobs = [job_of(name, seconds=2.0, LOG=str(log)) for name in ("one", "two", "three")]
    running = Running(jobs, scheduler=two.address, tries=1, function=sleeps)
    wait_until(lambda: len(lines_of(log, "begins")) == 2)
    client.run(set_status, "paused")
    wait_until(lambda: len(running.ended) == 2)
    client.run(set_status, "running")
    assert {each.verdict for each in running.result().values()} == {"passed"}
    client.close()


def test_secrets_stay_out_of_logs(two: Processes) -> None:
    """Dask writes the arguments of what fails into the log of its worker."""
    secret = "postgres://u:s3cretpw@h/d"
    running = Running([job_of("breaks", PLACE=secret)], scheduler=two.address, tries=2,
                      function=breaks)  # fmt: skip
    assert "s3cretpw" not in running.result()["breaks"].why
    job = job_of("unknown", PLACE=secret)
    assert "s3cretpw" not in repr(job)
    assert not [name for name in ("scheduler", "a", "b") if "s3cretpw" in two.log(name)]


def test_another_version_is_refused(tmp_path: Path) -> None:
    """By both versions, before anything begins."""
    package = tmp_path / "other" / "restore_drill"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("__version__ = '0.0.1'\n")
    with processes(tmp_path) as found:
        found.worker("old", PYTHONPATH=str(package.parent))
        wait_until(lambda: "Registered to" in found.log("old"))
        with pytest.raises(CouldNotRun) as error:
            Running([job_of("one")], scheduler=found.address).result()
        assert f"worker old has restore-drill 0.0.1, and this machine {__version__}" in str(error)
        found.kill("scheduler")
        found.scheduler(PYTHONPATH=str(package.parent))
        with pytest.raises(CouldNotRun, match=r"scheduler tcp://.* has restore-drill 0\.0\.1, and"):
            Running([job_of("one")], scheduler=found.address).result()


def test_another_version_that_joins_is_given_nothing(
    two: Processes, log: Path, tmp_path: Path
) -> None:
    """The run goes on with the others, and says so; one without restore-drill is like it."""
    jobs = [job_of(str(number), seconds=0.5, LOG=str(log)) for number in range(20)]
    running = Running(jobs, scheduler=two.address, function=sleeps)
    wait_until(lambda: running.ended)
    two.worker("none", PYTHONPATH=str(tmp_path), PYTHONNOUSERSITE="1")
    note = f"worker none has restore-drill none, and this machine {__version__}"
    wait_until(lambda: [each for each in running.notes if note in each])
    running.stop.set()
    running.result(20)
    two.kill("none")
    assert {worker for _, worker in lines_of(log, "begins")} <= {"a", "b"}


def test_drills_end_with_their_client(two: Processes, log: Path) -> None:
    """One that breaks in the middle of a run leaves nothing running on the workers."""

    def ended(_: Done) -> None:
        raise OSError("no space left for the report")

    jobs = [job_of("long", seconds=60, LOG=str(log)), job_of("short", seconds=0.5, LOG=str(log))]
    running = Running(jobs, scheduler=two.address, function=sleeps, ended=ended)
    with pytest.raises(OSError, match="no space"):
        running.result(20)
    wait_until(lambda: lines_of(log, "interrupted"), 10)


def test_no_scheduler() -> None:
    """It says which, and what to do."""
    with pytest.raises(CouldNotRun, match=r"does not answer: tcp://127.0.0.1:1\n"):
        Running([job_of("one")], scheduler="tcp://127.0.0.1:1",
                patience=replace(QUICK, connect=1.0)).result()  # fmt: skip


def test_a_client_that_cannot_begin_leaves_nothing() -> None:
    """Whatever Dask raises, the process ends at once and says no more."""
    code = (
        "from restore_drill.core.errors import CouldNotRun\n"
        "from restore_drill.fleet.pool.opening import open_cluster\n"
        "try:\n    open_cluster('tcp://127.0.0.1:x', None, 20.0)\n"
        "except CouldNotRun as error:\n    print(error.what)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip

    assert "does not answer" in done.stdout and not done.stderr, done.stderr


def test_a_scheduler_that_does_not_come_back(two: Processes, log: Path) -> None:
    """Patience has an end, and so has each drill."""
    jobs = [job_of(name, seconds=30, LOG=str(log)) for name in ("one", "two")]
    running = Running(jobs, scheduler=two.address, function=sleeps,
                      patience=replace(QUICK, again=0.5))  # fmt: skip
    wait_until(lambda: len(lines_of(log, "begins")) == 2)
    two.kill("scheduler")
    done = running.result(20)
    assert all("did not come back within 0.50 s" in each.why for each in done.values())
    wait_until(lambda: len(lines_of(log, "interrupted")) == 2, 20)  # nobody waits for them


def test_no_worker_is_told_once(tmp_path: Path) -> None:
    """At once, with how long one is waited for; and no time is left of what does not run."""
    with processes(tmp_path) as found:
        running = Running([replace(job_of("one"), seconds=10.0)], scheduler=found.address,
                          patience=replace(QUICK, workers=3.0))  # fmt: skip
        done = running.result()["one"]

    notes = [each.note for each in running.told if each.note]
    assert notes == ["waiting for a worker (up to 3.00 s)"], notes
    assert {each.seconds_left for each in running.told[:-1]} == {None}
    assert (done.code, done.why) == (EXIT_COULD_NOT_RUN, "there is no worker")
