"""What the tars of a base backup say (`pg_basebackup --format=tar`), compressed or not."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from restore_drill.backups.arrival import open_bytes
from restore_drill.backups.physical.control import (
    CONTROL,
    ENOUGH,
    Control,
    control_of,
)
from restore_drill.backups.physical.files import WAL_DIR
from restore_drill.backups.physical.in_folder import (
    VERSION,
    beginning,
    holds,
    major_of,
    size_of_segments,
    system_of,
)
from restore_drill.backups.physical.labels import LABEL, MAP, MOST, label_of, tablespaces_of
from restore_drill.backups.physical.manifests import MANIFEST, Manifest, manifest_at, sizes_in
from restore_drill.backups.physical.model import BASE, TAR, Member, Physical
from restore_drill.backups.physical.tar_reader import TarReader
from restore_drill.backups.physical.wal_header import Header, any_header_of
from restore_drill.backups.physical.wal_names import SEGMENT
from restore_drill.backups.streams import READ_ERRORS, compression_of, open_plain

NAME = re.compile(r"(base|pg_wal|\d{1,10})\.tar(\.[a-z0-9]{1,5})?")
BASE_TAR, WAL_TAR = "base", "pg_wal"


def tars_in(path: Path) -> dict[str, Path]:
    """Tars of a base backup in the folder at `path`, by what they hold: base, pg_wal, an OID."""
    found = [(NAME.fullmatch(each.name), each) for each in sorted(path.iterdir())]
    return {name[1]: each for name, each in found if name and each.is_file()}


def holds_tars(path: Path) -> bool:
    """Whether the tars of a base backup lie at `path`, or some of them."""
    tars = tars_in(path)
    return BASE_TAR in tars or (bool(tars) and (path / MANIFEST).is_file())


def compression_at(path: Path) -> str:
    """Compression of the file at `path`, by its first bytes."""
    with open_bytes(path) as file:
        return compression_of(file.read(8))


@dataclass
class Noted:
    """What was seen in a base.tar so far; `names` are those of the WAL segments in it."""

    label: bytes = b""
    map: bytes = b""
    label_time: float | None = None
    version: str = ""
    control: Control | None = None
    segment: Header | None = None
    names: list[str] = field(default_factory=list)
    wal_size: int = 0
    is_whole: bool = False

    def note(self, name: str, size: int, modified: int, read: Callable[[int], bytes]) -> None:
        """Note the member `name`, whose data `read` gives."""
        folder, _, base = name.rpartition("/")
        if name == LABEL:
            self.label, self.label_time = read(MOST), float(modified)
        elif name == MAP:
            self.map = read(MOST)
        elif name == CONTROL:
            self.control = control_of(read(ENOUGH))
        elif base == VERSION and not self.version:
            self.version = read(16).strip().decode(errors="replace")
        elif folder in ("", WAL_DIR) and SEGMENT.fullmatch(base):
            self.names.append(base)
            self.wal_size += size
            self.segment = self.segment or any_header_of(read(64))


def look_through(
    path: Path, enough: Callable[[Noted], bool], noted: Noted, seconds: float | None = None
) -> None:
    """Note what lies in the tar at `path`, until that is `enough`, or so many `seconds` are over.

    Where it is damaged that ends it: to say so is for who reads all of it.
    """
    until = None if seconds is None else time.monotonic() + seconds
    with suppress(*READ_ERRORS):
        compression = compression_at(path)
        with open_plain(path, compression) as stream:
            reader = TarReader(stream, seek=not compression)
            for entry in reader:
                noted.note(entry.name.removeprefix("./"), entry.size, entry.modified, reader.read)
                if enough(noted) or (until and time.monotonic() > until):
                    return
            noted.is_whole = True


def tar_backup(path: Path, seconds: float | None = None) -> Physical:
    """The base backup whose tars lie in the folder at `path`; OSError where it cannot be read.

    Where base.tar is compressed and no pg_wal.tar lies beside it, all of it is read, which ends
    after so many `seconds`: then what is not known yet is left empty.
    """
    tars = tars_in(path)
    there = path / MANIFEST
    manifest = manifest_at(there) if there.is_file() else None
    noted, wal = Noted(), Noted()
    has_wal_tar = WAL_TAR in tars

    def is_enough(found: Noted) -> bool:
        is_begun = bool(found.label and found.version)
        return is_begun and has_wal_tar

    if BASE_TAR in tars:
        look_through(tars[BASE_TAR], is_enough, noted, seconds)
    if has_wal_tar:
        is_named = not compression_at(tars[WAL_TAR])
        look_through(tars[WAL_TAR], lambda found: bool(found.names) and not is_named, wal, seconds)
    return described(path, tars, manifest, noted, wal if has_wal_tar else noted)


def described(
    path: Path, tars: dict[str, Path], manifest: Manifest | None, noted: Noted, wal: Noted
) -> Physical:
    """The backup at `path` of these `tars`, by what was `noted` of base.tar and of its `wal`."""
    label = label_of(noted.label, noted.label_time)
    has_label = bool(noted.label)
    size = size_of_segments(wal.segment, label)
    start, timeline, first = beginning(label, noted.control, size, has_label=has_label)
    stop = manifest.stop_lsn if manifest else None
    # Of a compressed pg_wal.tar the first name alone was read.
    is_begun = first in wal.names if wal is not noted else False
    has_wal = holds(wal.names, first, stop, size) or (is_begun and not wal.is_whole)
    whole = sizes_in(path / MANIFEST) if manifest else 0
    return Physical(
        kind=BASE,
        path=path,
        members=(Member(path, path / MANIFEST if manifest else None, TAR),),
        major=major_said(noted, wal),
        system=system_of(manifest, noted.control) or (wal.segment.system if wal.segment else ""),
        timeline=timeline,
        start_lsn=start,
        stop_lsn=stop,
        first_segment=first,
        segment_size=size,
        started_at=label.started_at,
        tablespaces=tablespaces_of(noted.map),
        compression=compression_at(tars.get(BASE_TAR) or next(iter(tars.values()))),
        has_label=has_label,
        shut_down=bool(noted.control and noted.control.is_shut_down),
        from_standby=label.from_standby,
        has_wal=has_wal,
        size=whole or sum(each.stat().st_size for name, each in tars.items() if name != WAL_TAR),
        wal_size=wal_bytes(wal, start, stop, size) if has_wal else 0,
        version=noted.version,
    )


def major_said(noted: Noted, wal: Noted) -> int:
    """Major version by a PG_VERSION in the tar, else by the WAL; 0 for none."""
    return major_of(noted.version) or (wal.segment.major if wal.segment else 0)


def wal_bytes(wal: Noted, start: int | None, stop: int | None, size: int) -> int:
    """Bytes of the WAL in the backup, as far as it was read; else of what it needs."""
    if wal.is_whole or start is None or stop is None:
        return wal.wal_size
    return (max(stop - 1, 0) // size - start // size + 1) * size
