"""How an RDB file begins: its version, who wrote it, and what that says of it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime

MAGICS = {b"REDIS": "Redis", b"VALKEY": "Valkey"}
"""How a file of either begins; digits of its version fill it up to nine bytes."""
MAGIC_BYTES = 9
HEAD_BYTES = 1 << 16
"""Bytes of a file within which its header lies."""
AUX = 0xFA
"""Begins a name and a value about the file, as text; all of them come first."""
INTEGERS = {0: "<b", 1: "<h", 2: "<i"}
"""Numbers that a text is written as, by its kind."""


@dataclass(frozen=True)
class Header:
    """`family` is Redis or Valkey; `fields` are those about the file: `redis-ver`, `ctime`."""

    family: str
    version: int
    fields: dict[str, str]

    @property
    def magic(self) -> bytes:
        """How a file of its version begins."""
        start = next(each for each, family in MAGICS.items() if family == self.family)
        return start + str(self.version).encode().rjust(MAGIC_BYTES - len(start), b"0")

    @property
    def words(self) -> str:
        """`RDB 10 by Redis 7.0.15`."""
        return f"RDB {self.version} by {self.written_by}"

    @property
    def written_by(self) -> str:
        """`Redis 7.0.15`; the family alone where the file does not say more."""
        name = "valkey-ver" if "valkey-ver" in self.fields else "redis-ver"
        family = "Valkey" if name == "valkey-ver" else self.family
        return f"{family} {self.fields.get(name, '')}".strip()

    @property
    def made_at(self) -> datetime | None:
        """When it was begun; None where it does not say."""
        seconds = self.fields.get("ctime", "")
        if not seconds.isdecimal() or len(seconds) > 10 or not int(seconds):
            return None
        return datetime.fromtimestamp(int(seconds), UTC)

    @property
    def used_memory(self) -> int | None:
        """Bytes that its data took in the server that wrote it."""
        size = self.fields.get("used-mem", "")
        # A large number is written as one of 32 bits, or as text.
        return int(size) if size.isdecimal() else None

    @property
    def is_aof_base(self) -> bool:
        """Whether it is the begin of an append-only file."""
        return "1" in (self.fields.get("aof-base"), self.fields.get("aof-preamble"))


def header_in(head: bytes) -> Header | None:
    """The header at the begin of `head`; None where that is no RDB file."""
    for magic, family in MAGICS.items():
        digits = head[len(magic) : MAGIC_BYTES]
        if head.startswith(magic) and digits.isdigit():
            return Header(family, int(digits), dict(fields_in(head[MAGIC_BYTES:])))
    return None


def fields_in(data: bytes) -> list[tuple[str, str]]:
    """Fields at the begin of `data`, as far as they can be read."""
    found, at = [], 0
    try:
        while data[at] == AUX:
            name, at = text_at(data, at + 1)
            value, at = text_at(data, at)
            found.append((name, value))
    except (IndexError, ValueError, struct.error):
        pass
    return found


def text_at(data: bytes, at: int) -> tuple[str, int]:
    """The text at `at`, and where it ends; ValueError where it is packed or cut."""
    kind, low = data[at] >> 6, data[at] & 0x3F
    if kind == 3:
        if low not in INTEGERS:
            raise ValueError
        size = struct.calcsize(INTEGERS[low])
        (number,) = struct.unpack_from(INTEGERS[low], data, at + 1)
        return str(number), at + 1 + size
    if kind == 0:
        size, start = low, at + 1
    elif kind == 1:
        size, start = low << 8 | data[at + 1], at + 2
    else:
        (size,), start = struct.unpack_from(">I", data, at + 1), at + 5
    if start + size > len(data):
        raise ValueError
    return data[start : start + size].decode("utf-8", "replace"), start + size
