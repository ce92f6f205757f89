"""The restored database's own table of contents, against that of the backup."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO

from restore_drill.backups.model import Contents, Entry
from restore_drill.backups.plaindump.entries import entry_of
from restore_drill.backups.plaindump.events import Comment, Statement
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.backups.plaindump.lines import Readable
from restore_drill.backups.plaindump.names import unquoted
from restore_drill.backups.plaindump.part import Part
from restore_drill.backups.plaindump.settings import SessionSettings
from restore_drill.core.deadline import at_work
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_lines import safe_lines
from restore_drill.servers.model import Target

NO_OBJECTS = frozenset({
    "BLOB", "BLOBS", "BLOB METADATA", "BLOB COMMENTS", "DATABASE", "DATABASE PROPERTIES",
    "ENCODING", "STDSTRINGS", "SEARCHPATH", "STATISTICS DATA", "SUBSCRIPTION TABLE",
})  # fmt: skip
"""Kinds of entries that are no objects of the schema."""


NEW_TAGS = 11
"""First pg_dump whose tags are those of today."""
KIND = re.compile(r"^(?:[A-Z]+ )+")
OF_TABLES = ("CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT", "DEFAULT", "TRIGGER", "RULE",
             "POLICY")  # fmt: skip
WAIT = "--lock-wait-timeout=5s"
"""An application of a live database may hold a table for ever."""
IN_MEMORY = 1 << 20
"""Bytes of a list up to which it is kept in no file."""
BUILT_IN = ("EXTENSION", "PROCEDURAL LANGUAGE")
"""Kinds of which pg_dump before 11 lists plpgsql, which every database has."""


@contextmanager
def schema_dump(target: Target, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """pg_dump of the schema of `target`, which is ended when this is left."""
    process = subprocess.Popen(
        [target.binaries.tool("pg_dump"), "--schema-only", "--no-password", WAIT, *options],
        env=target.tool_environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def output_of(dump: subprocess.Popen[bytes]) -> tuple[bytes, str]:
    """What pg_dump writes, or why it writes nothing."""
    with at_work(lambda: "pg_dump --schema-only"):
        output, errors = dump.communicate()
    why_not = failure_of(dump, errors)
    return (b"" if why_not else output), why_not


def failure_of(dump: subprocess.Popen[bytes], errors: bytes) -> str:
    """Why the `dump`, which has ended, is not whole; empty where it is."""
    if not dump.returncode:
        return ""
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    return "; ".join(safe_lines(lines)[-3:]) or f"pg_dump ended with exit code {dump.returncode}"


def lost_entries(
    contents: Contents, dump: subprocess.Popen[bytes]
) -> tuple[tuple[Entry, ...], str]:
    """Objects of the backup that a pg_dump of the restored database lacks, or why it fails."""
    with SpooledTemporaryFile(IN_MEMORY) as written:
        if why_not := keep(dump, written):
            return (), why_not
        return missing(contents, entries_in(written)), ""


def keep(dump: subprocess.Popen[bytes], written: IO[bytes]) -> str:
    """Keep in `written` what pg_dump writes; why that is not whole, empty where it is.

    With 10,000 tables pg_dump has 110 MB, and writes 12 of them: it is not to wait for a reader.
    """
    with at_work(lambda: "pg_dump --schema-only"), dump, ThreadPoolExecutor(1) as thread:
        assert dump.stdout is not None and dump.stderr is not None
        errors = thread.submit(dump.stderr.read)
        try:
            shutil.copyfileobj(dump.stdout, written)
        except OSError as error:
            dump.kill()
            raise CouldNotRun(
                f"not enough space to keep the list of restored objects: {error.strerror}",
                checked=[tempfile.gettempdir()],
                remedy=remedy_for("machine", "disk_full"),
            ) from None
        said = errors.result()
    written.seek(0)
    return failure_of(dump, said)


def entries_in(dump: Readable) -> Iterator[Entry]:
    """Table of contents of the `dump` of a schema, which nothing else is asked of.

    Tables have their own names, as those of the backup do: a newline is a blank in a comment.
    """
    session, part = SessionSettings(), Part()
    for event in PlainReader(dump).events():
        if isinstance(event, Comment):
            if entry := entry_of(event.text, session.codec):
                yield from part.entries
                part.entries = [entry]
        elif isinstance(event, Statement) and event.sql.startswith(b"SET"):
            session.note(event.sql)
        elif isinstance(event, Statement) and part.last_kind == "TABLE":
            part.note_definition(session.in_utf8(event.sql), session.schema)
    yield from part.entries


def missing(contents: Contents, restored: Iterable[Entry]) -> tuple[Entry, ...]:
    """Each object that the backup lists and the restored database lacks."""
    listed = {each._replace(owner=""): each for each in contents.entries if is_object(each)}
    unseen, others = set(listed), set[Entry]()
    for each in restored:
        key = each._replace(owner="")
        (unseen.discard if key in listed else others.add)(key)
    is_old = (contents.head.dumper_major or NEW_TAGS) < NEW_TAGS
    spare = Counter(by_letters(each, is_old=is_old) for each in others)
    lost: set[Entry] = set()
    for key in unseen:
        alike = by_letters(key, is_old=is_old)
        if spare[alike] > 0:
            spare[alike] -= 1
        else:
            lost.add(key)
    return tuple(entry for key, entry in listed.items() if key in lost)


def by_letters(entry: Entry, *, is_old: bool) -> tuple[str, str, str]:
    """What is the same of an entry whether or not pg_dump was run with --quote-all-identifiers.

    And, where that `is_old`, whether or not tags name the kind of what is granted, and the table.
    """
    name = unquoted(entry.name)
    if is_old and entry.kind == "ACL":
        name = KIND.sub("", name)
    elif is_old and entry.kind in OF_TABLES:
        name = name.rpartition(" ")[2]
    return entry.kind, entry.schema, name


def is_object(entry: Entry) -> bool:
    """Whether a dump of the restored database must list `entry` again."""
    if entry.kind in NO_OBJECTS or entry.kind.endswith(" DATA") or entry.kind == "SEQUENCE SET":
        return False
    # pg_dump lists the schema public only where it differs from its version's default.
    of_public = unquoted(entry.name) in ("public", "SCHEMA public")
    if entry.name.startswith("LARGE OBJECT") and entry.kind in ("COMMENT", "ACL", "SECURITY LABEL"):
        return False  # they come with the data
    if entry.name.startswith("DATABASE "):
        return entry.kind not in ("COMMENT", "ACL", "SECURITY LABEL")
    if entry.kind in BUILT_IN and entry.name == "plpgsql":
        return False
    if entry.kind == "COMMENT" and entry.schema == "-" and not KIND.match(entry.name):
        return False  # on the database itself: pg_dump before 11 leaves its kind out
    of_extension = entry.kind == "COMMENT" and entry.name.startswith("EXTENSION ")
    return not (of_public and entry.kind in ("SCHEMA", "COMMENT", "ACL")) and not of_extension
