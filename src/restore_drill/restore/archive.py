"""Restores an archive with pg_restore, in parallel where its format allows."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

from psycopg.conninfo import make_conninfo

from restore_drill.backups.archive import Header, header_of, reading_tools, reads
from restore_drill.backups.model import Backup
from restore_drill.backups.plaindump.codec import codec_of
from restore_drill.core.deadline import at_work
from restore_drill.core.server_error import UNKNOWN, ServerError
from restore_drill.core.server_lines import CONNECTION, SERVER, error_in_line, safe_lines
from restore_drill.core.units import show_count, show_duration
from restore_drill.restore.errors import add_error
from restore_drill.restore.model import Restoration
from restore_drill.restore.readers import BY_READING
from restore_drill.servers.anew import empty
from restore_drill.servers.binaries import Binaries
from restore_drill.servers.model import Target

DONE = re.compile(r"pg_restore: (?:finished item|processing data|creating|executing)")
DEADLOCK = "40P01"
COMMAND = "Command was: "
CHATTER = re.compile(
    r"pg_restore: (?:launching|entering|worker|finished|connecting|skipping|implied)"
)


def restoring_tools(target: Target, header: Header) -> Binaries:
    """The server's own pg_restore where it can read the archive, else one that can."""
    return target.binaries if reads(target.binaries, header) else reading_tools(header)


def restore_archive(
    target: Target, backup: Backup, entries: int, jobs: int, progress: Callable[[str], None]
) -> Restoration:
    """Restore the archive `backup`, of `entries` entries, into the empty database of `target`."""
    tools = restoring_tools(target, header_of(backup.restorable, backup.format))
    parallel = jobs if backup.format != "tar" else 1
    started = time.monotonic()
    code, lines = run_pg_restore(tools, target, backup, entries, parallel, progress)
    way = f"pg_restore {tools.version_text}, {parallel} jobs"
    trouble = trouble_of_jobs(lines) if parallel > 1 and target.throwaway else ""
    if trouble:
        empty(target)
        code, lines = run_pg_restore(tools, target, backup, entries, 1, progress)
        way += f" met {trouble}; all of it was then restored anew, over one connection"
    restoration = Restoration(target, way=way)
    for entry, statement, error in errors_in(lines):
        add_error(restoration, where=f"entry {entry}", statement=statement, error=error)
    if code and not restoration.errors and not restoration.harmless:
        text = "; ".join(safe_lines(lines[-3:])) or f"exit code {code}"
        error = ServerError(UNKNOWN, text)
        add_error(restoration, where="pg_restore", statement="", error=error)
    restoration.seconds = time.monotonic() - started
    return restoration


def trouble_of_jobs(lines: list[str]) -> str:
    """How many errors may have come of there being several connections, and where the first is.

    Empty without any.
    """
    errors = [(entry, error) for entry, _, error in errors_in(lines)]
    # Two of its own connections: parts of a partitioned index, seen now and then with 15.20.
    deadlocks = [entry for entry, error in errors if error.sqlstate == DEADLOCK]
    # A check or an index may call a function that reads a table which was not loaded yet.
    reading = [entry for entry, error in errors if error.group in BY_READING]
    for what, entries in (("deadlock", deadlocks), ("error", reading)):
        if entries:
            first = ", the first" if len(entries) > 1 else ""
            return f"{show_count(len(entries), what)}{first} in {entries[0]}"
    return ""


def run_pg_restore(
    tools: Binaries,
    target: Target,
    backup: Backup,
    entries: int,
    jobs: int,
    progress: Callable[[str], None],
) -> tuple[int, list[str]]:
    """Run pg_restore over `jobs` connections: its exit code, and its lines but mere progress."""
    command = [
        tools.tool("pg_restore"),
        "--verbose",
        "--no-password",
        f"--jobs={jobs}",
        "--dbname=" + make_conninfo("", dbname=target.conninfo["dbname"]),
        str(backup.restorable),
    ]
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        env=replace(target, without_event_triggers=False).tool_environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding=codec_of(backup.head.encoding),
        errors="replace",
        process_group=0,  # Ctrl-C is for us to act on: it must not end a rollback
    )
    with process, at_work(lambda: "pg_restore"):
        try:
            lines = follow(process, entries, started, progress)
        except BaseException:
            # Its workers, which load and build, are in its group: alone they would go on.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, lines


def follow(
    process: subprocess.Popen[str], entries: int, started: float, progress: Callable[[str], None]
) -> list[str]:
    """Lines but those of mere progress, which is reported meanwhile."""
    kept: list[str] = []
    done = 0
    assert process.stderr is not None
    for line in process.stderr:
        if DONE.match(line):
            done += 1
            spent = show_duration(time.monotonic() - started)
            progress(f"restoring: {min(done, entries)} of {entries} entries, {spent}")
        elif not CHATTER.match(line):
            kept.append(line.rstrip("\n"))
    return kept


def errors_in(lines: list[str]) -> Iterator[tuple[str, str, ServerError]]:
    """Entry, statement and error of each line of pg_restore that reports one.

    DETAIL and CONTEXT hold row data and are left out.
    """
    entry = "table of contents"
    for number, line in enumerate(lines):
        at = re.search(r"from TOC entry \d+; \d+ \d+ (.*)", line)
        if at:
            entry = at.group(1).strip()
        if line.startswith("pg_restore: error:"):
            found = SERVER.match(line)
            error = error_in_line(found[1]) if found else own_error(line)
            yield entry, command_after(lines, number), error


def own_error(line: str) -> ServerError:
    """Error of pg_restore itself, or of its connection."""
    text = line.removeprefix("pg_restore: error: ")
    return ServerError("" if CONNECTION.search(text) else UNKNOWN, text)


def command_after(lines: list[str], number: int) -> str:
    """Statement that pg_restore names behind the error at line `number`, all of its lines."""
    statement: list[str] = []
    for line in lines[number + 1 :]:
        if line.startswith("pg_restore: "):
            break
        if statement or line.startswith(COMMAND):
            statement.append(line.removeprefix(COMMAND))
    return "\n".join(statement).strip() or "COPY of its rows"
