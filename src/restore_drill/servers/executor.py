"""The process of an embedded server: pytest-postgresql's executor behind a private Unix socket."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from packaging.version import Version
from psycopg.pq import PGconn, Ping
from pytest_postgresql.executors.proc import PostgreSQLExecutor

from restore_drill.servers import isolation, processes, untrusted
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.bounds import entering, let_go_first
from restore_drill.servers.cleanup import RunDirectory
from restore_drill.servers.cluster import keep_cluster, more_initdb_options
from restore_drill.servers.launcher import Launcher, small_environment
from restore_drill.servers.tuning import PORT, add_settings, safe_settings, server_settings

SUPERUSER = "postgres"


class ServerExecutor(PostgreSQLExecutor):
    """pytest-postgresql's executor, for a server that only its own socket leads to."""

    UNIX_PROC_START_COMMAND = "pg_ctl start"
    """Replaced by a list of arguments, in which no path is read twice."""

    def __init__(
        self,
        binaries: Binaries,
        run: RunDirectory,
        launcher: Launcher,
        prepared: Path,
        *,
        is_copy: bool = False,
        production_settings: bool = False,
    ) -> None:
        """Server of `binaries` in `run`, whose cluster `is_copy` of `prepared`, or made anew.

        With `production_settings` it keeps the defaults, but for those that make it safe.
        """
        super().__init__(
            executable=binaries.tool("pg_ctl"),
            host=str(run.path),
            port=PORT,
            datadir=str(run.data),
            unixsocketdir=str(run.path),
            logfile=str(run.log),
            startparams="-w",
            dbname=SUPERUSER,
            user=SUPERUSER,
            timeout=60,
            sleep=0.01,
        )
        self.binaries, self.run_directory, self.launcher = binaries, run, launcher
        self.prepared = prepared
        self.is_copy = is_copy
        self.settings_of = safe_settings if production_settings else server_settings
        self.command_parts = [*launcher.prefix, self.executable, "start", "-w", "--silent"]
        self.command_parts += ["-D", self.datadir, "-l", self.logfile]
        self._cwd = self.host
        self._stderr = subprocess.STDOUT
        self.last_output, self.is_closed = "", False
        self._additional_popen_kwargs = launcher.options
        self.is_isolated = not isolation.why_not()
        if self.is_isolated:
            self.isolate()

    def isolate(self) -> None:
        """Run the server itself, behind walls that end with us; they change the account too."""
        program = [self.binaries.tool("postgres"), "-D", self.datadir]
        self.plain_parts, self.command_parts = (
            self.command_parts,
            isolation.command(program, self.binaries, self.run_directory, self.launcher),
        )
        self._additional_popen_kwargs = {}

    def give_up_isolation(self, why: str) -> None:
        """Run the server as an ordinary process from now on, and others of this run too."""
        isolation.remember(why)
        self.is_isolated = False
        self.command_parts = self.plain_parts
        self._additional_popen_kwargs = self.launcher.options

    @property
    def version(self) -> Version:
        """Version of the server, known already."""
        return Version(self.binaries.version_text)

    @property
    def envvars(self) -> dict[str, str]:
        """Environment of the server's programs, without mirakuru's mark.

        It lets another run kill servers whose mark holds the digits of its own process id.
        """
        return small_environment(self.binaries, self.host)

    @property
    def _popen_kwargs(self) -> dict[str, Any]:
        """Arguments of Popen; where there are no walls to do so, we set the limits ourselves."""
        within = {}
        if not self.is_isolated:
            account = self.launcher.account or (os.geteuid(), 0)
            within["preexec_fn"] = entering(account[0])
        return super()._popen_kwargs | within

    def init_directory(self) -> None:
        """Make the data directory by initdb, unless a prepared one has been copied."""
        if self._directory_initialised:
            return
        data = self.run_directory.data
        if self.is_copy:
            self.launcher.own(data, *data.rglob("*"))
        else:
            super().init_directory()
            keep_cluster(data, self.prepared)
        add_settings(data, self.settings_of(self.run_directory.path))
        self._directory_initialised = True

    def _build_initdb_command(
        self, initdb_options: list[str], pgdata: str | None = None
    ) -> list[str]:
        """Add our options, and the way to run it."""
        options = [*initdb_options, *more_initdb_options(self.binaries)]
        return [*self.launcher.prefix, *super()._build_initdb_command(options, pgdata)]

    def _run_initdb(self, command: list[str]) -> None:
        """Run initdb in the server's environment; CalledProcessError with its output."""
        named = self.envvars | dict(self.launcher.naming)
        answer = self.launcher.run(command, cwd=Path(self.host), env=named)
        if answer.returncode != 0:
            raise subprocess.CalledProcessError(answer.returncode, command, answer.stdout)

    def pre_start_check(self) -> bool:
        """Nothing can run yet in a directory that was just made."""
        return False

    def check_subprocess(self) -> bool:
        """Keep what pg_ctl or the walls printed when they gave up, before that is thrown away."""
        if (output := self.output()) is not None and self.process and self.process.poll():
            self.last_output = output.read()
            self.is_closed = self.is_isolated and self.process.returncode == isolation.CLOSED
        return super().check_subprocess()

    def after_start_check(self) -> bool:
        """Whether the server accepts connections on its socket."""
        where = f"host='{self.host}' port={self.port} user={self.user} dbname={self.dbname}"
        return PGconn.ping(where.encode()) == Ping.OK

    def running(self) -> bool:
        """Whether the server's process lives."""
        if self.is_isolated and self.process is not None:
            return self.process.poll() is None
        return processes.find_server(Path(self.datadir)) is not None

    def start(self) -> Self:
        """Start the server and wait until it answers; pg_ctl, slower to see that, is let go."""
        super().start()
        if not self.is_isolated:
            self.release()
            if server := processes.find_server(Path(self.datadir)):
                let_go_first(server)
        return self

    def end(self) -> None:
        """End the server at once, from any thread; its files are left to `stop`."""
        if self.is_isolated and self.process is not None:
            self.process.kill()
        else:
            processes.stop_server(Path(self.datadir))

    def open_walls(self) -> None:
        """Let what stands behind walls end: all of it has, when their process has gone."""
        if self.is_isolated and self.process is not None and self.process.stdin is not None:
            with suppress(BrokenPipeError):
                self.process.stdin.close()
            processes.await_end(self.process.pid)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(processes.PATIENCE)
                # It names a process that only they had, and is not to be looked for.
                untrusted.unlink(self.run_directory.data / "postmaster.pid")

    def release(self) -> None:
        """End pg_ctl, should it still wait for the server."""
        if self.process is not None:
            self.process.kill()
            self._clear_process()

    def stop(self, sig: int | None = None, exp_sig: int | None = None) -> Self:
        """Stop at once: nothing of a throwaway server is worth a shutdown."""
        del sig, exp_sig
        self.open_walls()
        self.release()
        if not self.is_isolated:
            processes.stop_server(Path(self.datadir))
        return self
