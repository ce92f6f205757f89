"""What a file is that is not a backup of PostgreSQL, by its first bytes."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import NamedTuple

from restore_drill.backups.foreign import (
    MAGIC,
    ROLES_ALONE,
    WAL,
    Foreign,
)
from restore_drill.core.patterns import late

DUMP_START = re.compile(rb"^-- PostgreSQL database (cluster )?dump\r?$", re.MULTILINE)
ARCHIVE_START = b"PGDMP\x01"
S3_ERROR = re.compile(rb"<Error>.*?<Code>(\w{1,40})</Code>", re.DOTALL)
PAGES = (1024, 2048, 4096, 8192, 16384, 32768, 65536)
PG_MESSAGE = re.compile(rb"pg_dump(all)?(\.exe)?: |pg_dump(all)?: error")
MESSAGE = late(
    rb"(\S*/)?(ba|da|z|k)?sh: |\S*docker: |error:? |error response from |error from server|"
    rb"(psql|curl|wget|ssh|gzip|zstd|aws|gsutil|kubectl|mysqldump)\S*: |an error occurred|"
    rb"permission denied|no such |command not found|usage: |traceback|fatal:? |password",
    re.IGNORECASE,
)


def foreign_in(head: bytes, *, is_sql: bool) -> Foreign | None:
    """What a file is whose first bytes are `head`; None for SQL that may be PostgreSQL's."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    for magic, found in MAGIC:
        if text.startswith(magic):
            return found
    if is_wal(head):
        return WAL
    if is_sql:
        return ROLES_ALONE if is_roles_alone(head) else None
    return guess(head, text)


def is_wal(head: bytes) -> bool:
    """Whether `head` begins a WAL segment: its first page says how large segments and pages are."""
    if len(head) < 40 or head[1] not in (0xD0, 0xD1):
        return False
    segment, page = struct.unpack_from("<II", head, 32)
    return page in PAGES and segment.bit_count() == 1


def is_roles_alone(head: bytes) -> bool:
    """Whether `head` is all of a dump by pg_dumpall that fills no database."""
    start = DUMP_START.search(head)
    return (
        start is not None
        and start.group(1) is not None
        and b"-- PostgreSQL database cluster dump complete" in head
        and b"\n\\connect " not in head
    )


def guess(head: bytes, text: bytes) -> Foreign:
    """What a file is that begins with no known magic and no SQL."""
    if start := DUMP_START.search(head) or re.search(re.escape(ARCHIVE_START), head):
        lines = max(head.count(b"\n", 0, start.start()) - (start.group()[:2] == b"--"), 1)
        whose = "messages of pg_dump" if PG_MESSAGE.match(text) else "other output"
        number = f"{lines} line{'s' * (lines != 1)}"
        return Foreign(
            f"a dump after {number} of {whose}: the job writes its messages into the file (2>&1)",
            "mixed",
        )
    if text.startswith(b"<"):
        code = S3_ERROR.search(text)
        if code:
            return Foreign(f"an object store's error ({code[1].decode()})", "page")
        return Foreign("an HTML or XML page (an error page of a download?)", "page")
    return next((guess.found for guess in GUESSES if guess.fits(head, text)), UNKNOWN)


UNKNOWN = Foreign("binary data of an unknown kind")


def is_openpgp(head: bytes) -> bool:
    """Whether `head` begins with an OpenPGP packet of encrypted data (RFC 9580, 4.2)."""
    if len(head) < 8 or not head[0] & 0x80:
        return False
    if head[0] & 0x40:
        tag, length = head[0] & 0x3F, head[1]
        at = 2 if length < 192 else 3 if length < 224 else 6 if length == 255 else 2
    else:
        tag, at = head[0] >> 2 & 0xF, 1 + (1, 2, 4, 0)[head[0] & 3]
    versions = {1: (3, 6), 3: (4, 5, 6), 18: (1, 2), 20: (1,)}
    return head[at] in versions.get(tag, ())


def is_utf16(head: bytes, _text: bytes) -> bool:
    """Whether `head` is UTF-16 of plain letters without a byte order mark."""
    sample = head[:256]
    return len(sample) > 8 and any(
        all(letters) and not any(zeros)
        for letters, zeros in ((sample[::2], sample[1::2]), (sample[1::2], sample[::2]))
    )


def is_text(head: bytes, _text: bytes) -> bool:
    """Whether `head` reads as UTF-8 text."""
    try:
        head[:-4].decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in head


def is_table(head: bytes, text: bytes) -> bool:
    """Whether the first lines of a text have equally many commas, semicolons or tabs."""
    lines = text.split(b"\n")[:5]
    lines = lines[:-1] if len(lines) > 1 else lines
    return is_text(head, text) and any(
        lines[0].count(by) > 0 and len({line.count(by) for line in lines}) == 1
        for by in (b",", b";", b"\t")
    )


class Guess(NamedTuple):
    """What a file may be: `fits` takes its first bytes, and these without leading blanks."""

    fits: Callable[[bytes, bytes], bool]
    found: Foreign


GUESSES = (
    Guess(is_utf16, Foreign("text in UTF-16, which cannot be restored", "utf16")),
    Guess(lambda _, text: PG_MESSAGE.match(text) is not None,
          Foreign("pg_dump's error messages instead of its output", "job")),
    Guess(lambda _, text: MESSAGE.match(text) is not None,
          Foreign("an error message instead of a dump", "job")),
    Guess(lambda _, text: text.startswith((b"{", b"[")), Foreign("JSON", "page")),
    Guess(is_table, Foreign("a table in CSV, not a database", "csv")),
    Guess(is_text, Foreign("text that is not SQL", "job")),
)  # fmt: skip
"""The last guesses, in their order."""
