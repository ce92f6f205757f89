"""A backup on its way to where it is kept: pg_dump, encrypted, in flat memory, on no disk here.

pg_dump's output goes there in the main thread, where an interrupt ends the writing in order, while
a second one reads the fingerprints. The stream does not end before these are there: what is not to
be a backup is never seen as one.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.units import show_bytes
from restore_drill.facts.entries import schema_dump
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.session import Connection, open_session
from restore_drill.facts.snapshot import SnapshotReading
from restore_drill.manifest.backup import in_words, moment_of, read_beside, refuse_unread
from restore_drill.manifest.description import Moment, beside, manifest_of_files
from restore_drill.manifest.dump import Dump, Form, dumping, of_snapshot
from restore_drill.manifest.redis import RedisBefore
from restore_drill.manifest.settle import IN_UTF8
from restore_drill.places.waiting import result_of, settle
from restore_drill.servers.model import Target
from restore_drill.taking.destination import Destination
from restore_drill.taking.files import Taken
from restore_drill.taking.recipients import Seal
from restore_drill.taking.roles import role_file

Progress = Callable[[str], None]
Read = tuple[Fingerprint, list[str]]
"""The fingerprint of the source, and pg_dump's warnings."""
PIECE = 1 << 20


@dataclass
class Passed:
    """What has gone by: its bytes and digest; at the end what was `read` beside it."""

    size: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    read: Read | None = None

    def pieces(self, stream: IO[bytes]) -> Iterator[bytes]:
        """All of `stream`."""
        while piece := stream.read(PIECE):
            self.digest.update(piece)
            self.size += len(piece)
            yield piece


def take_streamed(
    target: Target,
    form: Form,
    place: Destination,
    seal: Seal | None,
    *,
    name: Callable[[datetime], str],
    jobs: int,
    with_roles: bool,
    progress: Progress,
    redis: RedisBefore | None = None,
) -> Taken:
    """Dump `target` to `place` as `take_backup` does, encrypted by `seal`.

    The data come first, then the roles, the `.sha256` and the manifest. Nothing is left where it
    fails or is interrupted. Raises CouldNotRun.
    """
    with in_words(target, place.shown), closing(open_session(target, snapshot="")) as holder:
        moment = moment_of(holder, target)
        file = name(moment.taken_at) + (seal.suffix if seal else "")
        with place.writing(file, expected(form, holder)) as add:
            roles = role_file(file, target, seal) if with_roles else ("", b"")
            passed = Passed()
            with streaming(target, form, moment, passed, seal, jobs, progress) as pieces:
                add(file, pieces)
            assert passed.read is not None
            fingerprint, warnings = passed.read
            sha256 = passed.digest.hexdigest()
            manifest = manifest_of_files(
                target, file, {file: (passed.size, sha256)}, fingerprint,
                form=form.text + (f", {seal.scheme}" if seal else ""),
                moment=moment, sha256=sha256, roles=roles[0], redis=redis,
            )  # fmt: skip
            if with_roles:
                add(roles[0], [roles[1]])
            for each, content in beside(manifest).items():
                add(each, [content.encode("utf-8", "surrogateescape")])
    return Taken(place.shown.rstrip("/") + f"/{file}", manifest, warnings)


def expected(form: Form, holder: Connection) -> int:
    """Half of the bytes that a dump has at most: parts are made for twice what is expected.

    Compressed it is no larger than the database, in whose files large values are compressed too; as
    plain SQL it may have four times as many bytes.
    """
    row = holder.execute("SELECT pg_database_size(current_database())").fetchone()
    size = int(row[0]) if row else 0
    is_compressed = form.method != "none" and (form.name == "custom" or form.method)
    return size // 2 if is_compressed else 2 * size


@contextmanager
def streaming(
    target: Target,
    form: Form,
    moment: Moment,
    passed: Passed,
    seal: Seal | None,
    jobs: int,
    progress: Progress,
) -> Iterator[Iterator[bytes]]:
    """The bytes of the backup, while what is read beside them is read; all ends with the context.

    They end once both are whole, and raise what keeps them from it.
    """
    dumped: Future[list[str]] = Future()
    found: Future[Read] = Future()
    with (
        SnapshotReading(target, jobs, moment.snapshot) as reading,
        dumping(target, form, None, snapshot=moment.snapshot, jobs=jobs) as dump,
        schema_dump(target, IN_UTF8, *of_snapshot(moment.snapshot)) as schema,
    ):

        def stop() -> None:
            dump.stop()
            fail(dumped, CouldNotRun("the dump was stopped"))

        def read() -> Read:
            return read_beside(
                target, reading, schema, dumped=dumped.result, stop=stop,
                progress=lambda text: progress(f"{show_bytes(passed.size)} written; {text}"),
            )  # fmt: skip

        thread = threading.Thread(target=settle, args=(found, read), name="fingerprints")
        thread.start()
        try:
            yield pieces_of(target, dump, seal, passed, dumped, found)
        finally:
            stop()
            thread.join()


def pieces_of(
    target: Target,
    dump: Dump,
    seal: Seal | None,
    passed: Passed,
    dumped: Future[list[str]],
    found: Future[Read],
) -> Iterator[bytes]:
    """The bytes of the `dump`; once it has ended well, and all is `found`, they end."""
    try:
        with seal.open(dump.output) if seal else nullcontext(dump.output) as stream:
            for piece in passed.pieces(stream):
                if found.done():
                    found.result()  # it has failed: it would wait for the dump
                yield piece
        dumped.set_result(dump.finish(target.description))
    except CouldNotRun as error:
        fail(dumped, error)
        result_of(found)  # raises it, or what has ended the dump
        raise
    passed.read = result_of(found)
    refuse_unread(passed.read[0])


def fail(future: Future[list[str]], error: Exception) -> None:
    """Let `future` have the `error`, unless it is done."""
    if not future.done():
        future.set_exception(error)
