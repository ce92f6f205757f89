"""An archive in a directory as SQL, its rows decompressed beside pg_restore.

pg_restore reads marks in place of the rows, so that what it writes is its own to the byte. Of 232
MB that takes half of the processor: ISA-L needs a third of zlib's time, and no pipe lies between.
"""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from restore_drill.backups.archive import Header
from restore_drill.backups.plaindump.lines import Readable
from restore_drill.backups.streams import READ_ERRORS
from restore_drill.backups.to_sql import SqlRun, restore_to_sql
from restore_drill.servers.binaries import Binaries

MEMBER = re.compile(r"(\d+\.dat)\.gz")
LARGE = 200_000
"""Bytes of a file from which on its rows go beside pg_restore."""
WORTH = 2_000_000
"""Bytes of such files below which the folder of marks costs more than it saves."""
MOST = 2000
"""Files of an archive above which it does too."""


class Unread(Exception):
    """Rows that cannot be decompressed here: pg_restore is to judge them itself."""


@contextmanager
def convert(
    header: Header, path: Path, *options: str, tools: Binaries, apart: bool
) -> Iterator[SqlRun]:
    """As `restore_to_sql`, with rows `apart` where that pays; Unread where they cannot be."""
    members = members_of(path) if apart and path.is_dir() else {}
    if not members:
        with restore_to_sql(header, path, *options, tools=tools) as run:
            yield run
        return
    token = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="restore-drill-spool-") as folder:
        for file in path.iterdir():
            if stem := members.get(file):
                Path(folder, stem).write_text(f"{token}{file.name}\n", encoding="ascii")
            else:
                Path(folder, file.name).symlink_to(file.absolute())
        with restore_to_sql(header, Path(folder), *options, tools=tools) as run:
            spliced = Spliced(run.output, token.encode(), path)
            run.output = cast("IO[bytes]", spliced)
            try:
                yield run
            finally:
                spliced.close()
        run.fault = run.fault.replace(folder, str(path))


def members_of(path: Path) -> Mapping[Path, str]:
    """The large files of rows in the folder `path`, with what they are called where not packed."""
    files = list(path.iterdir())
    if len(files) > MOST:
        return {}
    found = {file: name[1] for file in files if (name := MEMBER.fullmatch(file.name))}
    large = {file: stem for file, stem in found.items() if file.stat().st_size >= LARGE}
    is_worth_it = sum(file.stat().st_size for file in large) >= WORTH
    # pg_restore takes a file that is not packed before one that is.
    return {file: stem for file, stem in large.items() if is_worth_it and path / stem not in files}


class Spliced:
    """What pg_restore writes, with the rows of the files in `folder` where their marks stand.

    A mark is `token`, the file's name and the end of the line.
    """

    def __init__(self, stream: Readable, token: bytes, folder: Path) -> None:
        """Read `stream`."""
        self.stream, self.token, self.folder = stream, token, folder
        self.buffer = b""
        self.at_end = False
        self.rows: IO[bytes] | None = None

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, fewer than there are anywhere but at the end."""
        while not self.at_end or self.buffer or self.rows:
            data = self.take_rows(size) if self.rows else self.take_text(size)
            if data:
                return data
        return b""

    def take_rows(self, size: int) -> bytes:
        """Rows of the file that is open; none at its end."""
        assert self.rows is not None
        try:
            data = self.rows.read(size)
        except READ_ERRORS as error:
            raise Unread from error
        if not data:
            self.close()
        return data

    def take_text(self, size: int) -> bytes:
        """What stands before the next mark; none where rows follow, or more is to be read."""
        at = self.buffer.find(self.token)
        end = self.buffer.find(b"\n", len(self.token)) if at == 0 else -1
        if end > 0:
            name, self.buffer = self.buffer[len(self.token) : end], self.buffer[end + 1 :]
            self.rows = open_rows(self.folder / name.decode())
            return b""
        # The last bytes may be the beginning of a mark.
        held = 0 if self.at_end else len(self.token)
        ready = at if at > 0 else 0 if at == 0 and held else len(self.buffer) - held
        if ready <= 0:
            self.refill(size)
            return b""
        data = self.buffer[: ready if size < 0 else min(ready, size)]
        self.buffer = self.buffer[len(data) :]
        return data

    def refill(self, size: int) -> None:
        """Read more of what pg_restore writes."""
        data = self.stream.read(size)
        self.at_end = not data
        self.buffer += data

    def close(self) -> None:
        """Close the file that is open, if any."""
        rows, self.rows = self.rows, None
        if rows is not None:
            rows.close()


def open_rows(path: Path) -> IO[bytes]:
    """The rows in the file at `path`, decompressed by a thread of their own."""
    from isal import igzip_threaded  # noqa: PLC0415  # for few

    opened: Callable[..., IO[bytes]] = igzip_threaded.open
    try:
        return opened(path, "rb")
    except READ_ERRORS as error:
        raise Unread from error
