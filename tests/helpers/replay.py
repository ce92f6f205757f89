"""A server that recovers from a base backup by any restore_command, behind walls: nothing else."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from restore_drill.servers import cleanup, isolation
from restore_drill.servers.cleanup import RunDirectory
from restore_drill.servers.launcher import small_environment
from tests.helpers.physical import Source

SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
hot_standby = off
fsync = off
shared_buffers = 32MB
dynamic_shared_memory_type = mmap
recovery_target_action = promote
restore_command = '{command}'
"""


@dataclass
class Replay:
    """The server of `source` that recovers in `run`; `seconds` is what it took."""

    source: Source
    run: RunDirectory
    process: subprocess.Popen[bytes]
    seconds: float = 0.0

    def log(self) -> str:
        """Its log."""
        return self.run.log.read_text(errors="replace") if self.run.log.exists() else ""

    def wait(self) -> bool:
        """Wait until it has recovered, or has ended; whether it has recovered."""
        began = time.monotonic()
        while time.monotonic() < began + 60:
            self.seconds = time.monotonic() - began
            if "ready to accept connections" in self.log():
                return True
            if self.process.poll() is not None:
                return False
            time.sleep(0.01)
        raise AssertionError(f"it neither recovers nor ends: {self.log()[-2000:]}")

    def events(self) -> list[str]:
        """What the recovered server has in `events`, of those that tests commit."""
        with psycopg.connect(
            host=str(self.run.path), port=5432, user="postgres", dbname="shop"
        ) as connection:
            query = "SELECT what FROM events WHERE what !~ '^e[0-9]+$' ORDER BY id"
            return [str(row[0]) for row in connection.execute(query)]

    def stop(self) -> None:
        """End it."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait(30)


@contextmanager
def run_directory(source: Source) -> Iterator[RunDirectory]:
    """A run directory that the server's account has."""
    run = cleanup.make_run_directory(Path("/tmp"))  # noqa: S108
    try:
        source.launcher.own(run.path)
        (run.path / cleanup.WAY).mkdir()
        yield run
    finally:
        run.remove()


@contextmanager
def replay(
    source: Source, run: RunDirectory, backup: Path, command: str, **more: Any
) -> Iterator[Replay]:
    """Start a recovery of `backup` by `command`, with `more` settings."""
    subprocess.run(["cp", "-a", str(backup), str(run.data)], check=True)
    for link in (run.data / "pg_tblspc").iterdir():
        subprocess.run(["cp", "-a", f"{backup}.ts1", str(run.path / "ts1")], check=True)
        link.unlink()
        link.symlink_to(run.path / "ts1")
    (run.data / "recovery.signal").touch()
    (run.data / "tablespace_map").unlink(missing_ok=True)
    config = run.path / "drill.conf"
    text = SETTINGS.format(folder=run.path, command=command.replace("'", "''"))
    config.write_text(text + "".join(f"{name} = '{value}'\n" for name, value in more.items()))
    source.launcher.own(config, run.data / "recovery.signal")
    program = [source.binaries.tool("postgres"), "-D", str(run.data), "-c", f"config_file={config}"]
    with subprocess.Popen(
        isolation.command(program, source.binaries, run, source.launcher),
        stdin=subprocess.PIPE,
        cwd=run.path,
        env=small_environment(source.binaries, str(run.path)),
    ) as process:
        found = Replay(source, run, process)
        try:
            yield found
        finally:
            found.stop()
            shutil.rmtree(run.data, ignore_errors=True)
