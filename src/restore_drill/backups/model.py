"""What is known of a backup: before it is read (`Backup`), and after (`Contents`)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.choice import Considered, NotDrilled
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.names import part_of

CLIENT_ONLY = ("BIG5", "GB18030", "GBK", "JOHAB", "SHIFT_JIS_2004", "SJIS", "UHC")
"""Encodings that a dump can be in and no database."""
REFUSED = "; refused"
"""How the fault of a statement that no dump may hold ends."""
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
    """What the head of a backup says of it; empty where it says nothing."""

    source_version: str = ""
    dumped_by: str = ""
    database: str = ""
    encoding: str = ""
    dumped_at: datetime | None = None
    entries: tuple[Entry, ...] = ()

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


@dataclass(frozen=True)
class Backup:
    """One restorable thing, recognised by its content.

    `format` is plain, custom, directory or tar, or empty where `unrecognised` says what it is
    instead and `remedy` what to do then, or where it is `sealed` and `locked` says why it was not
    decrypted; `compression` is what the whole file went through (`gzip in zstd`: the inner one
    first); `size` is in bytes; `unpacked` is where a compressed archive was unpacked to, since
    pg_restore wants to seek. `not_drilled` names the other series that lie beside it and how to
    drill them, `remarks` what else was noticed, `considered` all that it was chosen from.
    """

    path: Path
    format: str
    compression: str
    size: int
    taken_at: datetime
    time_source: str
    unrecognised: str = ""
    sealed: str = ""
    locked: CouldNotRun | None = None
    is_sample: bool = False
    remedy: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()
    not_drilled: tuple[NotDrilled, ...] = ()
    remarks: tuple[str, ...] = ()
    considered: tuple[Considered, ...] = ()
    earlier_sizes: tuple[int, ...] = ()
    head: Head = field(default_factory=Head)
    unpacked: Path | None = None

    @property
    def restorable(self) -> Path:
        """Path to restore from: the file itself, or what an archive was unpacked to."""
        return self.unpacked or self.path

    @property
    def name(self) -> str:
        """File name."""
        return self.path.name

    @property
    def is_archive(self) -> bool:
        """Whether pg_restore reads it."""
        return self.format in ("custom", "directory", "tar")

    @property
    def format_text(self) -> str:
        """`plain SQL, gzip`."""
        unknown = "encrypted" if self.sealed else "unknown"
        words = {"plain": "plain SQL"}.get(self.format, self.format or unknown)
        return f"{words}, {self.compression}" if self.compression else words


@dataclass(frozen=True)
class Contents:
    """What a backup holds, read to its very end.

    `faults` say what is wrong with it; `rows` counts the rows that lie in it, by table, None where
    only a restore shows them (a backup of files, not of SQL); `switched_off` names the triggers and
    rules that it disables itself, `not_valid` the constraints that it adds NOT VALID (`switches`);
    `is_translated` says that its lines end with CRLF; `superusers` are those of `roles` that must
    be superusers for its statements to run, `grantors` those that grant what others own; `changes`
    describes statements that may change rows and that no pg_dump writes, empty without any.
    Of a whole server `database` is restored; `databases` have tables, those `left_out` have none.
    """

    sha256: str
    head: Head
    entries: tuple[Entry, ...] = ()
    rows: dict[str, int] | None = field(default_factory=dict)
    extensions: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    superusers: frozenset[str] = frozenset()
    grantors: frozenset[str] = frozenset()
    tablespaces: tuple[str, ...] = ()
    needs_icu: bool = False
    large_objects: int = 0
    switched_off: frozenset[str] = frozenset()
    not_valid: frozenset[str] = frozenset()
    is_translated: bool = False
    databases: tuple[str, ...] = ()
    database: str = ""
    left_out: tuple[str, ...] = ()
    changes: str = ""
    faults: tuple[str, ...] = ()
    read_bytes: int = 0

    @property
    def counted(self) -> dict[str, int]:
        """Rows by table, as far as they are known."""
        return self.rows or {}

    @property
    def is_schema_only(self) -> bool:
        """Whether its table of contents has tables and no table's rows (--schema-only)."""
        kinds = {entry.kind for entry in self.entries}
        return "TABLE" in kinds and "TABLE DATA" not in kinds

    @property
    def is_complete(self) -> bool:
        """Whether it was read to its end without a fault."""
        return not self.faults

    @property
    def is_refused(self) -> bool:
        """Whether the first thing wrong with it is a statement that no dump may hold."""
        return bool(self.faults) and self.faults[0].endswith(REFUSED)

    @property
    def condition(self) -> str:
        """What is wrong with it, in one word."""
        return "refused" if self.is_refused else "damaged"
