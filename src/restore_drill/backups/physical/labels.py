"""What a base backup says of itself in backup_label and tablespace_map."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

from restore_drill.backups.physical.model import Tablespace, lsn_of

LABEL, MAP = "backup_label", "tablespace_map"
MOST = 1 << 20
"""Bytes of either that are read: 5,000 tablespaces take half of it."""
LINE = re.compile(r"^([A-Z][A-Z ]*[A-Z]): ?(.*)$", re.MULTILINE)
START = re.compile(r"([0-9A-F]{1,8}/[0-9A-F]{1,8}) \(file ([0-9A-F]{24})\)")
NUMBER = re.compile(r"[0-9]{1,10}")
LSN = re.compile(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}")
TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?: ([A-Z]{1,6}|[+-]\d\d(?::?\d\d)?))?")
HOURS = {
    "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2,
    "EEST": 3, "MSK": 3, "JST": 9, "AEST": 10, "AEDT": 11, "EST": -5, "EDT": -4, "CDT": -5,
    "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
"""Zones of START TIME, which is written in the server's log_timezone. IST and CST are several."""
QUARTER = 900
"""Seconds: every zone is a number of them away from UTC."""
ABOUT = 120.0
"""Seconds that the label's file may be younger or older than its START TIME."""


class Label(NamedTuple):
    """A backup_label; what it does not say is None, empty or 1.

    `incremental_from` is where the backup began that this one is the increment of.
    """

    start_lsn: int | None = None
    first_segment: str = ""
    started_at: datetime | None = None
    timeline: int = 1
    from_standby: bool = False
    incremental_from: int | None = None
    stopped_at: datetime | None = None


def label_of(data: bytes, modified: float | None = None) -> Label:
    """What the bytes of a backup_label, or of a backup's history file, say.

    `modified` is when it was written, where that is proved: it tells the zone of a time in it.
    """
    found = dict(LINE.findall(data[:MOST].decode(errors="replace")))
    start = START.match(found.get("START WAL LOCATION", ""))
    before = LSN.match(found.get("INCREMENTAL FROM LSN", ""))
    timeline = found.get("START TIMELINE", "").strip()
    by_name = int(start[2][:8], 16) if start else 1
    return Label(
        start_lsn=lsn_of(start[1]) if start else None,
        first_segment=start[2] if start else "",
        started_at=time_of(found.get("START TIME", ""), modified),
        timeline=int(timeline) if NUMBER.fullmatch(timeline) else by_name,
        from_standby=found.get("BACKUP FROM", "").strip() == "standby",
        incremental_from=lsn_of(before[0]) if before else None,
        stopped_at=time_of(found.get("STOP TIME", ""), modified),
    )


def time_of(text: str, modified: float | None) -> datetime | None:
    """The time that a label has as `text`; None where its zone is not known.

    A zone that has no offset here is told by the time at which the file was written.
    """
    found = TIME.match(text)
    if not found:
        return None
    try:
        plain = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
        offset = offset_of(found[2] or "", plain, modified)
        return None if offset is None else plain - offset
    except (ValueError, OverflowError):
        return None


def offset_of(zone: str, plain: datetime, modified: float | None) -> timedelta | None:
    """What the `zone` of the time `plain` is ahead of UTC; ValueError where there is no such."""
    if zone[:1] in ("+", "-") and zone:
        ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:].lstrip(":") or 0))
        sign = -1 if zone[0] == "-" else 1
        return timezone(sign * ahead).utcoffset(None)
    if zone in HOURS:
        return timedelta(hours=HOURS[zone])
    if modified is None:
        return None
    away = plain.timestamp() - modified
    near = round(away / QUARTER) * QUARTER
    is_zone = abs(away - near) <= ABOUT and -12 * 3600 <= near <= 14 * 3600
    return timedelta(seconds=near) if is_zone else None


def tablespaces_of(data: bytes) -> tuple[Tablespace, ...]:
    """Tablespaces that the bytes of a tablespace_map name."""
    return tuple(lines_of(data[:MOST].decode(errors="surrogateescape")))


def lines_of(text: str) -> Iterator[Tablespace]:
    """A tablespace for each line `OID PATH`, in which a backslash keeps an end of a line."""
    for oid, path in re.findall(r"^(\d{1,10}) ((?:[^\\\n]|\\[\s\S])++)$", text, re.MULTILINE):
        yield Tablespace(int(oid), "", re.sub(r"\\([\s\S])", r"\1", path))
