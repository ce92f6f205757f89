"""The process around a drill: it ends the drill with the worker, gently first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from restore_drill.fleet.pool import warden
from tests.helpers.fleets import wait_until

CHILD = """
import pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
def term(*_):
    (folder / "asked").touch()
    if sys.argv[2] == "ends":
        sys.exit(7)
signal.signal(signal.SIGTERM, term)
(folder / "pid").write_text(str(__import__("os").getpid()))
while True:
    time.sleep(0.05)
"""


def start(folder: Path, how: str, patience: float) -> tuple[subprocess.Popen[bytes], int]:
    """A warden with a child that ends when it is asked to, or does not; its process id."""
    command = [sys.executable, "-I", "-S", str(warden.__file__), str(patience), ""]
    process = subprocess.Popen(
        [*command, sys.executable, "-c", CHILD, str(folder), how],
        stdin=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    return process, int(wait_until(lambda: read(folder / "pid")))


def read(path: Path) -> str:
    """Its text; nothing where it is not there."""
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize(("how", "code"), [("ends", 7), ("stays", 128 + signal.SIGKILL)])
def test_the_end_of_the_worker_is_the_end_of_the_drill(tmp_path: Path, how: str, code: int) -> None:
    """It is asked to end; one that does not is killed. The pipe alone says that the worker died."""
    process, child = start(tmp_path, how, 20.0 if how == "ends" else 0.3)
    assert process.poll() is None
    process.communicate(timeout=20)  # closes standard input
    assert process.returncode == code
    assert (tmp_path / "asked").exists() and not psutil.pid_exists(child)


@pytest.mark.skipif(sys.platform != "linux", reason="needs PR_SET_PDEATHSIG")
def test_a_killed_warden_is_the_end_of_the_drill_too(tmp_path: Path) -> None:
    """The kernel asks it to end."""
    process, child = start(tmp_path, "ends", 20.0)
    with process:
        process.kill()
        wait_until(lambda: not is_alive(child), 10)
    assert (tmp_path / "asked").exists()


def test_a_signal_to_the_warden_asks_the_drill_to_end(tmp_path: Path) -> None:
    """An operator may end one drill by it."""
    process, child = start(tmp_path, "ends", 20.0)
    with process:
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(20) == 7
    assert not is_alive(child)


def test_the_exit_code_is_the_drills() -> None:
    """Its own, and 127 where there is no such program."""
    command = [sys.executable, "-I", "-S", str(warden.__file__), "1", ""]
    for program, code in (([sys.executable, "-c", "raise SystemExit(6)"], 6), (["/no/such"], 127)):
        with subprocess.Popen([*command, *program], stdin=subprocess.PIPE) as process:
            assert process.wait(20) == code


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that nobody has waited for does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
