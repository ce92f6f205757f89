"""Archives in folders of every layout: what they have, and that it comes as it was written."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import lz4.frame
import pytest
import zstandard

from restore_drill.backups.physical.model import BASE, Physical
from restore_drill.backups.physical.wal_header import LONG
from restore_drill.backups.physical.wal_names import Segment, name_of, segment_of
from restore_drill.core.errors import BackupFault, CouldNotRun, UsageError
from restore_drill.recovery.archives.choice import archive_of
from restore_drill.recovery.archives.folder import Folder
from restore_drill.recovery.archives.header import Expected, why_wrong
from tests.helpers.surveys import survey_of

MB = 1 << 20
COMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstandard.ZstdCompressor().compress,
    ".lz4": lz4.frame.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
BACKUP = Physical(
    BASE, Path("/backup"), (), 15, segment_size=MB, first_segment="0" * 7 + "1" + "0" * 15 + "3"
)


def wal(name: str, system: int = 7, size: int = MB, length: int = 0) -> bytes:
    """A segment that has nothing but its first header."""
    named = segment_of(name, size)
    assert named is not None
    start = LONG.pack(0xD110, 2, named.timeline, named.number * size, 0, system, size, 8192)
    return start.ljust(length or size, b"\0")


def name(number: int, timeline: int = 1) -> str:
    """Name of a segment of a megabyte."""
    return name_of(Segment(timeline, number), MB)


def fetched(archive: Folder, what: str, tmp_path: Path) -> bytes | None:
    """What the archive gives, None where it has nothing."""
    to = tmp_path / "fetched"
    to.unlink(missing_ok=True)
    return to.read_bytes() if archive.fetch(what, to) else None


@pytest.mark.parametrize("suffix", COMPRESSED)
@pytest.mark.parametrize("branch", ["", "0000000100000000/"])
def test_a_segment_comes_as_it_was_written(suffix: str, branch: str, tmp_path: Path) -> None:
    """Flat or in folders, however it is compressed, and told by its content."""
    root = tmp_path / "wals"
    path = root / f"{branch}{name(3)}{suffix}"
    path.parent.mkdir(parents=True)
    path.write_bytes(COMPRESSED[suffix](wal(name(3))))
    archive = Folder(root)
    assert archive.names() == [name(3)]
    assert fetched(archive, name(3), tmp_path) == wal(name(3))
    assert fetched(archive, name(4), tmp_path) is None
    path.rename(path.with_name(name(3)))  # as Barman keeps it
    assert fetched(archive, name(3), tmp_path) == wal(name(3))


def test_an_archive_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its names and what base backups have left there come of one listing."""
    (tmp_path / name(3)).write_bytes(wal(name(3)))
    (tmp_path / f"{name(2)}.00000028.backup").touch()
    (tmp_path / "xlog.db").write_text(f"{name(1)}\t{MB}\t1.0\tNone\n")
    archive, listed, real = Folder(tmp_path), list[Path](), Folder.files

    def files(folder: Folder) -> Iterator[str]:
        listed.append(folder.path)
        return real(folder)

    monkeypatch.setattr(Folder, "files", files)
    assert name(3) in archive.names()
    assert archive.witnesses() == {name(1), name(2)}
    assert listed == [tmp_path]


def test_nothing_but_wal_is_served(tmp_path: Path) -> None:
    """Not what lies beside it, nor what a name with tricks leads to."""
    (tmp_path / "secret").write_text("secret")
    root = tmp_path / "wals"
    (root / "0000000100000000").mkdir(parents=True)
    for each in (
        "xlog.db",
        f"{name(3)}.00000028.backup",
        f"{name(3)}.tmp",
        f"{name(3)}.partial.gz.partial",
        "0000000g.history",
    ):
        (root / each).write_bytes(b"x")
    archive = Folder(root)
    assert archive.names() == []
    for trick in (
        "../secret",
        "xlog.db",
        f"{name(3)}/../../secret",
        f"{name(3)}\0",
        f"{name(3)}\n",
        "",
        ".",
        name(3).lower(),
        f"{name(3)}.00000028.backup",
    ):
        assert fetched(archive, trick, tmp_path) is None


