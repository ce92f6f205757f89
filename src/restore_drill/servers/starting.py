"""How an embedded server starts: in its run directory, behind walls or without, or why not."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from mirakuru.exceptions import ExecutorError

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.servers import cleanup, untrusted
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.cleanup import RunDirectory
from restore_drill.servers.cluster import copying, is_whole_copy, prepared_cluster
from restore_drill.servers.executor import ServerExecutor
from restore_drill.servers.launcher import Launcher
from restore_drill.servers.tuning import fewer_buffers

START_ERRORS = (
    ("No space left on device", "no space left on disk", "disk"),
    ("Cannot allocate memory", "not enough memory", "memory"),
)
"""What the server says when it does not start, what it means, and the cause of its remedy."""


def start_in(
    run: RunDirectory,
    binaries: Binaries,
    launcher: Launcher,
    *,
    room: int | None,
    production_settings: bool,
) -> ServerExecutor:
    """Start the server in `run` for `room` bytes of SQL; where that fails, nothing is left."""
    try:
        launcher.own(run.path)
        (run.path / cleanup.WAY).mkdir(mode=0o700)
        prepared = prepared_cluster(binaries)
        with copying(prepared, to=run.data) as copy:
            build = reachable(binaries, run, launcher)
        executor = ServerExecutor(
            build,
            run,
            launcher,
            prepared,
            is_copy=is_whole_copy(copy, prepared, run.data),
            production_settings=production_settings,
        )
        if room is not None and not production_settings:
            usual, fewer = executor.settings_of, fewer_buffers(room)
            executor.settings_of = lambda run: usual(run) | fewer
        start(executor)
    except BaseException:
        run.remove()
        raise
    return executor


def reachable(binaries: Binaries, run: RunDirectory, launcher: Launcher) -> Binaries:
    """`binaries` themselves, or a copy in `run` where the server's account cannot get at them."""
    prefix = binaries.bin_dir.parent
    if launcher.can_enter(Path(binaries.tool("postgres"))):
        return binaries
    home = run.path / cleanup.BUILD / prefix.parent.name
    own = home / prefix.name
    own.mkdir(parents=True)
    parts = [part for part in prefix.iterdir() if part.name != "include"]
    with copying(*parts, to=own) as copy:
        pass
    if copy.returncode:  # this one raises why
        headers = shutil.ignore_patterns("include")
        shutil.copytree(prefix, own, symlinks=True, ignore=headers, dirs_exist_ok=True)
    # A wheel keeps the libraries that its build was given beside its package.
    libraries = prefix.parent.with_name(f"{prefix.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home.with_name(libraries.name))
    launcher.own(home.parent, *home.parent.rglob("*"))
    return replace(binaries, bin_dir=own / "bin")


def start(executor: ServerExecutor) -> None:
    """Start the server; where it does not start, without walls, or with a fresh cluster."""
    try:
        executor.start()
    except (ExecutorError, OSError, subprocess.SubprocessError) as error:
        executor.stop()
        if executor.is_closed:
            executor.give_up_isolation(executor.last_output.strip())
        elif executor.is_copy:
            shutil.rmtree(executor.prepared, ignore_errors=True)
            executor.clean_directory()
            executor.is_copy = False
        elif executor.is_isolated:
            executor.give_up_isolation(last_line(executor, error) or "it does not start inside")
        else:
            raise could_not_start(executor, error) from None
        start(executor)


def last_line(executor: ServerExecutor, error: Exception) -> str:
    """The last output of the server."""
    return (words_of(executor, error).strip().splitlines() or [""])[-1]


def words_of(executor: ServerExecutor, error: Exception) -> str:
    """The server's log, else what was printed."""
    log = executor.run_directory.log
    with suppress(OSError):
        return untrusted.read_text(log)
    return getattr(error, "output", None) or executor.last_output or str(error)


def could_not_start(executor: ServerExecutor, error: Exception) -> CouldNotRun:
    """The error for a server that did not start: the end of its log, else its output; a fix."""
    text = words_of(executor, error)
    lines = [line for line in text.splitlines() if line.strip()][-8:]
    what, cause = "did not start", "unknown"
    for words, meaning, its_cause in START_ERRORS:
        if words in text:
            what, cause = f"did not start: {meaning}", its_cause
    remedy = remedy_for("server_start", cause)
    return CouldNotRun(f"{executor.binaries.name} {what}", checked=lines, remedy=remedy)
