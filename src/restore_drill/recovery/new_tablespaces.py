"""Tablespaces that are made while WAL is replayed: they are made inside of the data directory.

A server that replays CREATE TABLESPACE makes the link to where the source has it. On the source's
machine it goes on to write into the running server's own files, where its account may: seen with
PostgreSQL 15, whose tables there were written over by a copy that recovered. Behind walls there is
no such folder, and the recovery of a good backup ends. Without a path in the record the server
makes the folder in pg_tblspc itself: all majors do since their releases of August 2022.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.physical.wal_header import LONG, Header, header_of
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for

RECORD = struct.Struct("=IIQBB2xI")
"""XLogRecord: bytes of all of it, transaction, place of the one before, what, whose, checksum."""
KIND = b"\x05"
"""The manager of tablespaces, which stands behind what it did."""
KIND_AT, CREATE = 16, 0x10
"""Where a record says what was done; CREATE is below that number, its lower bits are flags."""
SHORT, LONGER = 0xFF, 0xFE
"""What stands before the data of a record of less than 256 bytes, or more."""
LEAST, MOST = RECORD.size + 2 + 4 + 1, RECORD.size + 5 + 4 + 1025
"""Bytes of a record: a path has 1,024 at most."""
FIRST, OTHER = 40, 24
"""Bytes of the header of a segment's first page, and of the others."""
WINDOW = 16 << 20
"""Bytes that are looked through at once: a segment may have a gigabyte."""
NEAR = 1 << 30
"""A record is not farther than this from the one before it."""


class Pages(NamedTuple):
    """Some pages of a segment, from the one with number `first` on, of so many bytes each.

    `data` is what they hold, without the headers.
    """

    data: bytes
    first: int
    page: int

    @property
    def head(self) -> int:
        """Bytes of the header of the first of them."""
        return OTHER if self.first else FIRST

    def place(self, offset: int) -> int:
        """Where in the file the byte at `offset` lies."""
        least = self.page - self.head
        if offset < least:
            return self.first * self.page + self.head + offset
        pages, rest = divmod(offset - least, self.page - OTHER)
        return (self.first + 1 + pages) * self.page + OTHER + rest

    def offset(self, place: int) -> int:
        """The opposite; what lies in a header has none."""
        number, rest = divmod(place, self.page)
        if number == self.first:
            return rest - self.head
        before = self.page - self.head + (number - self.first - 1) * (self.page - OTHER)
        return before + rest - OTHER


class Record(NamedTuple):
    """What may be a record of CREATE TABLESPACE: it begins at `begin` of `pages`."""

    pages: Pages
    begin: int
    total: int

    @property
    def data(self) -> bytes:
        """Its bytes: fewer than in `total` where it goes on in the next segment."""
        return self.pages.data[self.begin : self.begin + self.total]


def keep_inside(path: Path) -> list[str]:
    """Have the tablespaces that the WAL segment at `path` makes made inside; where they were.

    Its checksums stay right. CouldNotRun where such a record goes on in the next segment.
    """
    found = []
    with path.open("r+b") as file:
        header = header_of(file.read(LONG.size))
        if header is None:
            return []
        number, size = file.fileno(), os.fstat(file.fileno()).st_size
        for start in range(0, size, WINDOW):
            for offset in marks_in(os.pread(number, WINDOW, start), header.page):
                record = record_at(number, start + offset, header)
                if record is None:
                    continue
                if len(record.data) < record.total:
                    raise cut(path)
                if location := location_in(record.data):
                    found.append(location)
                    for at, byte in changes(record.data):
                        os.pwrite(number, bytes([byte]), record.pages.place(record.begin + at))
    return found


def marks_in(data: bytes, page: int) -> Iterator[int]:
    """Where the kind of a record may be that of CREATE TABLESPACE.

    Records, and so their kinds, begin at a multiple of 8: 2 ms for 16 MB.
    """
    for match in re.finditer(re.escape(KIND), data[1::8]):
        at = match.start() * 8
        if data[at] >= CREATE or data[at + 2 : at + 4] != b"\0\0" or at % page < OTHER:
            continue
        total = int.from_bytes(data[at - KIND_AT : at - KIND_AT + 4], "little")
        # It may begin on the page before, behind whose end another header lies.
        if at % page - KIND_AT < OTHER or LEAST <= total <= MOST:
            yield at


def record_at(number: int, kind: int, header: Header) -> Record | None:
    """The record whose kind lies at that place of the file; None where none can begin there."""
    page = header.page
    first, most = max(0, kind // page - 1), 3 + MOST // page
    heads = [OTHER if each else FIRST for each in range(first, first + most)]
    parts = [os.pread(number, page - head, (first + each) * page + head)
             for each, head in enumerate(heads)]  # fmt: skip
    pages = Pages(b"".join(parts), first, page)
    begin = pages.offset(kind) - KIND_AT
    if begin < 0 or len(pages.data) - begin < RECORD.size:
        return None
    total, _, before, *_ = RECORD.unpack_from(pages.data, begin)
    here = header.address + pages.place(begin)
    is_likely = LEAST <= total <= MOST and before < here and here - before < NEAR
    return Record(pages, begin, total) if is_likely else None


def location_in(record: bytes) -> str:
    """The path in a record of CREATE TABLESPACE; empty where it has none, or is no such record."""
    begin = path_at(record)
    if not begin or checksum(record) != RECORD.unpack_from(record)[5]:
        return ""
    return record[begin:].split(b"\0", 1)[0].decode(errors="replace")


def path_at(record: bytes) -> int:
    """Where the path begins in a `record`, behind a length and an OID; 0 where there is none."""
    mark = record[RECORD.size]
    begin = RECORD.size + (2 if mark == SHORT else 5) + 4
    return begin if mark in (SHORT, LONGER) and begin < len(record) else 0


def changes(record: bytes) -> Iterator[tuple[int, int]]:
    """The bytes of `record` that are written anew, each with its place: no path, a checksum."""
    begin = path_at(record)
    new = record[:begin] + b"\0" + record[begin + 1 :]
    yield begin, 0
    yield from enumerate(checksum(new).to_bytes(4, "little"), RECORD.size - 4)


def checksum(record: bytes) -> int:
    """CRC-32C of a record, as the server has it: its data first, then its header."""
    crc = 0xFFFFFFFF
    for byte in record[RECORD.size :] + record[: RECORD.size - 4]:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def table() -> list[int]:
    """CRC-32C of each byte."""
    found = []
    for number in range(256):
        for _ in range(8):
            number = (number >> 1) ^ (0x82F63B78 if number & 1 else 0)  # noqa: PLW2901
        found.append(number)
    return found


TABLE = table()


def cut(path: Path) -> CouldNotRun:
    """The error for a record that ends in the next segment, which is not at hand."""
    return CouldNotRun(
        f"the WAL segment {path.name.partition('.')[0]} ends within CREATE TABLESPACE",
        checked=["the drill replays none that it could not keep from the source's own folder"],
        remedy=remedy_for("copying", "tablespace"),
    )
