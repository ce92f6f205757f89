"""A backup and its manifest, of one snapshot: pg_dump and the fingerprints side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from subprocess import Popen

import psycopg

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.facts.entries import schema_dump
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.session import Connection
from restore_drill.facts.snapshot import SnapshotReading
from restore_drill.manifest.description import Moment
from restore_drill.manifest.dump import Form, dumping, of_snapshot
from restore_drill.manifest.dump_causes import dump_remedy
from restore_drill.manifest.settle import IN_UTF8, noted, statements_of
from restore_drill.manifest.source import refuse_row_security
from restore_drill.servers.model import Target

Progress = Callable[[str], None]


@contextmanager
def in_words(target: Target, place: str) -> Iterator[None]:
    """What goes wrong inside with `target`, or with a disk on the way to `place`: CouldNotRun."""
    try:
        yield
    except psycopg.Error as error:
        raise CouldNotRun(
            f"no backup was taken: {target.description} cannot be read",
            checked=[error_text(error)],
            remedy=dump_remedy([error_text(error)]),
        ) from None
    except OSError as error:
        raise CouldNotRun(
            f"no backup can be written to {place}: {error.strerror or error}",
            remedy=remedy_for("backup", "not_written"),
        ) from None


def moment_of(holder: Connection, target: Target) -> Moment:
    """The moment that is now, as `holder` sees all of `target`; CouldNotRun where it does not."""
    refuse_row_security(holder, target)
    row = holder.execute("SELECT pg_export_snapshot()").fetchone()
    taken_at = datetime.now(UTC).replace(microsecond=0)
    server = holder.info.parameter_status("server_version") or ""
    return Moment(str(row[0] if row else ""), taken_at, server, system_of(holder))


def refuse_unread(fingerprint: Fingerprint) -> None:
    """CouldNotRun where a part of the source could not be read."""
    if fingerprint.unread:
        raise CouldNotRun(
            "no backup was taken: the source cannot be read completely",
            checked=fingerprint.unread[:5],
            remedy=remedy_for("backup", "unread"),
        )


def dump_and_read(
    target: Target, form: Form, path: Path, *, snapshot: str, jobs: int, progress: Progress
) -> tuple[Fingerprint, list[str]]:
    """Fingerprint of `target` as of `snapshot`, and pg_dump's warnings; the dump goes to `path`."""
    with (
        SnapshotReading(target, jobs, snapshot) as reading,
        dumping(target, form, path, snapshot=snapshot, jobs=jobs) as dump,
        schema_dump(target, IN_UTF8, *of_snapshot(snapshot)) as schema,
    ):
        return read_beside(
            target, reading, schema,
            dumped=lambda: dump.finish(target.description), stop=dump.stop,
            progress=lambda text: progress(f"{dump.progress()}; {text}"),
        )  # fmt: skip


def read_beside(
    target: Target,
    reading: SnapshotReading,
    schema: Popen[bytes],
    *,
    dumped: Callable[[], list[str]],
    stop: Callable[[], None],
    progress: Progress,
) -> tuple[Fingerprint, list[str]]:
    """What `reading` and the pg_dump of the `schema` give, while a dump goes on.

    `dumped` waits for its end, and gives its warnings; `stop` ends it where the reading fails.
    """
    warnings = reading.plan.add_aside(dumped, stop)
    written = reading.plan.add_aside(lambda: statements_of(schema), schema.kill)
    found = reading.read(progress)
    found = reading.moved(noted(found, *written.result(), major=target.binaries.major))
    return found, warnings.result()


def system_of(connection: Connection) -> str:
    """Identifier of the cluster of `connection`; empty where the role may not know it."""
    try:
        with connection.transaction():
            row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    except psycopg.Error:
        if connection.broken:
            raise
        return ""
    return str(row[0]) if row else ""
