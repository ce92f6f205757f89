"""A zip archive around one dump."""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO

from restore_drill.backups.foreign import Foreign
from restore_drill.backups.reading import Reading
from restore_drill.backups.wraps.findings import Damaged
from restore_drill.backups.wraps.members import only_dump, several

ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError)
HAS_PASSWORD = 0x1


@contextmanager
def seekable(stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """`stream`, or a spooled copy without a name: a zip archive is read from its end."""
    if stream.seekable():
        yield stream
        return
    with tempfile.TemporaryFile() as spool:
        shutil.copyfileobj(stream, spool, 1 << 20)
        yield spool


class ZipMember(Reading):
    """The one dump in the zip archive of a stream; Damaged where the archive is."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Find it; a zip archive has its table of contents at its end."""
        self.stack = ExitStack()
        try:
            whole = self.stack.enter_context(seekable(stream))
            archive = self.stack.enter_context(zipfile.ZipFile(whole))
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
            name = only_dump(names)
            if not name:
                raise several(*[*names, "", ""][:2])
            self.member = self.stack.enter_context(archive.open(name))
        except ZIP_ERRORS as error:
            self.stack.close()
            raise Damaged(f"the zip archive around it is damaged or truncated: {error}") from None

    def give(self, size: int) -> bytes:
        """Of the dump; at its end its checksum has been compared."""
        try:
            return self.member.read(size)
        except ZIP_ERRORS as error:
            raise Damaged(f"the zip archive around it is damaged: {error}") from None

    def close(self) -> None:
        """Close the archive."""
        self.stack.close()
        super().close()


def open_zip(stream: IO[bytes]) -> IO[bytes]:
    """Bytes of the one dump in the zip archive in `stream`."""
    return io.BufferedReader(ZipMember(stream), 1 << 18)


def zip_of_what(stream: IO[bytes]) -> Foreign | None:
    """What the zip archive in `stream` is that holds not just one dump; None where it does.

    One that is damaged is for the full read to report.
    """
    try:
        with seekable(stream) as whole, zipfile.ZipFile(whole) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except ZIP_ERRORS:
        return None
    if any(info.flag_bits & HAS_PASSWORD for info in infos):
        return Foreign("a zip archive with a password", "zip")
    names = [info.filename for info in infos]
    if only_dump(names):
        return None
    held = f"that contains {names[0]} and more" if names else "that is empty"
    return Foreign(f"a zip archive {held}", "zip" if names else "job")
