"""Whether the rows of a table, in a file of their own without compression, go on to their end.

Nothing else would tell: pg_restore ends a table where its file does. As SQL, what follows would be
rows of a table that has one column of text.
"""

from __future__ import annotations

import re
import tarfile
from pathlib import Path
from typing import IO

DATA = re.compile(r"\d+\.dat")
"""The file of a table's rows; one that is compressed has an end of its own."""
HEAD, TAIL = len(b"INSERT INTO "), 16


def has_end(stream: IO[bytes], size: int) -> bool:
    """Whether the `size` bytes in `stream` end as pg_dump ends the rows of a table."""
    head = stream.read(HEAD)
    stream.seek(max(0, size - TAIL))
    tail = stream.read(TAIL)
    text = tail.rstrip(b"\n")
    if head == b"\n\n" or text == b"\\." or text.endswith(b"\n\\."):
        return True
    # Rows of a COPY may begin so too. One line's end is that of the last statement.
    return head == b"INSERT INTO " and text.endswith(b";") and tail.endswith(b"\n\n")


def is_cut(folder: Path, name: str, size: int) -> bool:
    """Whether the file `name` of a directory archive holds rows, and not all of them."""
    if not (size and DATA.fullmatch(name)):
        return False
    with (folder / name).open("rb") as file:
        return not has_end(file, size)


def is_cut_in(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bool:
    """The same of a `member` of a tar archive."""
    if not (member.size and DATA.fullmatch(member.name)):
        return False
    stream = tar.extractfile(member)
    return stream is not None and not has_end(stream, member.size)
