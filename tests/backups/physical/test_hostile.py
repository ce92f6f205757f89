"""What a damaged or hostile backup says of itself ends no drill, and leads nowhere."""

from __future__ import annotations

import io
import os
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from restore_drill.backups.physical.barman_text import spaces_in
from restore_drill.backups.physical.control import control_of
from restore_drill.backups.physical.files import head_of
from restore_drill.backups.physical.kinds import physical_at
from restore_drill.backups.physical.labels import label_of, tablespaces_of
from restore_drill.backups.physical.manifests import manifest_at
from restore_drill.backups.physical.model import Tablespace
from restore_drill.backups.physical.programs import Done
from restore_drill.backups.physical.quick import kind_at
from restore_drill.backups.physical.tar_reader import TarFault, TarReader
from restore_drill.backups.physical.verify import verify
from restore_drill.backups.physical.wal_header import any_header_of

LABEL = """START WAL LOCATION: 0/3000028 (file 000000010000000000000003)
CHECKPOINT LOCATION: 0/3000080
BACKUP FROM: standby
START TIME: {time}
LABEL: {label}
START TIMELINE: {timeline}
"""


def label(time: str = "", name: str = "x", timeline: str = "1") -> bytes:
    """The bytes of a backup_label."""
    return LABEL.format(time=time, label=name, timeline=timeline).encode()


TIMES = {
    "2026-11-30 01:00:00 UTC": 1, "2026-11-30 02:00:00 CET": 1, "2026-11-30 06:30:00 +0530": 1,
    "2026-11-29 20:00:00 -05": 1, "2026-11-30 06:30:00 IST": 1, "2026-11-30 03:33:00 XYZ": None,
    "9999-99-99 99:99:99 UTC": None, "0001-01-01 00:00:00 +14": None,
    "2026-11-30 01:00:00 +99:99": None, "": None,
}  # fmt: skip


@pytest.mark.parametrize("time", TIMES)
def test_time_of_a_label_is_read_in_its_zone(time: str) -> None:
    """A zone of several meanings is told by when the file was written, or not at all."""
    written = datetime(2026, 11, 30, 1, 0, 3, tzinfo=UTC)
    hour = TIMES[time]
    found = label_of(label(time), written.timestamp())
    assert found.started_at == (datetime(2026, 11, 30, hour, tzinfo=UTC) if hour else None)


def test_label_of_a_stranger_says_nothing() -> None:
    """Control characters, endless numbers, random bytes."""
    found = label_of(label(name="\x1b[2J\0::error::x", timeline="9" * 5000))
    assert (found.start_lsn, found.timeline, found.from_standby) == (0x3000028, 1, True)
    assert label_of(os.urandom(5000)).start_lsn is None
    assert label_of(b"A" * 3_000_000).start_lsn is None


def test_map_of_tablespaces_is_read_by_its_rules() -> None:
    """A path may hold a line feed, and what is no line of it is left out."""
    text = b"16386 /srv/ts1\n16387 /srv/a\\\nb\n99999999999999999 /x\nrubbish\n"
    assert tablespaces_of(text) == (
        Tablespace(16386, "", "/srv/ts1"),
        Tablespace(16387, "", "/srv/a\nb"),
    )


def test_list_of_barman_is_read_without_running_it() -> None:
    """Quotes of both kinds, and no expression."""
    text = r"""[('ts1', 16386, '/srv/ts1'), ("it's", 5, '/srv/a\'b'), __import__('os')]"""
    assert list(spaces_in(text)) == [
        Tablespace(16386, "ts1", "/srv/ts1"),
        Tablespace(5, "it's", "/srv/a'b"),
    ]


@pytest.mark.parametrize("data", [b"", b"[" * 100_000, os.urandom(100_000), b'"WAL-Ranges": ['])
def test_manifest_that_is_none_says_nothing(data: bytes, tmp_path: Path) -> None:
    """Its ends alone are read, and nothing is concluded from them."""
    path = tmp_path / "backup_manifest"
    path.write_bytes(data)
    assert manifest_at(path).ranges == ()


def test_random_bytes_are_no_control_file_and_no_segment() -> None:
    """Nor are zeros."""
    for data in (b"", bytes(8192), b"\xff" * 8192):
        assert control_of(data) is None and any_header_of(data) is None


def tar_of(name: str, size: str = "", kind: bytes = b"0") -> bytes:
    """A tar whose one header says that; its checksum is right."""
    header = bytearray(tarfile.TarInfo("x").tobuf(tarfile.USTAR_FORMAT))
    header[:100] = name.encode()[:100].ljust(100, b"\0")
    header[156:157] = kind
    if size:
        header[124:136] = size.encode("latin-1").ljust(12, b"\0")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + bytes(1024)


@pytest.mark.parametrize(
    "data",
    [
        b"", bytes(512), os.urandom(2048), tar_of("x", "77777777777"), tar_of("x", "-1"),
        tar_of("x", "\x80" + "\xff" * 11), tar_of("x", "77777777777", b"L"), tar_of("x") + b"more",
    ],
)  # fmt: skip
def test_damaged_tar_is_a_fault(data: bytes) -> None:
    """Whatever its headers say of sizes; no name of gigabytes is read."""
    with pytest.raises(TarFault):
        list(TarReader(io.BytesIO(data)))
    with pytest.raises(TarFault):
        list(TarReader(io.BytesIO(data), seek=True))


def folder(tmp_path: Path) -> Path:
    """A data directory with a label, and little else."""
    path = tmp_path / "backup"
    for name in ("global", "pg_tblspc", "pg_wal"):
        (path / name).mkdir(parents=True)
    (path / "PG_VERSION").write_text("15\n")
    (path / "backup_label").write_bytes(label("2026-11-30 01:00:00 UTC"))
    return path


def test_link_of_a_tablespace_is_not_followed_anywhere(tmp_path: Path) -> None:
    """Neither to the root nor in a circle: it is named."""
    path = folder(tmp_path)
    (path / "backup_manifest").write_text("{}")
    (path / "pg_tblspc" / "1").symlink_to("/")
    (path / "pg_tblspc" / "2").symlink_to(path / "pg_tblspc" / "2")
    (path / "pg_tblspc" / "3").symlink_to(path)
    physical = physical_at(path)
    assert physical is not None and physical.size < 10_000
    (tmp_path / "private").mkdir()
    faults = "\n".join(verify(physical, tmp_path / "private", lambda _: None).faults)
    assert "pg_tblspc/1 leads to /, which holds no tablespace" in faults
    assert "its tablespace 2 is missing" in faults and "its tablespace 3 is missing" in faults


def test_pipe_in_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    """It counts as no file."""
    path = folder(tmp_path)
    (path / "backup_label").unlink()
    os.mkfifo(path / "backup_label")
    assert head_of(path / "backup_label", 10) == b""
    assert kind_at(path) == "data directory"


def test_version_that_is_none_is_a_fault(tmp_path: Path) -> None:
    """No server of version 9999999999 is looked for."""
    path = folder(tmp_path)
    (path / "PG_VERSION").write_text("9999999999\n")
    physical = physical_at(path)
    assert physical is not None and physical.major == 0
    (tmp_path / "private").mkdir()
    found = verify(physical, tmp_path / "private", lambda _: None)
    assert any("it names no version" in each for each in found.faults)


def test_quoted_bytes_of_a_file_are_not_repeated() -> None:
    """Lines of a program that hold what is no text are left out."""
    done = Done(1, "ERROR: [025]: no\nat line 1: Salted__\ufffd\ufffd\nbad \x1b[2J\n")
    assert done.lines == ["ERROR: [025]: no"]
