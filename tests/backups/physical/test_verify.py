"""Each damage of a base backup is named before anything is restored."""

from __future__ import annotations

import gzip
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from restore_drill.backups.physical import stalled
from restore_drill.backups.physical.kinds import physical_at
from restore_drill.backups.physical.verify import Verified, verify
from tests.helpers.physical import Source, copied

PAGE = 8192
Damage = Callable[[Path], object]


def verified(path: Path, tmp_path: Path) -> Verified:
    """What is found out about the backup at `path`."""
    physical = physical_at(path)
    assert physical is not None
    folder = tmp_path / "private"
    folder.mkdir()
    read: list[int] = []
    found = verify(physical, folder, read.append)
    assert read == sorted(read)
    return found


def largest(folder: Path) -> Path:
    """The largest file of a database in `folder`."""
    return max((folder / "base").rglob("*"), key=lambda each: each.stat().st_size)


def flip(path: Path, place: int) -> None:
    """Turn over the bits of one byte."""
    data = bytearray(path.read_bytes())
    data[place] ^= 0xFF
    path.write_bytes(data)


def cut(path: Path, by: int) -> None:
    """Take the last bytes off a file."""
    path.write_bytes(path.read_bytes()[:-by])


def edited(path: Path, old: str, new: str) -> None:
    """Write `new` where `old` stands in a text."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def segment_in(folder: Path) -> Path:
    """The first WAL segment of a plain backup."""
    return min(each for each in (folder / "pg_wal").iterdir() if each.is_file())


PLAIN: dict[str, tuple[Damage, str]] = {
    "bit": (lambda at: flip(largest(at), 3 * PAGE + 100), "checksum mismatch for file"),
    "page zeroed": (
        lambda at: largest(at).write_bytes(bytes(PAGE) + largest(at).read_bytes()[PAGE:]),
        "checksum mismatch",
    ),
    "cut": (lambda at: cut(largest(at), PAGE), "has size"),
    "file gone": (lambda at: largest(at).unlink(), "is present in the manifest but not on disk"),
    "extra file": (lambda at: (at / "base" / "x").write_text("x"), "but not in the manifest"),
    "label gone": (lambda at: (at / "backup_label").unlink(), "it has no backup_label"),
    "label of another": (
        lambda at: edited(at / "backup_label", "START WAL LOCATION: 0/", "START WAL LOCATION: 1/"),
        "its backup_label begins at 1/",
    ),
    "manifest edited": (
        lambda at: edited(at / "backup_manifest", '"Size": 3,', '"Size": 4,'),
        "its own checksum differs",
    ),
    "manifest cut": (lambda at: cut(at / "backup_manifest", 300), "is cut"),
    "wal gone": (
        lambda at: segment_in(at).rename(at / "pg_wal" / "archive_status" / "x"),
        "",
    ),
    "bit in wal": (lambda at: flip(segment_in(at), 100), "the WAL in the backup: "),
    "wal cut": (lambda at: cut(segment_in(at), PAGE), "bytes, not 16,777,216"),
    "control gone": (lambda at: (at / "global/pg_control").unlink(), "pg_control is missing"),
    "tablespace gone": (
        lambda at: shutil.rmtree(Path(f"{at}.ts1")),
        "is missing: pg_tblspc/",
    ),
    "file of a tablespace": (
        lambda at: next(each for each in Path(f"{at}.ts1").rglob("1*[0-9]") if each.is_file()
                        ).unlink(),
        "pg_tblspc/",
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", PLAIN)
def test_damaged_plain_backup_is_named(damage: str, source15: Source, tmp_path: Path) -> None:
    """Each damage that the manifest, the label or the WAL inside shows, in words."""
    path = copied(source15.folder / "plain", tmp_path / "backup")
    act, words = PLAIN[damage]
    act(path)

    found = verified(path, tmp_path)

    assert "\n".join(found.faults).count(words), found
    if damage == "wal gone":  # then it needs an archive, which is for the recovery to say
        physical = physical_at(path)
        assert physical is not None and not physical.has_wal
    else:
        assert found.faults, damage


@pytest.mark.parametrize(
    "form", ["plain", "tar", "gzip", "lz4", "zstd", "fetch", "fetch gzip", "none"]
)
def test_whole_backup_is_without_faults(form: str, source15: Source, tmp_path: Path) -> None:
    """In each form and compression, with or without WAL: no fault, all of it read."""
    found = verified(source15.folder / form, tmp_path)

    assert found.faults == () and found.told == ()
    assert found.read_bytes > 20e6


def packed_anew(tar: Path, change: Callable[[tarfile.TarInfo], tarfile.TarInfo | None]) -> None:
    """Write a tar anew, each member as `change` gives it, without those that it gives not."""
    old = tar.rename(tar.with_name("old"))
    with tarfile.open(old) as source, tarfile.open(tar, "w", format=tarfile.USTAR_FORMAT) as to:
        for member in source:
            file = source.extractfile(member) if member.isfile() else None
            if (changed := change(member)) is not None:
                to.addfile(changed, file)
    old.unlink()


def without(name: str) -> Callable[[tarfile.TarInfo], tarfile.TarInfo | None]:
    """Leave out the member `name`."""
    return lambda member: None if member.name == name else member


def renamed(old: str, new: str) -> Callable[[tarfile.TarInfo], tarfile.TarInfo | None]:
    """Give the member `old` another name."""
    return lambda member: member.replace(name=new) if member.name == old else member


def changed(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Change the bytes of a file."""
    path.write_bytes(change(path.read_bytes()))


