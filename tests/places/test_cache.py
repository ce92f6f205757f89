"""What was fetched is kept for the next drill: by version, whole, private, within a limit."""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import closing
from pathlib import Path

import pytest

from restore_drill.backups import cache
from restore_drill.backups.arrival import arrivals
from restore_drill.backups.cache import INNER, PART, Cache, ident_of, opened
from restore_drill.backups.model import Backup
from restore_drill.backups.read import read_contents
from restore_drill.config.settings import settings_from
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.units import parse_bytes
from restore_drill.selection import remote
from restore_drill.selection.chosen import Chosen, choose
from restore_drill.selection.left_mirrors import clean_left_mirrors
from tests.helpers.buckets import BUCKET, Proxy, keys_of, put
from tests.helpers.drills import ROOT, run_drill
from tests.helpers.shop import USUAL, Shops, quiet

DUMP = b"-- PostgreSQL database dump\n"


def chosen(s3: str, patch: pytest.MonkeyPatch, folder: str, kept: Path) -> Chosen:
    """The backup of a `folder` of the bucket, in a process that begins anew."""
    remote.clear()
    for name, value in {**keys_of(s3), "BACKUP_PATH": f"s3://{BUCKET}/{folder}"}.items():
        patch.setenv(name, value)
    return choose(settings_from({"cache": str(kept), "cache_size": "1MB"}, here=ROOT, root=ROOT))


def digest_of(found: Chosen, folder: Path) -> str | None:
    """SHA-256 of all that was read of the backup."""
    assert isinstance(found, Backup), found
    return read_contents(found, folder, quiet).sha256


