"""A tar archive around one dump, or around the folder of a directory-format dump."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO

from restore_drill.backups.reading import Reading
from restore_drill.backups.tars import MEMBER, MOST_MEMBERS, by_member
from restore_drill.backups.wraps.findings import Damaged
from restore_drill.backups.wraps.members import is_dump_name, several

TOC = "toc.dat"
LARGE = 64 << 20
"""Bytes of a member behind which it is not read on just to see whether there is another."""


class TarMember(Reading):
    """The one dump in the tar archive of a stream; Damaged where the archive is cut."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Find it."""
        self.members = members_in(stream)
        self.name = ""
        for member, file in self.members:
            if is_dump_name(member.name):
                self.name, self.file = member.name, file
                return
        raise Damaged("the tar archive around it is truncated: there is no dump in it")

    def give(self, size: int) -> bytes:
        """Of the dump; at its end the rest of the archive has been read."""
        with explained():
            data = self.file.read(size)
            if not data:
                for member, _ in self.members:
                    if is_dump_name(member.name):
                        raise several(self.name, member.name)
        return data


@contextmanager
def explained() -> Iterator[None]:
    """Turn the errors of tarfile into Damaged."""
    try:
        yield
    except tarfile.TarError as error:
        raise Damaged(f"the tar archive around it is damaged or truncated: {error}") from None


def members_in(stream: IO[bytes]) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    """The files in the tar archive in `stream`, each with its bytes; Damaged where it is cut."""
    with explained(), tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isfile() else None
            if file is not None:
                yield member, file


def open_tar(stream: IO[bytes]) -> IO[bytes]:
    """Bytes of the one dump in the tar archive in `stream`."""
    return io.BufferedReader(TarMember(stream), 1 << 18)


def what_tar_holds(stream: IO[bytes]) -> str:
    """Format `tar` of pg_dump's own, `directory` around one, `dump` around one file; else empty.

    Not more is read than the first file that can be a dump, and what follows it if that is small.
    """
    dumps = 0
    try:
        for member, _ in islice(members_in(stream), MOST_MEMBERS):
            name = member.name.removeprefix("./")
            if MEMBER.match(PurePosixPath(name).name):
                return "tar" if name == TOC and not dumps else "directory"
            dumps += is_dump_name(name) and not is_physical(name)
            if is_physical(name) or dumps > 1:
                return ""
            if dumps and member.size > LARGE:
                break
    except Damaged:
        pass
    return "dump" if dumps == 1 else ""


def is_physical(name: str) -> bool:
    """Whether a tar with that member is a physical backup, or WAL."""
    return by_member(name) is not None


def unpack_directory(stream: IO[bytes], folder: Path) -> None:
    """Unpack the directory-format dump in the tar archive in `stream` into the new `folder`."""
    from restore_drill.backups.written import write_all  # noqa: PLC0415

    folder.mkdir(mode=0o700)
    inside = ""
    for member, file in members_in(stream):
        path = PurePosixPath(member.name)
        if not MEMBER.fullmatch(path.name):
            continue
        if inside and inside != str(path.parent):
            raise several(inside, str(path.parent))
        inside = str(path.parent)
        with (folder / path.name).open("xb", 0) as target, explained():
            while piece := file.read(1 << 20):
                write_all(target, piece, folder)
    if not (folder / TOC).exists():
        raise Damaged("the tar archive around it is truncated: its toc.dat is missing")


def toc_in(stream: IO[bytes]) -> bytes:
    """The table of contents of the directory-format dump in the tar archive in `stream`."""
    for member, file in members_in(stream):
        if PurePosixPath(member.name).name == TOC:
            with explained():
                return file.read()
    raise Damaged("the tar archive around it is truncated: its toc.dat is missing")
