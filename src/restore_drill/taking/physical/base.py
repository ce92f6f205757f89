"""pg_basebackup and pg_verifybackup: run to their ends, watched, and ended with us."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from restore_drill.backups.physical.by_manifest import options_for
from restore_drill.backups.physical.manifests import MANIFEST
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_lines import safe_lines
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.model import Target
from restore_drill.taking.physical.causes import remedy_of
from restore_drill.taking.physical.form import PLAIN, WALDUMP, PhysicalForm

STALLED = 3600.0
"""Seconds without any progress, such as a spread checkpoint may take, after which it is ended."""
PROGRESS = re.compile(r"^\s*(?P<done>\d+)/(?P<all>\d+) kB \((?P<percent>\d+)%\)")
TICK = 0.2
MOST_LINES = 5


def take_base(
    target: Target,
    form: PhysicalForm,
    to: Path,
    full: Path | None,
    progress: Callable[[str], None],
) -> list[str]:
    """Take a base backup of the server of `target` into the new folder `to`; its warnings.

    With a `full` backup it holds what has changed since. Nothing is synced yet. Raises CouldNotRun.
    """
    tools = target.binaries
    command = [
        tools.tool("pg_basebackup"), f"--pgdata={to}", "--wal-method=stream", "--no-password",
        "--manifest-checksums=SHA256", "--progress", "--no-sync",
        f"--label=restore-drill {to.name}", *form.options(tools),
    ]  # fmt: skip
    if full:
        command.append(f"--incremental={full / MANIFEST}")
    with running(command, target.tool_environment) as process:
        lines = watched(process, progress)
    said = safe_lines(lines)
    if process.returncode:
        checked = said[-MOST_LINES:] or [f"it ended with exit code {process.returncode}"]
        raise CouldNotRun(
            f"no backup was taken: pg_basebackup failed on {target.description}",
            checked=checked,
            remedy=remedy_of(checked),
        )
    return said


@contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The program of `command`, and what it starts, ended where this is left."""
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[str]) -> None:
    """End a program with what it has started, unless it has ended well."""
    if process.poll() != 0:  # one that was killed leaves who receives the WAL
        for each in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, each)
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
                break
    if process.stderr:
        process.stderr.close()


def watched(process: subprocess.Popen[str], progress: Callable[[str], None]) -> list[str]:
    """What a program says until it ends, but for its progress, which is shown; CouldNotRun."""
    assert process.stderr is not None
    heard: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    thread = threading.Thread(target=listen, args=(process.stderr, heard), daemon=True)
    thread.start()
    lines: list[str] = []
    last, at = time.monotonic(), ""
    while True:
        try:
            line = heard.get(timeout=TICK)
        except queue.Empty:
            if process.poll() is not None:  # what it has started may hold the pipe
                return lines
            if time.monotonic() - last > STALLED:
                raise CouldNotRun(
                    f"no backup was taken: nothing has come for {STALLED / 60:.0f} minutes",
                    checked=lines[-MOST_LINES:],
                    remedy=remedy_for("pg_dump", "no_connection"),
                ) from None
            continue
        if line is None:
            process.wait()
            return lines
        if found := PROGRESS.match(line):
            last = last if at == found["done"] else time.monotonic()
            at = found["done"]
            progress(f"pg_basebackup: {int(at) // 1024:,} MB, {found['percent']} %")
        else:
            lines.append(line.rstrip())


def listen(stream: Iterator[str], heard: queue.SimpleQueue[str | None]) -> None:
    """Hand over the lines of `stream`, and None at its end."""
    with suppress(ValueError):  # it was closed
        for line in stream:
            heard.put(line)
    heard.put(None)


def verifying(tools: Binaries, backup: Path, form: PhysicalForm, server: int) -> list[str]:
    """The command that holds `backup`, of a server of that major, to its own manifest."""
    without = options_for(tools, server)
    if form.name != PLAIN or tools.major != server or not (tools.bin_dir / WALDUMP).is_file():
        without.append("--no-parse-wal")
    return [tools.tool("pg_verifybackup"), "--quiet", "--exit-on-error", *without, str(backup)]


def refuse_unverified(process: subprocess.Popen[str]) -> None:
    """Wait for the pg_verifybackup that runs; CouldNotRun where the backup is not what it says."""
    _, errors = process.communicate()
    if process.returncode:
        raise CouldNotRun(
            "no backup was taken: what was written is not what the server sent",
            checked=safe_lines(errors.splitlines())[-MOST_LINES:],
            remedy=remedy_for("physical_backup", "unverified"),
        )
