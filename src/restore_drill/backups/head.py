"""What the head of a backup says: versions, database, encoding, and its table of contents."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from restore_drill.core.names import part_of

CLIENT_ONLY = ("BIG5", "GB18030", "GBK", "JOHAB", "SHIFT_JIS_2004", "SJIS", "UHC")
"""Encodings that a dump can be in and no database."""
OF_ONE_NAME = frozenset({
    "TABLE", "TABLE DATA", "TABLE ATTACH", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW",
    "MATERIALIZED VIEW DATA", "SEQUENCE", "SEQUENCE SET", "INDEX", "TYPE", "DOMAIN",
})  # fmt: skip
"""Kinds of entries whose tags are the names of their objects and nothing else."""


class Entry(NamedTuple):
    """One entry of a table of contents, as pg_dump writes it: `name` is its tag."""

    kind: str
    schema: str
    name: str
    owner: str

    @property
    def full_name(self) -> str:
        """`schema.name`, or the name alone where there is no schema."""
        name = part_of(self.name) if self.kind in OF_ONE_NAME else self.name
        return f"{part_of(self.schema)}.{name}" if self.schema not in ("", "-") else name


@dataclass(frozen=True)
class Head:
    """What the head of a backup says of it; empty where it says nothing.

    `roots` has the root of each partition, at whatever depth, and itself of each root.
    """

    source_version: str = ""
    dumped_by: str = ""
    database: str = ""
    encoding: str = ""
    dumped_at: datetime | None = None
    entries: tuple[Entry, ...] = ()
    roots: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def source_major(self) -> int | None:
        """Major version of the source server."""
        return major_of(self.source_version)

    @property
    def source_release(self) -> str:
        """Its release, as people name it: `16`, and `9.6` for one that is older than 10."""
        parts = re.match(r"(\d+)(?:\.(\d+))?", self.source_version)
        if parts is None:
            return ""
        return parts[0] if int(parts[1]) < 10 else parts[1]

    @property
    def dumper_major(self) -> int | None:
        """Major version of the pg_dump that wrote the backup."""
        return major_of(self.dumped_by)

    @property
    def server_encoding(self) -> str:
        """Encoding of a database that can take the backup in: its own, where a server has it."""
        return "UTF8" if self.encoding in ("", *CLIENT_ONLY) else self.encoding

    @property
    def tables(self) -> list[str]:
        """`schema.table` of the tables in the table of contents, in its order."""
        return [entry.full_name for entry in self.entries if entry.kind == "TABLE"]


def major_of(version: str) -> int | None:
    """Major version in a version text: 16 of `16.4 (Debian)`; None where there is none."""
    digits = version.split(".", maxsplit=1)[0].split(" ", maxsplit=1)[0]
    leading = "".join(char for char in digits if char.isdigit())
    return int(leading) if leading else None
