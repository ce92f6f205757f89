"""The values that Barman writes into a backup.info, as Python writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from restore_drill.backups.physical.model import Tablespace, lsn_of

QUOTED = r"""(?:'((?:[^'\\]|\\.)*+)'|"((?:[^"\\]|\\.)*+)")"""
SPACE = re.compile(rf"\({QUOTED}, *(\d{{1,10}}), *{QUOTED}\)")


def spaces_in(text: str) -> Iterator[Tablespace]:
    """The tablespaces in Barman's list of them."""
    for name, quoted, oid, place, placed in SPACE.findall(text):
        yield Tablespace(int(oid), plain(name or quoted), plain(place or placed))


def plain(text: str) -> str:
    """`text` without Python's escapes of quotes and backslashes."""
    return re.sub(r"\\(.)", r"\1", text)


def number_of(text: str) -> int:
    """The number that `text` is, 0 for none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def major_of(version: str) -> int:
    """Major version of a version as the server numbers it: 15 of 150018."""
    return number_of(version) // 10000


def place_of(text: str) -> int | None:
    """The LSN that `text` is, None for none."""
    with suppress(ValueError):
        return lsn_of(text)
    return None


def time_of(text: str) -> datetime | None:
    """The time that `text` is, in the machine's own zone where it names none; None for none."""
    with suppress(ValueError, OverflowError, OSError):
        return datetime.fromisoformat(text).astimezone(UTC)
    return None
