"""The live server: a real PostgreSQL, run by an ordinary user on a data directory of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
from port_for import select_random

from restore_drill.servers.find import find_binaries
from restore_drill.servers.launcher import choose_launcher
from tests.force.disks import Disk
from tests.helpers.shop import quiet

MAJOR = 15
PATIENCE = 30.0
"""Seconds for the server to start, or to end."""
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "16MB",
    "max_connections": "60",
    "min_wal_size": "2MB",
    "max_wal_size": "16MB",
    "autovacuum": "off",
    "log_connections": "off",
}


class LiveServer:
    """A server in `folder`, whose data and WAL lie on disks of their own."""

    def __init__(self, folder: Path) -> None:
        """Make its data directory, and start it."""
        self.launcher = choose_launcher()
        self.bin_dir = find_binaries(MAJOR, note=quiet).bin_dir
        self.data_disk, self.wal_disk = Disk.make(folder / "d"), Disk.make(folder / "w")
        self.data, self.wal = self.data_disk.path / "data", self.wal_disk.path / "wal"
        self.socket, self.log = folder / "s", folder / "server.log"
        self.port = select_random()
        self.process: subprocess.Popen[bytes] | None = None
        for path in (self.data, self.wal, self.socket):
            path.mkdir()
            self.launcher.own(path)
        command = [
            str(self.bin_dir / "initdb"), f"--pgdata={self.data}", f"--waldir={self.wal}",
            "--wal-segsize=1", "--username=postgres", "--auth=trust", "--locale=C.UTF-8",
            "--no-sync",
        ]  # fmt: skip
        done = self.launcher.run(command, cwd=Path("/"))
        assert done.returncode == 0, done.stdout
        self.start()

    def launch(self) -> None:
        """Start its process."""
        given = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *self.launcher.prefix, str(self.bin_dir / "postgres"), f"-D{self.data}",
                    f"-p{self.port}", f"-k{self.socket}", *given,
                ],
                cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **self.launcher.options,
            )  # fmt: skip

    def start(self) -> None:
        """Start it where it does not run, and wait until it answers.

        After a kill the sessions of the old one have to end first: until then it refuses.
        """
        deadline = time.monotonic() + PATIENCE
        while not self.answers():
            assert time.monotonic() < deadline, self.log.read_text(errors="replace")[-2000:]
            if self.process is None or self.process.poll() is not None:
                self.launch()
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether it lets a session in."""
        with suppress(psycopg.OperationalError):
            self.connect("postgres").close()
            return True
        return False

    def connect(self, database: str, **given: Any) -> psycopg.Connection[Any]:
        """New session of the superuser, by the server's own socket."""
        options: dict[str, Any] = {
            "host": str(self.socket), "port": self.port, "user": "postgres",
            "application_name": "judge", "connect_timeout": 5,
        }  # fmt: skip
        return psycopg.connect(dbname=database, autocommit=True, **(options | given))

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the postmaster."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT ends its sessions (fast), SIGQUIT leaves it to recover (immediate)."""
        assert self.process is not None
        self.send(number)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            self.process.wait(PATIENCE)

    def kill(self) -> None:
        """Kill the postmaster as `kill -9` does; its sessions end when they notice."""
        self.send(signal.SIGKILL)
        assert self.process is not None
        self.process.wait(PATIENCE)

    def processes(self) -> set[int]:
        """Ids of all its processes, also of sessions that have outlived the postmaster."""
        found = set()
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.name() == "postgres" and process.cwd() == str(self.data):
                    found.add(process.pid)
        return found | ({self.process.pid} if self.process else set())

    def heal(self) -> None:
        """Give its disks room, and start it where it does not run."""
        self.data_disk.heal()
        self.wal_disk.heal()
        self.start()

    def remove(self) -> None:
        """Stop it; nothing of it is worth a shutdown."""
        self.stop(signal.SIGQUIT)
        for pid in self.processes() - {os.getpid()}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.data_disk.remove()
        self.wal_disk.remove()
