"""What is known of a backup: before it is read (`Backup`), and after (`Contents`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from restore_drill.backups.choice import Among, Considered, NotDrilled
from restore_drill.backups.head import CLIENT_ONLY, OF_ONE_NAME, Entry, Head, major_of
from restore_drill.core.errors import CouldNotRun

if TYPE_CHECKING:
    from restore_drill.backups.converted import Converted
    from restore_drill.backups.physical.model import Physical
    from restore_drill.backups.plaindump.copy_reader import Span

__all__ = [
    "CLIENT_ONLY", "OF_ONE_NAME", "REFUSED", "Backup", "Contents", "Entry", "Head", "major_of",
]  # fmt: skip

REFUSED = "; refused"
"""How the fault of a statement that no dump may hold ends."""


@dataclass(frozen=True)
class Backup:
    """One restorable thing, recognised by its content.

    `format` is plain, custom, directory or tar, or the kind of a `physical` backup, or empty where
    `unrecognised` says what it is instead and `remedy` what to do then, or where it is `sealed` and
    `locked` says why it was not decrypted; `compression` is what the whole file went through
    (`gzip in zstd`: the inner one first); `size` is in bytes; `unpacked` is where a compressed
    archive was unpacked to, since pg_restore wants to seek. `not_drilled` names the other series
    that lie beside it and how to drill them, `remarks` what else was noticed, `considered` what it
    was chosen from, `among` where it stands there, `mark` what it was when it began to be read
    (`mark.py`).
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
    among: Among = field(default_factory=Among)
    mark: tuple[tuple[str, int, int], ...] = ()
    physical: Physical | None = None

    @property
    def files(self) -> Path:
        """Where its own files lie; those of a repository are other backups' too."""
        return self.physical.newest.path if self.physical else self.path

    @property
    def is_there(self) -> bool:
        """Whether it still is; a repository that pgBackRest has listed may lie in a bucket."""
        return self.path.exists() or self.format == "pgBackRest"

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
        """`plain SQL, gzip`; `pg_basebackup, tar, gzip`."""
        if self.physical:
            return self.physical.words
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
    describes statements that may change rows and that no pg_dump writes, empty without any;
    `misread` names routines of a plain dump behind which psql would read on to the end of the file,
    `unsure` the tables whose INSERTs may bring values into each other's columns (`positions`).
    `checksum` is what its place on another machine says of its bytes. `told` is what of a physical
    backup could not be checked, and why.
    `converted` is the SQL of an archive, where it was kept for a restore; `spans` are the places of
    large tables' rows in it, or in a plain dump without its compression. `is_apart` says that the
    rows of an archive can be decompressed beside pg_restore.
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
    misread: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    read_bytes: int = 0
    is_apart: bool = False
    told: tuple[tuple[str, str], ...] = ()
    checksum: str | None = field(default=None, compare=False)
    converted: Converted | None = field(default=None, compare=False, repr=False)
    spans: dict[int, Span] = field(default_factory=dict, compare=False, repr=False)

    def release(self) -> None:
        """Let go of what was kept for a restore."""
        if self.converted:
            self.converted.close()

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
    def first_fault(self) -> str:
        """The first thing wrong with it, for a sentence that says whether it is refused."""
        return self.faults[0].removesuffix(REFUSED)

    @property
    def is_refused(self) -> bool:
        """Whether the first thing wrong with it is a statement that no dump may hold."""
        return bool(self.faults) and self.faults[0].endswith(REFUSED)

    @property
    def condition(self) -> str:
        """What is wrong with it, in one word."""
        return "refused" if self.is_refused else "damaged"
