"""Reads a backup to its very end before anything is restored: is it whole, what does it hold."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from restore_drill.backups.arrival import arrivals, open_bytes
from restore_drill.backups.arrived import check_arrival, checksum_there
from restore_drill.backups.converted import Converted
from restore_drill.backups.formats import FORMATS
from restore_drill.backups.mark import refuse_changed
from restore_drill.backups.model import Backup, Contents, Head
from restore_drill.backups.streams import READ_ERRORS
from restore_drill.core.access import cannot_read
from restore_drill.core.below import files_below
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.units import show_bytes, show_count

Progress = Callable[[str], None]
PIECE, SMALL_PIECE = 1 << 22, 1 << 14
"""Bytes that are digested at once: behind each piece a thread waits for the one that parses."""
FEWEST_ENDS = 4
"""So many line feeds of a binary file do not all follow a CR by chance."""
TRANSLATED = (
    "every line feed has become CR LF: the file went through a terminal or was copied as text "
    "(docker exec -t, kubectl exec -t, ssh -t: omit -t; ftp: use binary mode)"
)


def sha256_of(path: Path, stop: threading.Event | None = None) -> str:
    """SHA-256 of a file; of a directory that of the lines `name NUL digest`, sorted by name.

    Soon after `stop` is set it is that of nothing. Of a file that is on its way here it is that of
    the bytes that lie at its place.
    """
    if path.is_dir():
        lines = [f"{name}\0{sha256_of(path / name, stop)}\n" for name, _ in files_below(path)]
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    if arrival := arrivals.get(path):
        arrival.wait(stop=stop)
        return arrival.digest.hexdigest()
    digest = hashlib.sha256()
    with path.open("rb", 0) as raw:
        # To make 4 MB for a file of 1 kB takes 100 times as long as its digest.
        piece = bytearray(min(PIECE, max(SMALL_PIECE, os.fstat(raw.fileno()).st_size)))
        view = memoryview(piece)
        while not (stop and stop.is_set()) and (size := raw.readinto(piece)):
            digest.update(view[:size])
    return digest.hexdigest()


NO_DIGEST = "(no SHA-256 in it)"
"""In place of the digest of a `.sha256` file that holds none."""


def expected_sha256(path: Path) -> str | None:
    """Digest in the `.sha256` file beside the backup, None where there is none, else NO_DIGEST.

    Raises CouldNotRun where it cannot be read.
    """
    beside = path.with_name(path.name + ".sha256")
    if not beside.is_file():
        return None
    try:
        text = beside.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise cannot_read("the checksum", beside, error) from None
    found = re.search(r"\b[0-9a-fA-F]{64}\b", text)
    return found.group().lower() if found else NO_DIGEST


def read_head(backup: Backup) -> Head:
    """What the head of `backup` says, cheaply; empty where it cannot be read."""
    try:
        if backup.format and backup.locked is None:
            return FORMATS[backup.format].head(backup.path, backup.compression)
    except (*READ_ERRORS, CouldNotRun):
        pass
    return Head()


def read_contents(
    backup: Backup, folder: Path, progress: Progress, *, converted: Converted | None = None
) -> Contents:
    """Everything that `backup` holds; what is wrong with it stands in `faults`.

    `folder` takes unpacked files, `converted` the SQL of an archive. Raises CouldNotRun.
    """
    if backup.locked is not None:
        return locked_contents(backup, backup.locked)
    count = 0

    def report(read: int) -> None:
        nonlocal count
        count = read
        progress(f"reading the backup to its end: {show_bytes(read)}")

    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool, ExitStack() as stack:
        stack.callback(stop.set)  # an interrupt does not wait for a long file's digest
        # Of a physical backup its manifest is digested, which has the checksums of its files.
        digest = None if backup.physical else pool.submit(sha256_of, backup.path, stop)
        contents = without_content(backup) or FORMATS[backup.format].contents(
            backup, folder, report, converted
        )
        sha256 = digest.result() if digest else contents.sha256
    checksum = checksum_there(backup.path)
    check_arrival(backup.path, progress, is_damaged=bool(contents.faults))
    found = replace(
        contents,
        sha256=sha256,
        read_bytes=count,
        faults=faults_of(backup, contents),
        checksum=checksum,
        converted=converted,
    )
    if found.faults:
        found.release()
        # A job that still writes it has damaged nothing.
        refuse_changed(backup.files, backup.mark, "read: it may still be written")
    return found


def without_content(backup: Backup) -> Contents | None:
    """Of a `backup` that is empty or no dump, that it is; None of one that is to be read."""
    if backup.size == 0:
        return Contents("", Head(), faults=("it is empty (zero bytes)",))
    if backup.unrecognised:
        return Contents("", Head(), faults=(f"it is {backup.unrecognised}",))
    return None


def faults_of(backup: Backup, contents: Contents) -> tuple[str, ...]:
    """What is wrong with `backup`, with what may have done it and what is still there."""
    faults = contents.faults
    is_binary = backup.compression or backup.format not in ("", "plain")
    if faults and is_binary and backup.path.is_file() and is_translated(backup.path):
        faults = (TRANSLATED, *faults)
    return faults + what_is_there(contents)


def locked_contents(backup: Backup, why: CouldNotRun) -> Contents:
    """Of a `backup` that cannot be decrypted only its checksum can say that it is damaged.

    Raises `why` where it does not.
    """
    expected = expected_sha256(backup.path)
    if expected is None or expected == NO_DIGEST or expected == (now := sha256_of(backup.path)):
        raise why
    fault = f"it cannot be decrypted, and it is not the file that {backup.name}.sha256 is of"
    return Contents(now, Head(), faults=(fault, why.what))


def is_translated(path: Path) -> bool:
    """Whether every LF in the first megabyte of the file at `path` follows a CR.

    A terminal does that (`docker exec -t`), and so does a transfer in text mode.
    """
    with open_bytes(path) as raw:
        head = raw.read(1 << 20)
    ends = head.count(b"\n")
    return ends >= FEWEST_ENDS and head.count(b"\r\n") == ends


def what_is_there(contents: Contents) -> tuple[str, ...]:
    """For a damaged backup: how many rows of which tables can still be read from it."""
    if not contents.faults or contents.is_refused or not contents.entries:
        return ()
    tables = [entry.full_name for entry in contents.entries if entry.kind == "TABLE"]
    there = [f"{name} {show_count(count, 'row')}" for name, count in contents.counted.items()]
    gone = [name for name in tables if name not in contents.counted]
    lines = ["still readable: " + "; ".join(there) if there else "no row can be read from it"]
    return (*lines, "no data at all for: " + ", ".join(gone)) if gone else tuple(lines)
