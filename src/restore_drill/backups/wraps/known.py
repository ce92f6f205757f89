"""Whether bytes begin like something: how a key that fits is known where nothing else checks it."""

from __future__ import annotations

from restore_drill.backups.foreign import MAGIC as OTHERS
from restore_drill.backups.streams import MAGIC as COMPRESSIONS
from restore_drill.backups.tars import is_tar

SHORTEST = 48
"""Bytes of text that do not come by chance."""
LONGEST = 64
"""Bytes that are looked at: of more, a damaged one would make the right key seem a wrong one."""
GZIP = b"\x1f\x8b"
"""Two bytes, which come by chance too often: the third is always the same."""
BEGINS = (
    *(magic if magic != GZIP else GZIP + b"\x08" for magic in COMPRESSIONS),
    *(magic for magic, _ in OTHERS if len(magic) > 3),
    b"PGDMP",
)


def is_known(head: bytes) -> bool:
    """Whether what begins with `head` was meant to: a backup, an archive, or text."""
    return head.startswith(BEGINS) or is_tar(head) or is_text(head[:LONGEST])


def is_text(head: bytes) -> bool:
    """Whether it is text in UTF-8, the last character of which may be cut."""
    try:
        head.decode()
    except UnicodeDecodeError as error:
        head = head[: error.start] if error.start > len(head) - 4 else b""
    return len(head) >= SHORTEST and b"\0" not in head