def test_healthy_drills_share_a_transfer(shops: Shops, s3: str, tmp_path: Path) -> None:
    """The second reads no byte of the object from the bucket, and says so; both say how long."""
    data = shops.dump(USUAL, "plain.sql.gz").read_bytes()
    put(s3, "kept/shop.sql.gz", data)
    with closing(Proxy(s3)) as proxy:
        place = {"BACKUP_PATH": f"s3://{BUCKET}/kept", "DRILL_CACHE": str(tmp_path / "cache")}
        first, second = (
            run_drill(report_dir=tmp_path / name, cwd=ROOT, **place, **keys_of(proxy.url))
            for name in ("first", "second")
        )
    assert (first.code, second.code) == (0, 0), first.output + second.output
    fetched = [line for line in proxy.asked if line.endswith("/kept/shop.sql.gz")]
    assert len(fetched) == 1, proxy.asked
    for drill, is_kept in ((first, False), (second, True)):
        transfer = drill.result["backup"]["transfer"]
        assert (transfer["bytes"], transfer["from_cache"]) == (len(data), is_kept)
        assert drill.result["timings"]["transfer"] == pytest.approx(transfer["seconds"], abs=0.01)
        assert drill.result["backup"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert "Fetched: " in first.output and "Taken from the cache: " in second.output
    (entry,) = (tmp_path / "cache" / INNER).iterdir()
    assert entry.read_bytes() == data and entry.stat().st_mode & 0o777 == 0o600
    assert entry.parent.stat().st_mode & 0o777 == 0o700


def test_another_version_is_fetched(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one of the same size; what is kept of the older one does no harm."""
    for text in (b"one", b"two", b"one"):
        put(s3, "versions/shop.sql", DUMP + text)
        found = chosen(s3, monkeypatch, "versions", tmp_path / "cache")
        (tmp_path / text.hex()).mkdir(exist_ok=True)
        assert digest_of(found, tmp_path) == hashlib.sha256(DUMP + text).hexdigest()
    assert [each.is_kept for each in arrivals.values()] == [True]


def test_a_damaged_copy_is_no_damage_of_the_backup(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drill could not run; the copy is removed, and the next drill fetches the backup."""
    put(s3, "damaged/shop.sql", DUMP + bytes(1000))
    digest_of(chosen(s3, monkeypatch, "damaged", tmp_path / "cache"), tmp_path)
    remote.clear()
    (entry,) = (tmp_path / "cache" / INNER).iterdir()
    entry.write_bytes(DUMP + b"x" * 1000)
    found = chosen(s3, monkeypatch, "damaged", tmp_path / "cache")
    assert isinstance(found, CouldNotRun)
    assert "in the cache was damaged, and has been removed" in found.what and found.remedy
    digest_of(chosen(s3, monkeypatch, "damaged", tmp_path / "cache"), tmp_path)
    assert [each.is_kept for each in arrivals.values()] == [False]


def test_half_a_transfer_is_not_kept(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was looked at alone, or was cut, leaves nothing; nor does what is too large."""
    put(s3, "half/shop.sql", DUMP + bytes(8 << 20))
    assert isinstance(chosen(s3, monkeypatch, "half", tmp_path / "cache"), Backup)
    remote.clear()
    assert not list((tmp_path / "cache").rglob("*-*"))
    digest_of(chosen(s3, monkeypatch, "half", tmp_path / "cache"), tmp_path)
    remote.clear()
    assert not list((tmp_path / "cache").rglob("*-*"))


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    """Until the next one fits; a file that was never finished goes after a day."""
    kept = opened(tmp_path / "cache", 250)
    file = tmp_path / "file"
    for number in range(3):
        file.unlink(missing_ok=True)
        file.write_bytes(b"%d" % number * 100)
        kept.keep(file, ident_of(f"{number}", "1"), hashlib.sha256(file.read_bytes()).hexdigest())
        for each in kept.folder.iterdir():
            os.utime(each, (each.stat().st_atime, each.stat().st_mtime - 1000))
        assert kept.find(ident_of("0", "1"), 100), "it is used each time"
    assert kept.find(ident_of("1", "1"), 100) is None
    assert b"".join(kept.find(ident_of("2", "1"), 100) or ()) == b"2" * 100
    part = kept.folder / f"x.1{PART}"
    part.touch()
    kept.prune(250)
    assert part.exists()
    os.utime(part, (0, 0))
    kept.prune(0)
    assert not list(kept.folder.iterdir())


def test_a_copy_is_made_where_no_link_can_be(tmp_path: Path) -> None:
    """The cache may be on another disk."""
    if not Path("/dev/shm").is_dir():  # noqa: S108
        pytest.skip("there is no second file system")
    kept = opened(tmp_path / "cache", 1000)
    other = Path(f"/dev/shm/restore-drill-{os.getpid()}")  # noqa: S108
    other.write_bytes(b"data")
    try:
        kept.keep(other, ident_of("a", "1"), hashlib.sha256(b"data").hexdigest())
    finally:
        other.unlink()
    (entry,) = kept.folder.iterdir()
    assert entry.read_bytes() == b"data" and entry.stat().st_mode & 0o777 == 0o600


def test_a_cache_that_is_not_our_own_is_refused(tmp_path: Path) -> None:
    """A link that somebody has put there; a folder that cannot be made."""
    (tmp_path / INNER).symlink_to("/nowhere")
    with pytest.raises(CouldNotRun, match="cannot be used") as error:
        opened(tmp_path, 1)
    assert "--cache" in error.value.remedy[0]
    (tmp_path / "file").touch()
    with pytest.raises(CouldNotRun, match="cannot be used"):
        opened(tmp_path / "file", 1)
    cache.use_cache(None, 1)
    assert cache.current() is None and Cache(tmp_path, 1)


def test_sizes_are_read_as_people_write_them() -> None:
    """Decimal and binary units; what is no size is an error of the setting."""
    sizes = {"20GB": 20 * 10**9, "1.5 tb": 15 * 10**11, "4GiB": 1 << 32, "17": 17, "3k": 3000}
    assert {text: parse_bytes(text) for text in sizes} == sizes
    for text in ("much", "5 apples", "GB", "1iB"):
        with pytest.raises(UsageError, match="is not a size"):
            settings_from({"cache_size": text}, here=ROOT, root=ROOT)


def test_what_a_killed_drill_has_fetched_is_removed(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By any drill, whatever its place, and by `clean`; not that of a drill that runs."""
    put(s3, "left/shop.sql", DUMP)
    found = chosen(s3, monkeypatch, "left", tmp_path / "kept")
    assert isinstance(found, Backup)
    other = found.path.parents[2].with_name("other-place")
    for name in ("files-1", "files-2"):
        (other / name).mkdir(parents=True)
        (other / name / "owner").touch()
        (other / name / "shop.sql").write_bytes(DUMP)

    with (other / "files-2/owner").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = clean_left_mirrors()  # as the command `clean` does, which would end other tests'
    assert done == [f"removed what a run that died had fetched: {other}/files-1"]
    assert not (other / "files-1").exists() and found.path.exists()
    assert (other / "files-2/shop.sql").exists()

    run_drill("-k", "backup", report_dir=tmp_path / "report")  # of the sample shop
    assert not list(other.iterdir())
