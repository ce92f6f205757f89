"""`restore-drill backup`: dump DATABASE_URL, with a manifest of what it was."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from restore_drill.config.options import usage_error
from restore_drill.config.remote import state_folder_of
from restore_drill.config.settings import Settings, settings_here
from restore_drill.core.calling import DRILL
from restore_drill.core.errors import EXIT_COULD_NOT_RUN, EXIT_INTERRUPTED, CouldNotRun, UsageError
from restore_drill.core.interrupt import take_over
from restore_drill.core.printable import printable
from restore_drill.core.redact import Redactor
from restore_drill.core.units import show_bytes, show_count, show_duration, show_time
from restore_drill.manifest.backup import Taken, take_backup
from restore_drill.manifest.dump import FORMATS, Form, form_of
from restore_drill.manifest.file import SUFFIX
from restore_drill.manifest.naming import namer, template_in
from restore_drill.manifest.source import source_of

LOG_INTERVAL = 5.0
"""Seconds between two progress lines in a log."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--format", choices=FORMATS, default="custom", help="[default: custom]")
    parser.add_argument("--compress", metavar="METHOD[:LEVEL]", help="gzip:6, zstd:3, lz4 or none")
    parser.add_argument(
        "--jobs", metavar="N", help="connections [default: the cores; env: DRILL_JOBS]"
    )
    parser.add_argument(
        "--output-dir", type=Path, metavar="DIR", help="[default: $BACKUP_PATH/db, or $BACKUP_PATH]"
    )
    parser.add_argument(
        "--name",
        metavar="TEMPLATE",
        help="name without suffix; may use {time} (UTC) and {database} [default: {database}_{time},"
        " or backup_{time} if the folder has backups named so]",
    )


def run(parsed: argparse.Namespace, root: Path) -> int:
    """Take the backup that the arguments ask for; the exit code: 0, 2 interrupted, 4 or 6."""
    form = form_from(parsed)
    settings = settings_here({"jobs": parsed.jobs}, root)
    redact = Redactor(settings.database_url)
    line = ProgressLine()

    def note(text: str) -> None:
        line.clear()
        sys.stdout.write(printable(redact(text)) + "\n")

    started = time.monotonic()
    folder = folder_from(parsed, settings)
    try:
        with interruptible():
            target = source_of(settings, form, note)
            if warning := why_unreadable(form.name, target.binaries.major, target.major):
                note(warning)
            database = target.conninfo["dbname"]
            template = template_in(folder, database) if parsed.name is None else parsed.name
            taken = take_backup(
                target,
                form,
                folder=folder,
                name=namer(template, database, form.suffix),
                jobs=settings.jobs,
                progress=line.show,
            )
    except CouldNotRun as error:
        line.clear()
        sys.stderr.write(redact(f"{error}\n"))
        return EXIT_COULD_NOT_RUN
    except KeyboardInterrupt as reason:
        line.clear()
        sys.stderr.write(f"{str(reason) or 'interrupted'}: no backup was left in {folder}\n")
        return EXIT_INTERRUPTED
    report(taken, time.monotonic() - started, note)
    return 0


def form_from(parsed: argparse.Namespace) -> Form:
    """Format and compression as asked for; UsageError where there is no such compression."""
    try:
        return form_of(parsed.format, parsed.compress)
    except ValueError as error:
        raise UsageError(f"--compress {error}") from None


def why_unreadable(form: str, tool: int, server: int) -> str:
    """That pg_restore of the server's own version cannot read what a newer pg_dump writes."""
    if form == "plain" or tool <= server:
        return ""
    return (
        f"pg_dump {tool} writes this backup of PostgreSQL {server}, whose own pg_restore may "
        f"not be able to read it: restore with pg_restore {tool}, or use --compress gzip:6"
    )


def folder_from(parsed: argparse.Namespace, settings: Settings) -> Path:
    """Where the backup goes; UsageError where nothing says so."""
    if parsed.output_dir is not None:
        folder: Path = Path.cwd() / parsed.output_dir.expanduser()
        return folder
    if settings.backup_path is None:
        raise usage_error("backup_path", "is unset", "set it, or give --output-dir")
    if state_folder_of(settings.backup_path):
        what = "is a place of another machine, where the drill writes nothing"
        raise usage_error(
            "backup_path", what, "give --output-dir, and upload what is written there"
        )
    inner = settings.backup_path / "db"
    return inner if inner.is_dir() else settings.backup_path


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end what runs inside as Ctrl-C does."""
    before = take_over()
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def report(taken: Taken, seconds: float, note: Callable[[str], None]) -> None:
    """Report what was taken."""
    manifest, fingerprint = taken.manifest, taken.manifest.fingerprint
    for line in taken.warnings:
        note(f"pg_dump: {line.removeprefix('pg_dump: ')}")
    note(f"backup: {taken.path}")
    note(f"  {manifest.format}, {show_bytes(manifest.size)}, SHA-256 {manifest.sha256}")
    note(f"  {show_time(manifest.taken_at)}, by pg_dump {manifest.pg_dump} from {manifest.server}")
    parts = [
        show_count(len(fingerprint.tables), "table"),
        show_count(fingerprint.rows, "row"),
        show_count(len(fingerprint.sequences), "sequence"),
        show_count(fingerprint.large_objects.count, "large object"),
    ]
    note(f"manifest: {taken.path.name}{SUFFIX}: {', '.join(parts)}")
    for what, why in fingerprint.left_out:
        note(f"  without fingerprint: {what} ({why})")
    note(f"done in {show_duration(seconds)}; drill it: {DRILL} --backup {taken.path}")


class ProgressLine:
    """One line on a terminal that is rewritten, or a line now and then in a log."""

    def __init__(self) -> None:
        """Write to standard error."""
        self.is_terminal = sys.stderr.isatty()
        self.last = time.monotonic()
        self.is_shown = False

    def show(self, text: str) -> None:
        """Show what is going on."""
        if self.is_terminal:
            sys.stderr.write(f"\r\x1b[K  {printable(text)[:78]}")
            sys.stderr.flush()
            self.is_shown = True
        elif time.monotonic() - self.last >= LOG_INTERVAL:
            self.last = time.monotonic()
            sys.stderr.write(f"  {printable(text)}\n")

    def clear(self) -> None:
        """Take the line of a terminal away."""
        if self.is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self.is_shown = False
