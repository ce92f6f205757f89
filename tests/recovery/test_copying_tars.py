"""The tars of base backups are unpacked into the drill's own folder, whatever they hold."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import lz4.frame
import pytest
import zstandard

from restore_drill.core.errors import BackupFault, CouldNotRun
from tests.helpers.copies import census, copied_to, run_directory, started
from tests.helpers.physical import Source, source

PACKED = {"tar": (), "gzip": ("--gzip",), "fetched": ("-X", "fetch", "--gzip")}
BY_US = {
    "lz4": (".lz4", lz4.frame.compress), "zstd": (".zst", zstandard.ZstdCompressor().compress),
}  # fmt: skip
"""Compressions that not every build of PostgreSQL can do."""


@pytest.fixture(scope="module")
def shop() -> Iterator[Source]:
    """Server with the backups of PACKED, and those of BY_US."""
    with source(15, rows=200) as found:
        for name, options in PACKED.items():
            found.base_backup(name, *options, form="tar")
        for name, (suffix, compress) in BY_US.items():
            (found.folder / name).mkdir()
            for each in (found.folder / "tar").iterdir():
                is_tar = each.suffix == ".tar"
                target = found.folder / name / f"{each.name}{suffix if is_tar else ''}"
                data = each.read_bytes()
                target.write_bytes(compress(data) if is_tar else data)
        yield found


@pytest.fixture
def run() -> Iterator[Path]:
    """A run directory."""
    with run_directory() as found:
        yield found


@pytest.fixture
def backup(shop: Source, tmp_path: Path) -> Path:
    """A copy of the backup `tar`, for a test to damage."""
    return Path(shutil.copytree(shop.folder / "tar", tmp_path / "backup"))


def add(tar: Path, name: str, data: bytes = b"", **values: object) -> None:
    """Put a member into `tar`, at its end."""
    member = tarfile.TarInfo(name)
    member.size = len(data)
    for key, value in values.items():
        setattr(member, key, value)
    with tarfile.open(tar, "a") as file:
        file.addfile(member, io.BytesIO(data))


@pytest.mark.parametrize("name", [*PACKED, *BY_US])
def test_tars_start_once_they_are_unpacked(name: str, shop: Source, run: Path) -> None:
    """Of each compression, with the tablespace; the backup was not touched."""
    before = census(shop.folder / name)
    found = copied_to(run, shop.folder / name)
    assert found.had_label and not found.told
    (link,) = (run / "data/pg_tblspc").iterdir()
    assert link.readlink() == run / "tablespaces" / link.name
    for path in (*(run / "data").rglob("*"), *(run / "tablespaces").rglob("*")):
        status = path.lstat()
        assert status.st_uid == (shop.launcher.account or (os.geteuid(),))[0]
        wanted = 0o777 if path.is_symlink() else 0o700 if path.is_dir() else 0o600
        assert status.st_mode & 0o777 == wanted, path
    with started(shop, run) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (500,)
    assert census(shop.folder / name) == before


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("/srv/outside", {}),
        ("../outside", {}),
        ("base/../../outside", {}),
        ("base/1/99", {"type": tarfile.SYMTYPE, "linkname": "/srv"}),
        ("base/1/99", {"type": tarfile.LNKTYPE, "linkname": "PG_VERSION"}),
        ("base/1/99", {"type": tarfile.FIFOTYPE}),
        ("base/1/99", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 5}),
        ("pg_wal", {"type": tarfile.SYMTYPE, "linkname": "/srv"}),
        ("pg_tblspc/12/34", {"type": tarfile.SYMTYPE, "linkname": "/srv"}),
        ("PG_VERSION", {}),
        ("PG_VERSION/1", {}),
        ("base/" + "x" * 300, {}),
    ],
)  # fmt: skip
def test_what_no_server_writes_is_refused(
    name: str, values: dict[str, object], backup: Path, run: Path
) -> None:
    """Names that climb, links, devices, names that are there already or cannot be."""
    add(backup / "base.tar", name, b"", **values)
    with pytest.raises(BackupFault):
        copied_to(run, backup)
    assert sorted(each.name for each in run.iterdir()) == ["data"]
    assert list((run / "data").iterdir()) == []


def test_a_tablespace_without_its_tar_is_named(backup: Path, run: Path) -> None:
    """By the map, and by a link in base.tar."""
    (space,) = (each for each in backup.glob("*.tar") if each.stem.isdigit())
    space.rename(backup / "12345.tar")
    with pytest.raises(BackupFault, match=rf"the backup lacks tablespace {space.stem}\n"):
        copied_to(run, backup)
    (run / "data").rmdir()
    (backup / "12345.tar").rename(space)
    add(backup / "base.tar", "pg_tblspc/777", type=tarfile.SYMTYPE, linkname="/srv/x")
    with pytest.raises(BackupFault, match="the backup lacks tablespace 777\n"):
        copied_to(run, backup)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
@pytest.mark.parametrize("name", ["tar", "gzip", "zstd", "lz4"])
def test_a_tar_that_is_cut_is_a_fault_of_the_backup(
    name: str, share: float, shop: Source, tmp_path: Path, run: Path
) -> None:
    """Wherever it ends; nothing of it is left."""
    backup = Path(shutil.copytree(shop.folder / name, tmp_path / "cut"))
    (base,) = backup.glob("base.tar*")
    os.truncate(base, int(base.stat().st_size * share))
    with pytest.raises(BackupFault, match=r"base\.tar.* cannot be read to its end"):
        copied_to(run, backup)
    assert list((run / "data").iterdir()) == []


def test_links_that_no_server_needs_are_left_out_and_told(backup: Path, run: Path) -> None:
    """Such as the key of a server, in a tar that was made by hand."""
    add(backup / "base.tar", "server.key", type=tarfile.SYMTYPE, linkname="/etc/ssl/key")
    (told,) = copied_to(run, backup).told
    assert told[0] == "server.key in base.tar"


def test_a_bomb_ends_before_the_disk_is_full(
    backup: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a compressed tar holds is known only once it is unpacked."""
    from restore_drill.recovery.copies import work  # noqa: PLC0415

    packed = backup / "base.tar.gz"
    with gzip.open(packed, "wb", 1) as file, tarfile.open(fileobj=file, mode="w|") as tar:
        bomb = tarfile.TarInfo("base/1/1")
        bomb.size = 1 << 29
        with (Path("/dev/zero")).open("rb") as zeros:
            tar.addfile(bomb, zeros)
    (backup / "base.tar").unlink()
    monkeypatch.setattr(work, "TICK", 0.0)
    monkeypatch.setattr(work, "SPARED", 1.0)
    monkeypatch.setattr(work, "MOST_SPARED", shutil.disk_usage(run).free - (1 << 26))
    with pytest.raises(CouldNotRun, match="not enough space for a copy of the backup"):
        copied_to(run, backup)
    assert list((run / "data").iterdir()) == []


def test_names_of_any_bytes_are_kept(backup: Path, run: Path) -> None:
    """A name with an end of a line, and one that is no UTF-8."""
    add(backup / "base.tar", "base/1/with\nline", b"1")
    add(backup / "base.tar", os.fsdecode(b"base/1/\xff"), b"2")
    copied_to(run, backup)
    assert (run / "data/base/1/with\nline").read_bytes() == b"1"
    assert (run / "data/base/1" / os.fsdecode(b"\xff")).read_bytes() == b"2"


def test_something_behind_the_end_of_a_tar_is_a_fault(
    shop: Source, tmp_path: Path, run: Path
) -> None:
    """Two files that were put together: the second would be left out silently."""
    backup = Path(shutil.copytree(shop.folder / "zstd", tmp_path / "two"))
    base = backup / "base.tar.zst"
    with base.open("ab") as file:
        file.write(zstandard.compress(b"more"))
    with pytest.raises(BackupFault, match="cannot be read to its end"):
        copied_to(run, backup)
