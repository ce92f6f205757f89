"""The members of a tar as pg_basebackup writes it, read as a stream and to its very end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, NamedTuple

BLOCK, PIECE = 512, 1 << 20
MOST = 1 << 62
LONGEST_NAME = 1 << 16
"""Bytes of a name that stands in a member of its own."""
FILE, LINK, FOLDER = "file", "link", "folder"
KINDS = {b"0": FILE, b"\0": FILE, b"7": FILE, b"1": "hard link", b"2": LINK, b"5": FOLDER}
LONG_NAME, LONG_LINK, EXTENDED, GLOBAL = b"L", b"K", b"x", b"g"


class TarFault(ValueError):
    """What is wrong with a tar."""


class Entry(NamedTuple):
    """One member: its `kind` is FILE, LINK, FOLDER or what else it is."""

    name: str
    kind: str
    size: int
    modified: int
    link: str = ""


class TarReader:
    """Goes over the members of the tar in `stream`; TarFault where it is damaged.

    Where it may `seek`, what nobody reads is passed over unread.
    """

    def __init__(self, stream: IO[bytes], *, seek: bool = False) -> None:
        """Begin at its first member."""
        self.stream, self.seek = stream, seek
        self.left = self.padding = 0
        self.place = 0

    def __iter__(self) -> Iterator[Entry]:
        """Each member; its data is for `read` until the next one is asked for."""
        longer: dict[bytes, str] = {}
        while True:
            self.skip()
            header = self.exactly(BLOCK)
            if not any(header):
                self.finish()
                return
            kind, entry = entry_of(header)
            self.left, self.padding = entry.size, -entry.size % BLOCK
            if kind in (LONG_NAME, LONG_LINK, EXTENDED, GLOBAL):
                longer |= self.longer(kind)
                continue
            yield entry._replace(
                name=longer.get(LONG_NAME, entry.name), link=longer.get(LONG_LINK, entry.link)
            )
            longer = {}

    def longer(self, kind: bytes) -> dict[bytes, str]:
        """The name or link that a member of its own holds for the next one."""
        if self.left > LONGEST_NAME:
            raise TarFault(f"a name in it has {self.left:,} bytes")
        text = self.read(self.left).rstrip(b"\0").decode(errors="surrogateescape")
        if kind in (LONG_NAME, LONG_LINK):
            return {kind: text}
        found: dict[bytes, str] = {}
        for line in text.splitlines():
            key, _, value = line.partition(" ")[2].partition("=")
            found |= {b"path": value} if key == "path" else {}
            found |= {b"linkpath": value} if key == "linkpath" else {}
        names = {b"path": LONG_NAME, b"linkpath": LONG_LINK}
        return {names[key]: value for key, value in found.items()}

    def read(self, size: int) -> bytes:
        """At most `size` bytes of the current member; none at its end."""
        wanted = min(size, self.left)
        data = self.exactly(wanted) if wanted else b""
        self.left -= len(data)
        return data

    def skip(self) -> None:
        """Pass over what is left of the current member."""
        left = self.left + self.padding
        self.left = self.padding = 0
        if self.seek and left > PIECE:
            # The last block is read: behind the end of a cut file one can seek, not read.
            self.stream.seek(left - BLOCK, 1)
            self.place += left - BLOCK
            left = BLOCK
        while left:
            left -= len(self.exactly(min(left, PIECE)))

    def exactly(self, size: int) -> bytes:
        """The next `size` bytes; TarFault where fewer are left."""
        parts, missing = [], size
        while missing:
            data = self.stream.read(missing)
            if not data:
                raise TarFault(f"it ends after {self.place + size - missing:,} bytes, inside a tar")
            parts.append(data)
            missing -= len(data)
        self.place += size
        return b"".join(parts)

    def finish(self) -> None:
        """Read from the first block of zeros to the end, behind which nothing may follow."""
        self.exactly(BLOCK)
        while data := self.stream.read(PIECE):
            if data.count(0) != len(data):
                raise TarFault(
                    f"something follows behind the end of the tar ({self.place:,} bytes)"
                )
            self.place += len(data)


def entry_of(header: bytes) -> tuple[bytes, Entry]:
    """What a member's `header` says: its type as it is written, and the member."""
    try:
        stated = int(header[148:156].strip(b" \0") or b"x", 8)
    except ValueError:
        stated = -1
    if stated != sum(header[:148]) + 8 * 0x20 + sum(header[156:]):
        raise TarFault("the header of a member in it is damaged")
    name, prefix = text_of(header[:100]), text_of(header[345:500])
    is_ustar = header[257:263] == b"ustar\0"
    whole = f"{prefix}/{name}" if prefix and is_ustar else name
    kind, size = header[156:157], number_of(header[124:136])
    known = KINDS.get(kind, f"type {kind!r}")
    stored = 0 if known in (LINK, FOLDER, "hard link") else size
    return kind, Entry(whole, known, stored, number_of(header[136:148]), text_of(header[157:257]))


def text_of(field: bytes) -> str:
    """The text in a field of a header."""
    return field.partition(b"\0")[0].decode(errors="surrogateescape")


def number_of(field: bytes) -> int:
    """The number in a field of a header, octal or, of a large file, in binary."""
    try:
        is_binary = field[0] & 0x80
        number = int.from_bytes(field[1:]) if is_binary else int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        number = -1
    if not 0 <= number <= MOST:
        raise TarFault("the header of a member in it is damaged")
    return number
