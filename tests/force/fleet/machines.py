"""A scheduler and machines with a worker each, which a service manager starts again."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.force.disks import Disk
from tests.helpers.drills import ROOT, inherited

RESTART = 3
"""Seconds until what has ended is started again."""
SIZE = 4_000_000_000
"""Bytes of the disk of a machine."""
RESOURCES = "disk=4e9 memory=4e9 cores=2"
AT_ONCE = 2
"""So many drills run on a machine at the same time."""
PYTHON = {
    "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
    "PYTHONDONTWRITEBYTECODE": "",  # some 300 modules, which each drill else compiles
}
DRILLING = "warden.py"
"""What runs around each drill."""

KEPT = tuple(map(str, dict.fromkeys((ROOT, Path(sys.prefix), Path(sys.base_prefix)))))
"""Folders of the suite and of Python."""
NOT_OF_DRILLS = re.compile(
    "|".join(["dask-.*", r"sem\.mp-.*", "state", *map(re.escape, set("/".join(KEPT).split("/")))])
)
"""Names in folders for temporary files of what Dask, the user and `BOOT` have there."""
BOOT = """
for kept in {kept}; do
    case $kept in
        /tmp/*|/var/tmp/*|/mnt/*) mkdir -p {disk}$kept; mount --bind $kept {disk}$kept ;;
    esac
done
mkdir -p -m 1777 {disk}/mnt {disk}/tmp {disk}/var/tmp {disk}/shm
mount --bind {disk}/shm /dev/shm
mount --bind {disk}/mnt /mnt
mount --bind {disk}/var/tmp /var/tmp
mount --bind {disk}/tmp /tmp
"""
"""A machine has a disk of its own, and nothing else where temporary files go.

What runs there may lie below those folders itself, and stays in sight.
"""
AGAIN = """
while :; do
    {command} || :
    sleep {restart}
done
"""


@dataclass
class Service:
    """A `command` that is started again whenever it ends; its log is the file `log`."""

    command: list[str]
    log: Path
    environment: Mapping[str, str]
    boot: str = ""
    around: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Switch it on."""
        script = self.boot + AGAIN.format(command=shlex.join(self.command), restart=RESTART)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.around, "sh", "-c", script], cwd="/", stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
                env={**inherited(), **PYTHON, **self.environment},
            )  # fmt: skip

    def processes(self) -> list[psutil.Process]:
        """All that it has started, in the order in which that began."""
        if self.process is None or self.process.poll() is not None:
            return []
        try:
            return list(psutil.Process(self.process.pid).children(recursive=True))
        except psutil.NoSuchProcess:
            return []

    def running(self, word: str) -> list[psutil.Process]:
        """Its processes that have `word` in their command; not the shell that starts them."""
        found = []
        for each in self.processes():
            with suppress(psutil.Error):
                found += [each] * (word in " ".join(each.cmdline()) and each.name() != "sh")
        return found

    def kill(self, word: str) -> int:
        """Kill those with SIGKILL; how many there were."""
        found = self.running(word)
        for each in found:
            with suppress(psutil.NoSuchProcess):
                each.send_signal(signal.SIGKILL)
        return len(found)

    def lose(self) -> None:
        """Kill all of it at once, as if its power was cut."""
        if self.process is not None:
            for each in [*self.processes(), self.process]:
                with suppress(psutil.NoSuchProcess, ProcessLookupError):
                    each.kill()
            self.process.wait()
            self.process = None


def dask(what: str, *arguments: str) -> list[str]:
    """`dask scheduler` or `dask worker`."""
    return [sys.executable, "-m", f"distributed.cli.dask_{what}", *arguments, "--no-dashboard"]


def scheduler(host: str, port: int, folder: Path, environment: Mapping[str, str]) -> Service:
    """The scheduler."""
    command = dask("scheduler", "--host", host, "--port", str(port))
    return Service(command, folder / "scheduler.log", environment)


@dataclass
class Machine:
    """A machine: its own network, processes, and `disk`; a worker runs on it."""

    name: str
    disk: Disk
    service: Service

    @classmethod
    def make(cls, name: str, place: str, address: str, folder: Path,
             environment: Mapping[str, str]) -> Machine:  # fmt: skip
        """The machine `name` in the network namespace `place`, switched off."""
        disk = Disk.make(folder / name, SIZE)
        command = dask(
            "worker", address, "--name", name, "--nthreads", str(AT_ONCE), "--memory-limit", "0",
            "--resources", RESOURCES,
        )  # fmt: skip
        kept = shlex.join(KEPT)
        around = (
            "nsenter", f"--net=/run/netns/{place}",
            "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
        )  # fmt: skip
        own = {"TMPDIR": "/mnt", "XDG_STATE_HOME": "/mnt/state"}
        boot = BOOT.format(disk=shlex.quote(str(disk.path)), kept=kept)
        log = folder / f"{name}.log"
        return cls(name, disk, Service(command, log, {**environment, **own}, boot, around))

    @property
    def is_drilling(self) -> bool:
        """Whether a drill runs there."""
        return bool(self.service.running(DRILLING))

    def left(self) -> list[str]:
        """What drills have left there: processes, and files in its folders."""
        found = [f"process {' '.join(each.cmdline())[:80]}" for each in self.drills()]
        for folder in ("mnt", "tmp", "var/tmp", "shm"):
            names = sorted(each.name for each in (self.disk.path / folder).iterdir())
            found += [f"{folder}/{each}" for each in names if not NOT_OF_DRILLS.fullmatch(each)]
        found += map(str, (self.disk.path / "mnt/state").glob("restore-drill/places/*/files-*"))
        return [f"machine {self.name}: {each}" for each in found]

    def drills(self) -> list[psutil.Process]:
        """Processes of drills: wardens, and servers whoever has started them."""
        return [*self.service.running(DRILLING), *self.service.running("postgres")]


def until(holds: Callable[[], object], seconds: float) -> bool:
    """Wait until `holds` is true; whether it came to that in so many seconds."""
    end = time.monotonic() + seconds
    while not (found := bool(holds())) and time.monotonic() < end:
        time.sleep(0.1)
    return found
