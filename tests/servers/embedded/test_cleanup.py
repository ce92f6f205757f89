"""Embedded servers leave no trace, also where a run is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from restore_drill.servers import cleanup, isolation, processes
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.cleanup import clean_left_overs, find_left_overs
from restore_drill.servers.embedded import start_embedded

ROOT = Path(__file__).parents[3]


SCRIPT = """
import sys, time
sys.path.insert(0, "src")
from restore_drill.servers.survey import candidates
from restore_drill.servers.embedded import start_embedded
build = next(one for one in candidates() if one.source.startswith("wheel"))
print("ready", flush=True)
with start_embedded(build, note=lambda _: None) as server:
    print(server.run.path, flush=True)
    time.sleep(60)
"""
"""A run that starts a server and is then interrupted or killed."""

KILLED = """
import os, signal, sys
from pathlib import Path
from restore_drill.servers import cleanup, owned
base = Path(sys.argv[1])
def one(moment):
    count = 0
    def kill(event, arguments):
        nonlocal count
        is_open = event == "open" and str(arguments[0]).startswith(str(base))
        if is_open or event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir"):
            count += 1
            if count > moment:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(kill)
    run = cleanup.make_run_directory(base)
    (run.path / "data" / "base").mkdir(parents=True)
    (run.path / "data" / "base" / "1").touch()
    (run.path / "zz.sql").touch()
    run.remove()
for moment in range(200):
    if not (child := os.fork()):
        one(moment)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    left = [str(path) for path in base.iterdir()]
    named = [str(each.path) for each in cleanup.find_left_overs() if each.path.parent == base]
    lines = cleanup.clean_left_overs()
    print(moment, left == named, all(any(p in line for line in lines) for p in left),
          not list(base.iterdir()))
    if status == 0:
        break
"""
"""A run directory is made and removed, and its process killed before each step on the disk."""


def is_alive(process: psutil.Process) -> bool:
    """Whether `process` runs; a dead one may wait for a parent that never asks."""
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)


@pytest.fixture
def other_run() -> Iterator[subprocess.Popen[str]]:
    """Another run that starts a server, as a process of its own."""
    command = [sys.executable, "-c", SCRIPT]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_killed_run_is_cleaned_up(other_run: subprocess.Popen[str]) -> None:
    """The server of a killed run is stopped by the next one; that of a living run is not."""
    assert other_run.stdout is not None
    path = Path(other_run.stdout.readline().strip())
    living = processes.find_server(path / "data")
    assert living is not None
    assert path not in [left_over.path for left_over in find_left_overs()]
    clean_left_overs()
    assert is_alive(living)
    other_run.kill()
    other_run.wait()
    assert [one.owner.split(",")[0] for one in find_left_overs() if one.path == path] == [
        f"process {other_run.pid}"
    ]
    (line,) = [line for line in clean_left_overs() if str(path) in line]
    # Behind walls of its own it has ended with its run.
    assert line.startswith(
        (f"stopped the PostgreSQL server {living.pid} of a run that died", "cleaned up after a run")
    )
    assert not path.exists()
    assert not is_alive(living)


@pytest.mark.parametrize("after", [0.0, 0.1, 0.3])
def test_interrupted_start_leaves_nothing(
    other_run: subprocess.Popen[str], temporary: Path, after: float
) -> None:
    """Ctrl-C while the server starts, or just after, takes all of it away."""
    time.sleep(after)
    # Python forgets an interrupt that meets it inside of what a fork calls.
    for _ in range(2):
        other_run.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            other_run.wait(10)
            break
    assert other_run.poll() not in (None, 0)
    assert list(temporary.iterdir()) == []


def test_kill_at_any_moment_leaves_what_the_next_run_knows(temporary: Path) -> None:
    """A directory that is just being made, or was half removed, is named and removed at once."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(temporary)],
        env=environment, check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert 15 < len(lines) < 100
    assert {line.split(" ", 1)[1] for line in lines} == {"True True True"}, done.stdout


def test_a_dead_process_is_no_server(tmp_path: Path) -> None:
    """A process that died but has not been waited for is taken for no server."""
    data = tmp_path / "data"
    data.mkdir()
    with subprocess.Popen(["true", str(data)]) as dead:
        process = psutil.Process(dead.pid)
        while process.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        (data / "postmaster.pid").write_text(f"{dead.pid}\n{data}\n")

        assert not processes.works_in(process, data, ("true",))
        assert processes.find_server(data) is None


@pytest.mark.parametrize("why", ["", "closed for a test"])
def test_killed_server_leaves_nothing(
    why: str, wheel: Binaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What outlives a killed server, its backends and its shared memory, goes with it."""
    monkeypatch.setattr(isolation, "closed", {"why": why} if why else {})
    with start_embedded(wheel, note=lambda _: None) as server:
        process = processes.find_server(server.run.data)
        assert process is not None
        with server.create_database("drill").connect():
            backends = process.children()
            process.kill()
            assert backends
            assert server.executor.is_isolated or str(process.pid) in segment_creators()
            server.stop()
            assert not any(map(is_alive, backends))
        assert str(process.pid) not in segment_creators()
        assert not server.run.path.exists()


def segment_creators() -> list[str]:
    """Process ids that made the kernel's segments of shared memory."""
    rows = Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()
    return [row.split()[4] for row in rows]


def test_unknown_directories_are_left_alone(temporary: Path) -> None:
    """Without an owner only an old directory goes, and only if it holds what we put there."""
    young, old, foreign = (
        temporary / f"{cleanup.PREFIX}{name}" for name in ("young000", "old00000", "foreign0")
    )
    for path in (young, old, foreign):
        (path / "data").mkdir(parents=True)
    (foreign / "README.md").touch()
    for path in (old, foreign):
        os.utime(path, (time.time() - 7200,) * 2)
    lines = [line for line in clean_left_overs() if str(temporary) in line]
    assert lines == [f"cleaned up after a run that died (owner unknown); removed {old}"]
    assert set(temporary.iterdir()) == {young, foreign}
    shutil.rmtree(young)
    shutil.rmtree(foreign)