def tablespace_tar(folder: Path) -> Path:
    """The tar of the tablespace."""
    return next(each for each in folder.iterdir() if each.name[0].isdigit())


GZIP: dict[str, tuple[Damage, str]] = {
    "cut": (lambda at: cut(at / "base.tar.gz", 1000), "base.tar.gz cannot be decompressed"),
    "without its end": (lambda at: cut(at / "base.tar.gz", 8), "base.tar.gz"),
    "bit": (lambda at: flip(at / "base.tar.gz", 300_000), "base.tar.gz"),
    "tablespace cut": (lambda at: cut(tablespace_tar(at), 50), "tar.gz"),
    "wal cut": (lambda at: cut(at / "pg_wal.tar.gz", 50), "pg_wal.tar.gz"),
}
TARS: dict[str, tuple[Damage, str]] = {
    "cut": (lambda at: cut(at / "base.tar", 1024), "base.tar: it ends after"),
    "bit in a file": (lambda at: flip(at / "base.tar", 9_000_000), "checksum mismatch"),
    "bit in a header": (
        lambda at: changed(at / "base.tar", lambda data: data.replace(b"base/5/", b"base/6/", 1)),
        "the header of a member in it is damaged",
    ),
    "something behind": (
        lambda at: changed(at / "base.tar", lambda data: data + b"x" * 600),
        "something follows behind the end of the tar",
    ),
    "base gone": (
        lambda at: (at / "base.tar").unlink(),
        "the tar of the server's files is missing: base.tar",
    ),
    "label gone": (
        lambda at: packed_anew(at / "base.tar", without("backup_label")),
        "it has no backup_label",
    ),
    "file gone": (
        lambda at: packed_anew(at / "base.tar", without("global/1262")),
        '"global/1262" is present in the manifest but not on disk',
    ),
    "tablespace gone": (lambda at: tablespace_tar(at).unlink(), "in the manifest but not on disk"),
    "wal emptied": (
        lambda at: packed_anew(at / "pg_wal.tar", lambda _: None),
        "the WAL in the backup lacks the segment",
    ),
    "bit in wal": (lambda at: flip(at / "pg_wal.tar", 600), "the WAL in the backup: "),
    "path that climbs": (
        lambda at: packed_anew(at / "base.tar", renamed("PG_VERSION", "../PG_VERSION")),
        "../PG_VERSION leads out of the backup",
    ),
    "manifest of another": (
        lambda at: shutil.copy(at.parent / "gzip" / "backup_manifest", at / "backup_manifest"),
        "its backup_label begins at",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("form", "damage"),
    [("tar", name) for name in TARS] + [("gzip", name) for name in GZIP],
)
def test_damaged_tars_are_named(form: str, damage: str, source15: Source, tmp_path: Path) -> None:
    """Each is read to its very end, and compared with the manifest."""
    for name in ("tar", "gzip"):
        shutil.copytree(source15.folder / name, tmp_path / name)
    act, words = (TARS if form == "tar" else GZIP)[damage]
    act(tmp_path / form)

    found = verified(tmp_path / form, tmp_path)

    assert words in "\n".join(found.faults), found


@pytest.mark.parametrize("is_damaged", [False, True])
def test_gzip_of_several_parts_is_read(
    source15: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_damaged: bool
) -> None:
    """As gzip itself reads it; pg_verifybackup of PostgreSQL 18 never ends on it."""
    monkeypatch.setattr(stalled, "PATIENCE", 2.0)
    path = tmp_path / "backup"
    shutil.copytree(source15.folder / "gzip", path)
    tar = bytearray(gzip.decompress((path / "base.tar.gz").read_bytes()))
    tar[9_000_000] ^= is_damaged
    parts = [gzip.compress(tar[:5_000_000], 1), gzip.compress(tar[5_000_000:], 1)]
    (path / "base.tar.gz").write_bytes(b"".join(parts))

    found = verified(path, tmp_path)

    assert ("checksum mismatch" in "".join(found.faults)) is is_damaged
    assert bool(found.faults) is is_damaged


def test_tars_lie_among_other_things(source15: Source, tmp_path: Path) -> None:
    """A note or a folder of WAL beside the tars is no fault of theirs."""
    path = tmp_path / "backup"
    shutil.copytree(source15.folder / "gzip", path)
    (path / "README").write_text("taken on Sundays")
    (path / "wal").mkdir()
    assert verified(path, tmp_path).faults == ()


def test_backup_without_a_manifest_is_told(source15: Source, tmp_path: Path) -> None:
    """What that leaves open is said; it is no fault."""
    path = copied(source15.folder / "plain", tmp_path / "backup")
    (path / "backup_manifest").unlink()

    found = verified(path, tmp_path)

    assert found.faults == ()
    assert "no manifest" in found.told[0][1]


def test_chain_is_verified_member_by_member(source18: Source, tmp_path: Path) -> None:
    """A damaged full backup is named, though what pg_combinebackup makes of it verifies green."""
    for name in ("full", "inc1", "inc2"):
        copied(source18.folder / name, tmp_path / name)
    assert verified(tmp_path / "inc2", tmp_path).faults == ()
    flip(largest(tmp_path / "full"), 3 * PAGE + 100)
    shutil.rmtree(tmp_path / "private")

    found = verified(tmp_path / "inc2", tmp_path)

    assert len(found.faults) == 1
    assert found.faults[0].startswith("full: checksum mismatch")


def test_missing_member_of_a_chain_is_named_by_its_lsn(source18: Source, tmp_path: Path) -> None:
    """The LSN at which it begins finds it on another disk."""
    place = tmp_path / "far" / "away"  # not beside the copies of other tests
    place.mkdir(parents=True)
    for name in ("full", "inc2"):
        copied(source18.folder / name, place / name)
    missing = physical_at(source18.folder / "inc1")
    assert missing is not None and missing.start_lsn is not None

    found = verified(place / "inc2", tmp_path)

    assert "inc2 is an incremental backup" in found.faults[0]
    assert f"begins at LSN 0/{missing.start_lsn:X}" in found.faults[0]


def test_chain_with_tars_is_whole(source18: Source, tmp_path: Path) -> None:
    """Members may have several forms."""
    assert verified(source18.folder / "inc3", tmp_path).faults == ()


def test_snapshot_of_a_running_server_is_a_fault(source15: Source, tmp_path: Path) -> None:
    """Copied without a label it may lack commits, and nothing else shows that."""
    path = copied(source15.data, tmp_path / "data")
    (path / "postmaster.pid").unlink()
    assert (
        "it has no backup_label, and its server was not shut down"
        in verified(path, tmp_path).faults[0]
    )


def test_parts_of_several_servers_are_named(
    source15: Source, source18: Source, tmp_path: Path
) -> None:
    """The pg_control of another server is not this one's, whatever else is in order."""
    path = copied(source18.folder / "full", tmp_path / "backup")
    shutil.copyfile(source15.data / "global/pg_control", path / "global/pg_control")
    assert any("of several servers" in each for each in verified(path, tmp_path).faults)
