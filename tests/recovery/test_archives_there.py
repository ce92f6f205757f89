"""Archives in a bucket, or on a server by SSH, are read as those in folders are."""

from __future__ import annotations

import gzip
import os
import pwd
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store

from restore_drill.config import remote
from restore_drill.core.errors import CouldNotRun
from restore_drill.places import trying
from restore_drill.recovery.archives.choice import archive_of
from restore_drill.recovery.fetching import Fetcher
from restore_drill.recovery.model import Archive
from tests.helpers.buckets import BUCKET, Proxy, keys_of, put, s3_server, writer
from tests.helpers.physical import source
from tests.helpers.replay import replay, run_directory
from tests.helpers.ssh import SshServer, ssh_home, ssh_server
from tests.recovery.test_archives import BACKUP, name, wal

ME = pwd.getpwuid(os.getuid()).pw_name
Put = Callable[[str, bytes], None]
There = tuple[str, Put]


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of an S3 server."""
    with s3_server(tmp_path_factory.mktemp("s3")) as url:
        yield url


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """A server by SSH, run by whoever runs the tests."""
    with ssh_server(tmp_path_factory.mktemp("ssh"), ME) as server:
        yield server


@pytest.fixture(params=["s3", "sftp"])
def there(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> There:
    """URL of a folder elsewhere, and how a test writes there."""
    monkeypatch.setattr(trying, "PAUSE", 0.01)
    monkeypatch.setattr("restore_drill.recovery.archives.remote.PAUSE", 0.01)
    if request.param == "s3":
        url: str = request.getfixturevalue("s3")
        use(monkeypatch, url)
        return f"s3://{BUCKET}/{tmp_path.name}", lambda key, data: put(
            url, f"{tmp_path.name}/{key}", data
        )
    server: SshServer = request.getfixturevalue("ssh")
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("HOME", str(ssh_home(tmp_path / "home", server)))

    def write(key: str, data: bytes) -> None:
        path = tmp_path / "there" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    return server.url(tmp_path / "there"), write


def use(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Let the S3 server at `url` be the one that is asked."""
    for key, value in keys_of(url).items():
        monkeypatch.setenv(key, value)


def opened(url: str) -> Archive:
    """The archive at `url`."""
    found = archive_of(BACKUP, url)
    assert found is not None
    return found


@pytest.mark.parametrize("branch", ["", "0000000100000000/"])
def test_segments_come_from_there(there: There, branch: str, tmp_path: Path) -> None:
    """Compressed or not, in folders or flat; also one that has come since the list."""
    url, write = there
    write(f"{branch}{name(3)}.gz", gzip.compress(wal(name(3))))
    write(f"{branch}{name(4)}.gz", gzip.compress(wal(name(4))))
    write("other/0000000100000000000000FF.gz", b"of another server")
    write("xlog.db", b"")
    archive = opened(url)
    assert archive.names() == [name(3), name(4)]
    write(f"{branch}{name(5)}.gz", gzip.compress(wal(name(5))))
    for number in (3, 4, 5):
        assert archive.fetch(name(number), tmp_path / "to")
        assert (tmp_path / "to").read_bytes() == wal(name(number))
    assert not archive.fetch(name(6), tmp_path / "to")
    assert not archive.fetch("xlog.db", tmp_path / "to")
    assert not list(tmp_path.glob("*.raw"))


def test_histories_and_what_is_unfinished_come_too(there: There, tmp_path: Path) -> None:
    """As from a folder."""
    url, write = there
    write("00000002.history", b"1\t0/300000\tx\n")
    write(f"{name(3, timeline=2)}.partial", wal(name(3, timeline=2))[:5000])
    archive = opened(url)
    assert archive.fetch("00000002.history", tmp_path / "history")
    assert (tmp_path / "history").read_bytes() == b"1\t0/300000\tx\n"
    assert archive.fetch(name(3, timeline=2), tmp_path / "to")
    assert (tmp_path / "to").read_bytes() == wal(name(3, timeline=2))


def test_a_place_that_does_not_answer_is_not_the_end(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor one that goes away in the middle: neither is what it lacks."""
    monkeypatch.setattr(trying, "PAUSE", 0.01)
    put(s3, f"{tmp_path.name}/{name(3)}", wal(name(3)))
    proxy = Proxy(s3)
    use(monkeypatch, proxy.url)
    archive = opened(f"s3://{BUCKET}/{tmp_path.name}")
    assert archive.fetch(name(3), tmp_path / "to")
    proxy.limit = 100
    with pytest.raises(CouldNotRun, match="cannot be read"):
        archive.fetch(name(3), tmp_path / "to")
    proxy.close()
    with pytest.raises(CouldNotRun, match="cannot be read"):
        archive.fetch(name(4), tmp_path / "to")


def test_a_server_recovers_from_a_bucket(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sees neither the bucket nor the keys to it."""
    use(monkeypatch, s3)
    with source(rows=50) as found:
        backup = found.base_backup("backup")
        for number in range(3):
            found.commit(f"commit {number}")
            segment = found.switch()
            path = found.archive / segment
            store: S3Store = writer(s3)
            obstore.put(store, f"{tmp_path.name}/{segment}", path.read_bytes())
        archive = opened(f"s3://{BUCKET}/{tmp_path.name}")
        with (
            run_directory(found) as run,
            Fetcher(archive, run, found.launcher) as fetcher,
            replay(found, run, backup, fetcher.command) as server,
        ):
            assert server.wait(), server.log()
            assert server.events() == [f"commit {number}" for number in range(3)]
        assert not fetcher.faults


def test_a_mirror_stands_for_its_place(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings give the path of one for what --wal names."""
    use(monkeypatch, s3)
    path = remote.remote_path({"wal": f"s3://{BUCKET}/some/wal"}, "wal")
    assert path is not None
    found = archive_of(BACKUP, path)
    assert found is not None and found.words == f"s3://{BUCKET}/some/wal/"
    assert found.names() == []
    beside = archive_of(replace(BACKUP, archive=path / "archive"), None)
    assert beside is not None and beside.words == f"s3://{BUCKET}/some/wal/archive/"
