"""Reads a backup to its very end before anything is restored: is it whole, what does it hold."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import IO

from restore_drill.backups.archive import check_members, header_of
from restore_drill.backups.formats import READ_ERRORS, is_translated, open_plain
from restore_drill.backups.model import Backup, Contents, Head
from restore_drill.backups.plaindump.contents import Reader, read_plain_head
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.backups.to_sql import head_of, restore_to_sql
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes, show_count

Progress = Callable[[str], None]
TRANSLATED = (
    "every line feed in it has become CR LF: it was taken through a terminal, or copied as text "
    "(docker exec -t, kubectl exec -t, ssh -t: leave -t away; ftp: use binary mode)"
)


def sha256_of(path: Path, stop: threading.Event | None = None) -> str:
    """SHA-256 of a file; of a directory that of the lines `name NUL digest`, sorted by name.

    Soon after `stop` is set it is that of nothing.
    """
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        digests = [(file.relative_to(path).as_posix(), sha256_of(file, stop)) for file in files]
        lines = [f"{name}\0{digest}\n" for name, digest in digests]
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    digest = hashlib.sha256()
    with path.open("rb", 0) as raw:
        while not (stop and stop.is_set()) and (piece := raw.read(1 << 20)):
            digest.update(piece)
    return digest.hexdigest()


def expected_sha256(path: Path) -> str | None:
    """Digest in the `.sha256` file beside the backup, None where there is none."""
    beside = path.with_name(path.name + ".sha256")
    if not beside.is_file():
        return None
    found = re.search(r"\b[0-9a-fA-F]{64}\b", beside.read_text(encoding="utf-8", errors="replace"))
    return found.group().lower() if found else "(no SHA-256 in it)"


def read_head(backup: Backup) -> Head:
    """What the head of `backup` says, cheaply; empty where it cannot be read."""
    try:
        if backup.format == "plain":
            return read_plain_head(backup.path, backup.compression)
        if backup.is_archive:
            return head_of(backup.path, backup.format, backup.compression)
    except (*READ_ERRORS, CouldNotRun):
        pass
    return Head()


def unpack_archive(backup: Backup, folder: Path) -> Backup:
    """`backup` with its archive unpacked into `folder`, where it lies in a compressed file."""
    if not (backup.is_archive and backup.compression) or backup.unpacked:
        return backup
    path = folder / f"unpacked.{backup.format}"
    with open_plain(backup.path, backup.compression) as packed, path.open("wb", 0) as file:
        while chunk := packed.read(1 << 20):
            write_all(file, chunk)
    return replace(backup, unpacked=path)


def write_all(file: FileIO, chunk: bytes) -> None:
    """Write `chunk`; CouldNotRun where the disk has no room for it: no fault of the backup."""
    view = memoryview(chunk)
    try:
        while view:
            view = view[file.write(view) :]
    except OSError as error:
        raise CouldNotRun(
            f"no room to unpack the backup in {Path(str(file.name)).parent}: {error.strerror}",
            checked=[f"{show_bytes(file.tell())} were written"],
            remedy=remedy_for("machine", "disk_full"),
        ) from None


class Counted:
    """A stream that tells how far it has been read."""

    def __init__(self, stream: IO[bytes], tell: Callable[[int], None]) -> None:
        """Read `stream`, telling `tell` the bytes so far."""
        self.stream = stream
        self.tell = tell
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes."""
        data = self.stream.read(size)
        self.count += len(data)
        self.tell(self.count)
        return data


def read_contents(backup: Backup, folder: Path, progress: Progress) -> Contents:
    """Everything that `backup` holds; what is wrong with it stands in `faults`.

    `folder` takes unpacked files. Raises CouldNotRun where our own means fail.
    """
    reader = Reader()
    head: Head | None = None
    count = 0

    def tell(read: int) -> None:
        nonlocal count
        count = read
        progress(f"reading the backup to its end: {show_bytes(read)}")

    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool, ExitStack() as stack:
        stack.callback(stop.set)  # an interrupt does not wait for a long file's digest
        digest = pool.submit(sha256_of, backup.path, stop)
        try:
            if backup.size == 0:
                reader.faults.append("it is empty (zero bytes)")
            elif backup.unrecognised:
                reader.faults.append(f"it is {backup.unrecognised}")
            elif backup.format == "plain":
                with open_plain(backup.path, backup.compression) as stream:
                    reader.read(PlainReader(Counted(stream, tell)).events())  # type: ignore[arg-type]
                reader.check_end()
            else:
                head = read_archive(unpack_archive(backup, folder), reader, tell)
        except MemoryError:
            raise CouldNotRun(
                f"memory ran out while {backup.name} was read",
                remedy=remedy_for("machine", "memory"),
            ) from None
        except READ_ERRORS as error:
            what = f"its {backup.compression} compression" if backup.compression else "it"
            reader.faults.append(f"{what} cannot be read to the end: {explain(error)}")
        sha256 = digest.result()
    is_binary = backup.compression or backup.format in ("custom", "tar")
    if reader.faults and is_binary and backup.path.is_file() and is_translated(backup.path):
        reader.faults.insert(0, TRANSLATED)
    contents = reader.contents(sha256=sha256, head=head, read_bytes=count)
    return replace(contents, faults=contents.faults + what_is_there(contents))


def explain(error: BaseException) -> str:
    """What a decompressor or the system said, in one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def read_archive(backup: Backup, reader: Reader, tell: Callable[[int], None]) -> Head | None:
    """Read the archive whole through `pg_restore --file=-`, its faults into `reader`."""
    reader.faults += check_members(backup)
    try:
        header = header_of(backup.restorable, backup.format)
    except (ValueError, OSError) as error:
        reader.faults.append(f"its archive header cannot be read: {error}")
        return None
    if reader.faults:
        return header.head
    with restore_to_sql(header, backup.restorable) as run:
        reader.read(PlainReader(Counted(run.output, tell)).events())  # type: ignore[arg-type]
    if run.fault:
        reader.faults.insert(0, run.fault)
    reader.check_end()
    encoding = reader.head.get("encoding", "")
    return replace(header.head, encoding=encoding, entries=tuple(reader.entries))


def what_is_there(contents: Contents) -> tuple[str, ...]:
    """For a damaged backup: how many rows of which tables can still be read from it."""
    if not contents.faults or contents.is_refused or not contents.entries:
        return ()
    tables = [entry.full_name for entry in contents.entries if entry.kind == "TABLE"]
    there = [f"{name} {show_count(count, 'row')}" for name, count in contents.rows.items()]
    gone = [name for name in tables if name not in contents.rows]
    lines = ["still readable: " + "; ".join(there) if there else "no row can be read from it"]
    return (*lines, "no data at all for: " + ", ".join(gone)) if gone else tuple(lines)
