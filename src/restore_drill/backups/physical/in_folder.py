"""What the files of a data directory say: of a plain base backup, a cold copy, a snapshot."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from restore_drill.backups.physical.control import (
    CONTROL,
    ENOUGH,
    Control,
    control_of,
)
from restore_drill.backups.physical.files import (
    LINKS,
    WAL_DIR,
    head_of,
    modified_at,
    segments_in,
    sizes,
)
from restore_drill.backups.physical.labels import LABEL, MAP, MOST, Label, label_of, tablespaces_of
from restore_drill.backups.physical.manifests import MANIFEST, Manifest, manifest_at
from restore_drill.backups.physical.model import BASE, COLD, Member, Physical, Tablespace
from restore_drill.backups.physical.wal_header import Header, any_header_of
from restore_drill.backups.physical.wal_names import segment_name, segment_of, size_by_name

VERSION = "PG_VERSION"
USUAL = 1 << 24
"""Bytes of a WAL segment, unless initdb was told otherwise."""
AT_ONCE = 60.0
"""Seconds after its START TIME within which pg_basebackup writes a backup's label."""


def holds_files(path: Path) -> bool:
    """Whether a data directory lies at `path`, or what is left of one."""
    has_files = (path / "global").is_dir() or (path / "base").is_dir()
    is_named = any((path / name).is_file() for name in (LABEL, MANIFEST))
    return has_files and is_named if not (path / VERSION).is_file() else has_files or is_named


def major_in(folder: Path) -> int:
    """Major version that PG_VERSION in `folder` says, 0 for none."""
    return major_of(head_of(folder / VERSION, 16).strip().decode(errors="replace"))


def major_of(version: str) -> int:
    """Major version of a PG_VERSION, 0 where it says none."""
    text = version.partition(".")[0]
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else 0


def folder_backup(path: Path) -> Physical:
    """The data directory at `path`; OSError where it cannot be read."""
    label_data = head_of(path / LABEL, MOST)
    there = path / MANIFEST
    manifest = manifest_at(there) if there.is_file() else None
    control = control_of(head_of(path / CONTROL, ENOUGH))
    old = manifest is not None and is_of_an_earlier(manifest, label_of(label_data), control)
    manifest = None if old else manifest
    label = label_of(label_data, manifest.began if manifest else None)
    segments = segments_in(path / WAL_DIR)
    size = size_of_segments(first_header(path / WAL_DIR, segments), label)
    start, timeline, first = beginning(label, control, size, has_label=bool(label_data))
    stop = manifest.stop_lsn if manifest else None
    has_manifest = manifest is not None
    files = sizes(path)
    return Physical(
        kind=BASE if label_data or has_manifest else COLD,
        path=path,
        members=(Member(path, there if has_manifest else None),),
        major=major_in(path),
        system=system_of(manifest, control),
        timeline=timeline,
        start_lsn=start,
        stop_lsn=stop,
        first_segment=first,
        segment_size=size,
        started_at=label.started_at,
        stopped_at=stop_time(path, label, control, has_label=bool(label_data)),
        tablespaces=tablespaces_in(path),
        has_label=bool(label_data),
        shut_down=bool(control and control.is_shut_down),
        from_standby=label.from_standby,
        has_wal=holds(segments, first, stop, size),
        size=files[0],
        wal_size=files[1],
        version=head_of(path / VERSION, 16).strip().decode(errors="replace"),
        has_old_manifest=old,
    )


def is_of_an_earlier(manifest: Manifest, label: Label, control: Control | None) -> bool:
    """Whether a manifest is of an earlier backup: it ends before this copy begins.

    A server that was made from a base backup, each standby, keeps that one's manifest for ever. A
    label behind the checkpoint in pg_control is of another backup itself.
    """
    if control is None or manifest.stop_lsn is None:
        return False
    begin = control.redo if label.start_lsn is None else label.start_lsn
    return manifest.stop_lsn < begin <= control.redo


def first_header(folder: Path, segments: list[str]) -> Header | None:
    """What the first of `segments` in `folder` says that says anything."""
    headers = (any_header_of(head_of(folder / name, 64)) for name in segments)
    return next(filter(None, headers), None)


def size_of_segments(found: Header | None, label: Label) -> int:
    """Bytes of a WAL segment: by one that was `found`, or by the label."""
    if found:
        return found.size
    if label.start_lsn is not None:
        return size_by_name(label.first_segment, label.start_lsn) or USUAL
    return USUAL


def beginning(
    label: Label, control: Control | None, size: int, *, has_label: bool
) -> tuple[int | None, int, str]:
    """Where recovery begins, on which timeline, and in which segment."""
    if has_label or control is None:
        return label.start_lsn, label.timeline, label.first_segment
    return control.redo, control.timeline, segment_name(control.timeline, control.redo, size)


def system_of(manifest: Manifest | None, control: Control | None) -> str:
    """System identifier, by pg_control, which a server is started with, else by the manifest."""
    return control.system if control else manifest.system if manifest else ""


def holds(segments: list[str], first: str, stop: int | None, size: int) -> bool:
    """Whether `segments` reach from the `first` one to that of `stop` without a hole.

    Where nobody says where the backup ends, the first one must be there.
    """
    if stop is None:
        return first in segments
    begin = segment_of(first, size)
    if begin is None:
        return False
    named = filter(None, (segment_of(name, size) for name in segments))
    there = {each.number for each in named if each.timeline >= begin.timeline}
    needed = range(begin.number, max(stop - 1, 0) // size + 1)
    return bool(needed) and all(each in there for each in needed)


def tablespaces_in(path: Path) -> tuple[Tablespace, ...]:
    """Tablespaces of the source: by the map, else by the links that lie there."""
    if data := head_of(path / MAP, MOST):
        return tablespaces_of(data)
    found = []
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(path / LINKS) as entries:
        for entry in entries:
            if entry.name.isascii() and entry.name.isdigit() and len(entry.name) <= 10:
                is_link = entry.is_symlink()
                place = str(Path(entry.path).readlink()) if is_link else f"{LINKS}/{entry.name}"
                found.append(Tablespace(int(entry.name), "", place))
    return tuple(sorted(found))


def stop_time(
    path: Path, label: Label, control: Control | None, *, has_label: bool
) -> datetime | None:
    """When the backup ended, as far as its files prove it; the times of a copy prove nothing.

    pg_basebackup writes the label at once and the manifest last. Where the label is as old as it
    says, the files have kept their times. A server that was shut down wrote pg_control last, one
    that ran at its last checkpoint: a snapshot of it is that new at least.
    """
    if not has_label:
        return time_at(control.written) if control else None
    written, ended = modified_at(path / LABEL), modified_at(path / MANIFEST)
    if label.started_at is None or written is None or ended is None:
        return None
    is_kept = abs(written - label.started_at.timestamp()) <= AT_ONCE
    return time_at(ended) if is_kept and ended >= written else None


def time_at(seconds: float) -> datetime | None:
    """The time so many `seconds` after 1970; None for what is no time."""
    with suppress(OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(seconds, UTC)
    return None
