"""`restore-drill backup`: take DATABASE_URL or its whole server, with a manifest of it."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from restore_drill.config.settings import settings_here
from restore_drill.core.errors import EXIT_COULD_NOT_RUN, EXIT_INTERRUPTED, CouldNotRun, UsageError
from restore_drill.core.interrupt import again_when_lost, take_over
from restore_drill.core.printable import printable
from restore_drill.core.redact import Redactor
from restore_drill.manifest.dump import FORMATS, Form, form_of
from restore_drill.taking.destination import destination_from
from restore_drill.taking.physical.form import TAR, PhysicalForm, physical_form
from restore_drill.taking.physical.work import PhysicalWork
from restore_drill.taking.retention import rules_of
from restore_drill.taking.words import ProgressLine
from restore_drill.taking.work import Work


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "--format",
        choices=(*FORMATS, TAR),
        help="[default: custom; with --physical: tar, the other is plain]",
    )
    parser.add_argument("--compress", metavar="METHOD[:LEVEL]", help="gzip:6, zstd:3, lz4 or none")
    parser.add_argument(
        "--jobs", metavar="N", help="connections [default: the cores; env: DRILL_JOBS]"
    )
    parser.add_argument(
        "--to",
        "--output-dir",
        dest="to",
        metavar="PLACE",
        help="a folder, or one of a bucket: s3://, az://, gs:// [default: $BACKUP_PATH/db, or"
        " $BACKUP_PATH]",
    )
    parser.add_argument(
        "--name",
        metavar="TEMPLATE",
        help="name without suffix; may use {time} (UTC) and {database} [default: {database}_{time},"
        " or backup_{time} if the folder has backups named so]",
    )
    parser.add_argument(
        "--with-roles",
        action="store_true",
        help="write the server's roles beside it, too, without their passwords",
    )
    add_redis_arguments(parser)
    add_place_arguments(parser)
    add_physical_arguments(parser)


def add_redis_arguments(parser: argparse.ArgumentParser) -> None:
    """Options on Redis."""
    parser.add_argument(
        "--with-redis",
        action="store_true",
        help="take the data of REDIS_URL too, into the folder redis/ beside it, before the dump",
    )
    parser.add_argument(
        "--redis-bgsave",
        nargs="?",
        const="",
        metavar="FILE",
        help="with --with-redis, where the user of REDIS_URL may not replicate: have the server"
        " save its file (BGSAVE) on this machine, and take that [default: as CONFIG GET says]",
    )


def add_place_arguments(parser: argparse.ArgumentParser) -> None:
    """Options on who may read what is written, and how long it is kept."""
    parser.add_argument(
        "--encrypt-to",
        action="append",
        default=[],
        metavar="RECIPIENT",
        help="encrypt to an age or ssh public key, a file of them or of a GnuPG public key, or the"
        " fingerprint of a key in GnuPG's keyring; may be repeated",
    )
    parser.add_argument(
        "--keep",
        metavar="RULES",
        help=(
            "delete old dumps made by this command there, except the newest of each of the "
            "last 7 days, 4 weeks, 12 months: 7d,4w,12m; never the newest that a drill has proved"
        ),
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="take and delete nothing; list what would be deleted"
    )


def add_physical_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of physical backups."""
    group = parser.add_argument_group("physical backups")
    group.add_argument(
        "--physical",
        action="store_true",
        help="take the whole server by pg_basebackup, with its WAL up to a point at which a drill"
        " can be held to what DATABASE_URL was",
    )
    group.add_argument(
        "--incremental",
        action="store_true",
        help="what has changed since the newest full backup there (PostgreSQL 17, summarize_wal)",
    )
    group.add_argument(
        "--checkpoint",
        choices=("fast", "spread"),
        help="begin at once, or spare the server [default: spread]",
    )
    group.add_argument("--max-rate", metavar="RATE", help="so much a second at most: 50M or 800k")
    group.add_argument(
        "--no-facts",
        action="store_true",
        help="read no row: a drill has nothing of the source to be held to",
    )


def run(parsed: argparse.Namespace, root: Path) -> int:
    """Take the backup that the arguments ask for; the exit code: 0, 2 interrupted, 4 or 6."""
    if parsed.redis_bgsave is not None and not parsed.with_redis:
        raise UsageError("--redis-bgsave needs --with-redis")
    form = physical_form(parsed) if parsed.physical else form_from(parsed)
    rules = rules_of(parsed.keep) if parsed.keep is not None else ()
    settings = settings_here({"jobs": parsed.jobs}, root)
    redact = Redactor(settings.database_url)
    line = ProgressLine()

    def note(text: str) -> None:
        line.clear()
        sys.stdout.write(printable(redact(text)) + "\n")

    def end(text: str, code: int) -> int:
        line.clear()
        sys.stderr.write(redact(f"{text}\n"))
        return code

    try:
        place = destination_from(parsed.to, settings)
    except CouldNotRun as error:
        return end(str(error), EXIT_COULD_NOT_RUN)
    work: Work | PhysicalWork
    if isinstance(form, PhysicalForm):
        work = PhysicalWork(parsed, form, rules, settings, place, note, line)
    else:
        work = Work(parsed, form, rules, settings, place, note, line)
    try:
        with interruptible():
            work.do()
    except CouldNotRun as error:
        said = f"\n{work.outcome()}" if work.taken or place.left else ""
        return end(f"{error}{said}", EXIT_COULD_NOT_RUN)
    except KeyboardInterrupt as reason:
        return end(f"{str(reason) or 'interrupted'}: {work.outcome()}", EXIT_INTERRUPTED)
    return 0


def form_from(parsed: argparse.Namespace) -> Form:
    """Format and compression as asked for; UsageError where a dump has none of that."""
    for name in ("incremental", "checkpoint", "max_rate", "no_facts"):
        if getattr(parsed, name):
            raise UsageError(f"--{name.replace('_', '-')} needs --physical")
    if parsed.format == TAR:
        raise UsageError("--format tar needs --physical: a dump is custom, plain or directory")
    try:
        return form_of(parsed.format or "custom", parsed.compress)
    except ValueError as error:
        raise UsageError(f"--compress {error}") from None


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end what runs inside as Ctrl-C does."""
    before, no_more = take_over(), again_when_lost()
    try:
        yield
    finally:
        no_more()
        for each, handler in before.items():
            signal.signal(each, handler)