def test_a_link_that_leads_nowhere_is_no_segment(tmp_path: Path) -> None:
    """One that leads to a segment is; a pipe is not waited for."""
    real = tmp_path / "real"
    real.write_bytes(wal(name(3)))
    (tmp_path / name(3)).symlink_to(real)
    (tmp_path / name(4)).symlink_to(tmp_path / "none")
    os.mkfifo(tmp_path / name(5))
    archive = Folder(tmp_path)
    assert fetched(archive, name(3), tmp_path) == wal(name(3))
    assert fetched(archive, name(4), tmp_path) is None
    with pytest.raises(BackupFault, match="it is no plain file"):
        fetched(archive, name(5), tmp_path)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_segment_that_is_being_written_is_waited_for(suffix: str, tmp_path: Path) -> None:
    """It comes whole, though it was not when it was asked for."""
    data = COMPRESSED[suffix](wal(name(3))[:64] + os.urandom(MB - 64))
    path = tmp_path / f"{name(3)}{suffix}"
    path.write_bytes(data[:1000])

    def write() -> None:
        for at in range(1000, len(data), len(data) // 4):
            time.sleep(0.2)
            with path.open("ab") as file:
                file.write(data[at : at + len(data) // 4])

    writing = threading.Thread(target=write)
    writing.start()
    found = fetched(Folder(tmp_path), name(3), tmp_path)
    writing.join()
    assert found == (gzip.decompress(data) if suffix else data)


def test_an_unfinished_segment_is_given_where_it_is_the_newest(tmp_path: Path) -> None:
    """As pg_receivewal leaves it, compressed too; not where a promotion has cut it off."""
    content = wal(name(3))[:5000]
    half = gzip.compress(content + os.urandom(9000))[:-500]
    for file, data in ((f"{name(3)}.partial", content), (f"{name(3)}.gz.partial", half)):
        path = tmp_path / file
        path.write_bytes(data)
        archive = Folder(tmp_path)
        assert archive.names() == [f"{name(3)}.partial"]
        found = fetched(archive, name(3), tmp_path)
        assert found is not None and len(found) == MB and found.startswith(content[:4000])
        for other in (name(4), name(3, timeline=2)):
            (tmp_path / other).write_bytes(wal(other))
            assert fetched(archive, name(3), tmp_path) is None
            (tmp_path / other).unlink()
        path.unlink()


def test_what_cannot_be_read_is_not_the_end(tmp_path: Path) -> None:
    """A folder that went away, or that another account keeps to itself."""
    root = tmp_path / "wals"
    root.mkdir()
    archive = Folder(root)
    root.rmdir()
    with pytest.raises(CouldNotRun, match="No such file or directory"):
        archive.fetch(name(3), tmp_path / "to")
    with pytest.raises(CouldNotRun, match="No such file or directory"):
        archive.names()
    with pytest.raises(CouldNotRun, match="No such file or directory"):
        Folder(root)


def test_encrypted_wal_is_no_damage(tmp_path: Path) -> None:
    """It is said that it is, and what to do."""
    (tmp_path / name(3)).write_bytes(b"Salted__" + os.urandom(MB))
    with pytest.raises(CouldNotRun, match=r"is encrypted \(openssl enc\)"):
        Folder(tmp_path).fetch(name(3), tmp_path / "to")


def changed(data: bytes, at: int, form: str, value: int) -> bytes:
    """`data` with another number in its first header."""
    size = struct.calcsize(form)
    return data[:at] + struct.pack(f"={form}", value) + data[at + size :]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (wal(name(3)), ""),
        (b"", "it is empty"),
        (wal(name(3))[:20], "it holds no WAL (20 bytes)"),
        (b"\0" * MB, "it holds no WAL (1,048,576 bytes)"),
        (b"<html>".ljust(MB), "it holds no WAL (1,048,576 bytes)"),
        (wal(name(3))[:-1], "it has 1,048,575 bytes of 1,048,576"),
        (wal(name(3)) + b"\0", "it has 1,048,577 bytes of 1,048,576"),
        (wal(name(3), system=8), "it is of another cluster: system identifier 8"),
        (wal(name(3), size=2 * MB), "it is of another cluster: segments of 2.1 MB"),
        (wal(name(4)), f"it holds the WAL of another segment, {name(4)}"),
        (wal(name(3, timeline=2)), f"it holds the WAL of another segment, {name(3, timeline=2)}"),
        (changed(wal(name(3)), 0, "H", 0xD113), "it was written by PostgreSQL 16"),
        (changed(wal(name(3)), 0, "H", 0xD1FF), "it was written by another version"),
        (changed(wal(name(3)), 32, "I", 3), "it holds no WAL (1,048,576 bytes)"),
    ],
)
def test_the_first_bytes_tell_what_a_segment_is(data: bytes, words: str, tmp_path: Path) -> None:
    """Of this cluster, this place, this version, and whole."""
    path = tmp_path / "file"
    path.write_bytes(data)
    assert why_wrong(path, name(3), Expected("7", MB, 15)) == words


def test_a_segment_may_begin_with_pages_of_the_timeline_before(tmp_path: Path) -> None:
    """The first of a new timeline does."""
    path = tmp_path / "file"
    path.write_bytes(wal(name(3)))
    assert why_wrong(path, name(3, timeline=2), Expected("7", MB, 15)) == ""


def test_an_archive_is_surveyed_for_a_backup(tmp_path: Path) -> None:
    """Its histories are read; one that is damaged is named."""
    for each in (name(3), name(4), name(5, timeline=2), name(7, timeline=2)):
        (tmp_path / each).write_bytes(wal(each))
    history = tmp_path / "00000002.history"
    history.write_text("1\t0/500028\tno recovery target specified\n")
    found = survey_of(Folder(tmp_path), BACKUP)
    assert [each.first for each in found.gaps] == [name(6, timeline=2)]
    assert survey_of(Folder(tmp_path), BACKUP, "1").newest == name(4)
    with pytest.raises(BackupFault, match="the archive has no history of timeline 3"):
        survey_of(Folder(tmp_path), BACKUP, "3")
    history.write_text("")
    with pytest.raises(BackupFault, match=r"00000002\.history is damaged: it names no timeline"):
        survey_of(Folder(tmp_path), BACKUP)


def test_the_archive_that_is_named_goes_before_the_backups_own(tmp_path: Path) -> None:
    """Barman's WAL may lie in three folders; a backup may have none."""
    for each, number in (("wals", 3), ("incoming", 4), ("streaming", 5)):
        (tmp_path / each).mkdir()
        (tmp_path / each / name(number)).write_bytes(wal(name(number)))
    found = archive_of(BACKUP, tmp_path / "wals")
    assert found is not None and found.names() == [name(3), name(4), name(5)]
    assert archive_of(BACKUP, None) is None
    with pytest.raises(
        UsageError, match=r"--wal .DRILL_WAL. names a link .https://example\.org/wal/."
    ):
        archive_of(BACKUP, "https://example.org/wal/archive?signature=secret")
