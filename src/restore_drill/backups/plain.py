"""The format plain: SQL text, as pg_dump and pg_dumpall write it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from restore_drill.backups.converted import UNCONVERTED, Converted
from restore_drill.backups.guesses import foreign_in
from restore_drill.backups.mark import Mark, mark_of
from restore_drill.backups.model import Backup, Contents, Head
from restore_drill.backups.plaindump.contents import Reader
from restore_drill.backups.plaindump.copy_reader import Span
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.backups.plaindump.lines import Readable
from restore_drill.backups.plaindump.object_reader import ObjectReader
from restore_drill.backups.plaindump.outline import Outline
from restore_drill.backups.sealed import is_packed, is_sealed
from restore_drill.backups.streams import READ_ERRORS, Counted, open_plain, unbuffered
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for

SQL_STARTS = (
    b"--", b"/*", b"set ", b"create ", b"begin", b"start ", b"\\restrict", b"\\connect",
    b"insert ", b"copy ", b"alter ", b"drop ", b"select ", b"comment ", b"grant ",
)  # fmt: skip


NO_STREAM = ("Not a gzipped file", "ERROR_frameType_unknown", "Unknown frame descriptor")
"""What is said of bytes that begin no stream: the first one was recognised by its beginning."""


class PlainSql:
    """A `Format`: SQL text in a file."""

    def claims(self, path: Path, compression: str, head: bytes) -> bool:
        """Whether it is text that may be SQL of PostgreSQL, or nothing at all."""
        del compression
        if path.is_dir():
            return False
        return not head or foreign_in(head, is_sql=looks_like_sql(head)) is None

    def quick_head(self, path: Path, compression: str, *, is_dated: bool) -> Head:
        """Its head, unless its name has a time: to read up to the data of many files is slow."""
        return Head() if is_dated else self.head(path, compression)

    def head(self, path: Path, compression: str) -> Head:
        """What stands before its first data; empty where that cannot be read."""
        mark = mark_of(path)
        return head_of(path, compression, mark) if mark else read_head(path, compression)

    def contents(
        self,
        backup: Backup,
        folder: Path,
        report: Callable[[int], None],
        converted: Converted | None = None,
    ) -> Contents:
        """All that it holds."""
        del folder
        kept = converted if backup.compression else None

        def read(reader: WholeReader) -> None:
            with open_plain(backup.path, backup.compression) as stream:
                source = kept.keeping(stream) if kept else unbuffered(stream)
                reader.read_all(Counted(source, report))
            reader.check_end()
            if kept:
                kept.end(UNCONVERTED)

        return gather(backup, read)


def read_head(path: Path, compression: str) -> Head:
    """Head of the dump at `path`, behind its `compression`."""
    outline = Outline()
    try:
        with open_plain(path, compression) as stream:
            outline.read_head(PlainReader(stream, in_runs=True).events())
    except READ_ERRORS:
        pass
    return outline.make_head()


@lru_cache(maxsize=1)
def head_of(path: Path, compression: str, mark: Mark) -> Head:
    """The same, read once while the dump has this `mark`: first its time is wanted, then all.

    It takes a second for 10,000 tables.
    """
    del mark
    return read_head(path, compression)


def looks_like_sql(head: bytes) -> bool:
    """Whether `head` begins like SQL text."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return text.startswith(SQL_STARTS) and b"\0" not in head[:4096]


class WholeReader(Reader):
    """Gathers what a dump holds, and in `spans` where the rows of its large tables lie."""

    def __init__(self) -> None:
        """Start with nothing."""
        super().__init__()
        self.spans: dict[int, Span] = {}

    def read_all(self, stream: Readable) -> None:
        """Take in all that `stream` gives."""
        lexer = ObjectReader(stream, in_runs=True)
        lexer.spans = self.spans
        self.read(lexer.events())


def gather(backup: Backup, read: Callable[[WholeReader], Head | None]) -> Contents:
    """What `read` finds in the SQL of `backup`; where that cannot be read, what came before.

    A head that it returns replaces the one that stands in the SQL.
    """
    reader = WholeReader()
    head = None
    try:
        head = read(reader)
    except MemoryError:
        raise CouldNotRun(
            f"memory ran out while {backup.name} was read",
            remedy=remedy_for("machine", "memory"),
        ) from None
    except READ_ERRORS as error:
        what = f"its {backup.compression} compression" if is_packed(backup.compression) else "it"
        if is_sealed(backup.compression):
            what = f"its content ({backup.compression})"
        reader.faults.append(f"{what} cannot be read to the end: {explain(error)}")
    found = reader.contents(head=head)
    misread = () if backup.is_archive else found.misread  # pg_restore sends entries, not lines
    return replace(found, spans=reader.spans, misread=misread)


def explain(error: BaseException) -> str:
    """What a decompressor or the system reported, in one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if any(each in str(error) for each in NO_STREAM):
        return "something that is not compressed follows its end"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
