"""The formats custom, directory and tar: archives that pg_restore reads, here as SQL text."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from restore_drill.backups.archive import ARCHIVE, header_of, reading_tools, toc_of
from restore_drill.backups.arrival import arrivals
from restore_drill.backups.converted import Converted
from restore_drill.backups.members import Unread, convert
from restore_drill.backups.model import Backup, Contents, Head
from restore_drill.backups.plain import WholeReader, gather
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.backups.plaindump.outline import Outline
from restore_drill.backups.rows_ends import is_cut, is_cut_in
from restore_drill.backups.streams import Counted, open_plain
from restore_drill.backups.tars import is_dump, is_tar
from restore_drill.backups.to_sql import restore_to_sql
from restore_drill.backups.unpack import unpack_archive
from restore_drill.core.below import files_below

BLOB = "blob_"
"""Begins the name of a large object's member, which alone may be empty."""


class Archive:
    """What the three have in common; `name` is that of the format."""

    name = ""

    def quick_head(self, path: Path, compression: str, *, is_dated: bool) -> Head:
        """What its fixed header says: time, versions and database."""
        del is_dated
        return header_of(path, self.name, compression).head

    def head(self, path: Path, compression: str) -> Head:
        """Its header and table of contents.

        One that is compressed, or on its way here, is not unpacked for that, nor waited for: its
        table of contents stands in front.
        """
        header = header_of(path, self.name, compression)
        outline = Outline()
        with ExitStack() as stack:
            is_stream = compression or path in arrivals
            packed = stack.enter_context(open_plain(path, compression)) if is_stream else None
            run = restore_to_sql(header, path, "--section=pre-data", packed=packed)
            outline.read_head(PlainReader(stack.enter_context(run).output).events())
        return completed(header.head, outline)

    def contents(
        self,
        backup: Backup,
        folder: Path,
        report: Callable[[int], None],
        converted: Converted | None = None,
    ) -> Contents:
        """All that it holds: pg_restore reads it whole to write it as SQL, as --list does not."""

        def read(reader: WholeReader, *, apart: bool) -> Head | None:
            unpacked = unpack_archive(backup, folder)
            path = unpacked.restorable
            if arrival := arrivals.get(path):
                arrival.wait()
            reader.faults += self.faulty_members(path)
            try:
                header = header_of(path, self.name)
            except (ValueError, OSError) as error:
                reader.faults.append(f"its archive header cannot be read: {error}")
                return None
            if reader.faults:
                return header.head
            tools = converted.tools(header) if converted else reading_tools(header)
            with convert(header, path, tools=tools, apart=apart) as run:
                stream = converted.keeping(run.output) if converted else run.output
                reader.read_all(Counted(stream, report))
            if run.fault:
                reader.faults.insert(0, run.fault)
            reader.check_end()
            if converted:
                converted.end(tools.version)
            return completed(header.head, reader)

        try:
            return replace(gather(backup, partial(read, apart=True)), is_apart=True)
        except Unread:  # by pg_restore, which may read what is not quite in order
            return gather(backup, partial(read, apart=False))

    def faulty_members(self, path: Path) -> list[str]:
        """Faults of its files that pg_restore passes in silence or hangs on."""
        del path
        return []


class CustomArchive(Archive):
    """A `Format`: pg_dump --format=custom, one file."""

    name = "custom"

    def claims(self, path: Path, compression: str, head: bytes) -> bool:
        """Whether it begins as one."""
        del path, compression
        return head.startswith(ARCHIVE)


class DirectoryArchive(Archive):
    """A `Format`: pg_dump --format=directory, a folder with a file for each table.

    The folder may lie in a tar archive, as one that is encrypted does.
    """

    name = "directory"

    def head(self, path: Path, compression: str) -> Head:
        """As that of others; from a tar archive its table of contents alone is unpacked."""
        if not compression:
            return super().head(path, compression)
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "toc.dat").write_bytes(toc_of(path, compression))
            return super().head(Path(folder), "")

    def claims(self, path: Path, compression: str, head: bytes) -> bool:
        """Whether it is a folder with a table of contents."""
        del compression, head
        return path.is_dir() and (path / "toc.dat").is_file()

    def faulty_members(self, path: Path) -> list[str]:
        """Empty files, and those of rows that are cut."""
        files = [(name, stat.st_size) for name, stat in files_below(path) if "/" not in name]
        return [
            f"{name} is empty: pg_restore would take it for an empty table"
            for name, size in files
            if size == 0 and not name.startswith(BLOB)
        ] + [
            f"{name} is cut: pg_restore would restore its first rows alone, and report nothing"
            for name, size in files
            if is_cut(path, name, size)
        ]


class TarArchive(Archive):
    """A `Format`: pg_dump --format=tar, the folder in a tar."""

    name = "tar"

    def claims(self, path: Path, compression: str, head: bytes) -> bool:
        """Whether it is a tar whose first member is a table of contents."""
        if not is_tar(head):
            return False
        with open_plain(path, compression) as stream:
            return is_dump(stream)

    def faulty_members(self, path: Path) -> list[str]:
        """Members that are cut, or empty."""
        try:
            with tarfile.open(path) as tar:
                size = path.stat().st_size
                found = list(tar)
                cut = [m.name for m in found if m.offset_data + m.size > size]
                part = [m.name for m in found if m.name not in cut and is_cut_in(tar, m)]
        except tarfile.TarError as error:
            return [f"the tar file is damaged: {error}"]
        empty = [m.name for m in found if not m.size and not m.name.startswith(BLOB)]
        return (
            [f"the tar file ends inside its member {name}" for name in cut]
            + [
                f"the tar file's member {name} is empty: not even the end of its rows is there"
                for name in empty
            ]
            + [
                f"the tar file's member {name} is cut: the end of its rows is missing"
                for name in part
            ]
        )


def completed(head: Head, outline: Outline) -> Head:
    """`head` with the table of contents, partitions and encoding that `outline` has found."""
    whole, encoding = outline.parts.whole, outline.session.encoding
    return replace(head, encoding=encoding, entries=tuple(whole.entries), roots=whole.roots)
