"""A command of the drill as a process of its own: followed line by line, and ended by force."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil

from tests.helpers.drills import ROOT

LONGEST = 120.0
"""Seconds after which a command counts as hanging, and is killed."""


class Running:
    """A command that runs: its lines so far, its process id, its exit code at the end."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        """Start it, in a session of its own, with the streams in one."""
        self.lines: list[str] = []
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.sent: set[signal.Signals] = set()
        self.has_hung = False

    @property
    def is_killed(self) -> bool:
        """Whether a signal has ended it at once: SIGKILL, or another before it listens to them."""
        code = self.process.poll()
        return code is not None and -code in self.sent

    def read(self) -> None:
        """Keep its lines."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def is_running(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def send(self, number: signal.Signals, *, group: bool = False) -> None:
        """Send a signal to it, or to its whole group as a terminal does."""
        if self.is_running():
            self.sent.add(number)
            with suppress(ProcessLookupError):
                (os.killpg if group else os.kill)(self.process.pid, number)

    def wait(self, seconds: float = LONGEST) -> int:
        """Exit code; a command that has not ended by then is killed."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.has_hung = True
            self.send(signal.SIGKILL, group=True)
            self.process.wait()
        # A child that has outlived it may keep the stream open: that is found out later.
        self.reader.join(1.0)
        return self.process.returncode

    @property
    def output(self) -> str:
        """Everything it has written."""
        return "\n".join(self.lines)


def drill_command(report_dir: Path, *options: str) -> list[str]:
    """`pytest drill/ --target database` with `options`."""
    return [
        sys.executable, "-m", "pytest", str(ROOT / "drill"), "-p", "no:cacheprovider",
        "--target=database", f"--report-dir={report_dir}", *options,
    ]  # fmt: skip


def other_command(name: str, *options: str) -> list[str]:
    """`restore-drill NAME` with `options`."""
    return [sys.executable, "-m", "drill", name, *options]


def run(command: list[str], environment: dict[str, str]) -> Running:
    """Run a command to its end."""
    running = Running(command, environment)
    running.wait()
    return running


def outlived(known: set[int]) -> list[psutil.Process]:
    """Processes that have outlived the commands of this process, which inherits them.

    `known` are those that are not of a command, such as the live server's.
    """
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if process.pid in known or known & {each.pid for each in process.parents()}:
                continue
            if process.status() == psutil.STATUS_ZOMBIE:
                with suppress(ChildProcessError):
                    os.waitpid(process.pid, os.WNOHANG)
                continue
            found.append(process)
    return found


def described(process: psutil.Process) -> str:
    """What `process` is, in words."""
    with suppress(psutil.Error, OSError):
        where = Path(f"/proc/{process.pid}/cwd").readlink()
        return f"process {process.pid} ({' '.join(process.cmdline())[:60]}) in {where}"
    return f"process {process.pid}"


def plain(text: str) -> str:
    """`text` in one line."""
    return re.sub(r"\s+", " ", text).strip()
