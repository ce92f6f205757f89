"""The SQL of a backup as a stream: a plain dump's own, or what pg_restore makes of an archive."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from restore_drill.backups.archive import Header, header_of
from restore_drill.backups.converted import Converted
from restore_drill.backups.members import Unread, convert
from restore_drill.backups.model import Backup, Contents
from restore_drill.backups.plain import explain
from restore_drill.backups.streams import Counted, open_plain
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import progress_line
from restore_drill.restore.archive import restoring_tools
from restore_drill.restore.model import Restoration
from restore_drill.servers.model import Target


def begin(target: Target, backup: Backup, way: str) -> Restoration:
    """Outcome, still empty, of restoring the SQL of `backup` in this `way`."""
    of = " of `pg_restore --file=-`" if backup.is_archive else ""
    return Restoration(target, way=way, of=of)


def followed(stream: IO[bytes], contents: Contents, progress: Callable[[str], None]) -> Counted:
    """`stream`, which reports to `progress` how much of `contents` has been restored from it."""
    started = time.monotonic()

    def report(read: int) -> None:
        seconds = time.monotonic() - started
        progress(progress_line("restoring", read, contents.read_bytes, seconds))

    return Counted(stream, report)


def kept_sql(target: Target, backup: Backup, contents: Contents) -> Converted | None:
    """SQL of a backup that was kept when it was read; None where `target` wants another."""
    kept = contents.converted
    if kept is None or kept.version is None:
        return None
    if not backup.is_archive:
        return kept
    header = header_of(backup.restorable, backup.format)
    is_the_one = not options_for(target, header)
    return kept if is_the_one and restoring_tools(target, header).version == kept.version else None


def options_for(target: Target, header: Header) -> list[str]:
    """Options of pg_restore: what a database has outside itself comes along for a new one."""
    return ["--create"] if target.is_absent and header.head.database else []


@contextmanager
def open_sql(target: Target, backup: Backup, contents: Contents) -> Iterator[IO[bytes]]:
    """SQL of `backup` for `target`; CouldNotRun where pg_restore does not read it to its end."""
    if kept := kept_sql(target, backup, contents):
        with kept.opened() as stream:
            yield stream
        return
    if not backup.is_archive:
        with open_plain(backup.path, backup.compression) as stream:
            yield stream
        return
    header = header_of(backup.restorable, backup.format)
    tools = restoring_tools(target, header)
    options = options_for(target, header)
    fault = ""
    try:
        with convert(
            header, backup.restorable, *options, tools=tools, apart=contents.is_apart
        ) as run:
            yield run.output
            is_left_early = bool(run.output.read(1))  # after too many errors, or where it was cut
        fault = "" if is_left_early else run.fault
    except Unread as error:
        fault = explain(error.__cause__ or error)
    if fault:
        raise CouldNotRun(
            f"{backup.name} could be read a moment ago, but no longer can",
            checked=[fault],
            remedy=remedy_for("restore", "backup_changed"),
        )
