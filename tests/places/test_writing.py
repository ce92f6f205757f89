"""What is written to a bucket of a real S3 server: whole, or not there at all."""

from __future__ import annotations

import hashlib
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import NoReturn

import pytest

from restore_drill.config.remote import Place
from restore_drill.core.errors import CouldNotRun
from restore_drill.places import feed, writing
from restore_drill.places.bucket import Bucket
from restore_drill.places.store import Object
from restore_drill.places.writing import AlreadyThere, delete, put, upload
from restore_drill.taking.bucket import BucketFolder
from tests.helpers.buckets import BUCKET, READER, WRITER, Proxy, keys_of

MB = 1 << 20
Open = Callable[..., Bucket]


@pytest.fixture
def opened(s3: str, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens the bucket by the key that may write, or by the one that is given."""

    def with_keys(url: str = s3, keys: tuple[str, str] = WRITER) -> Bucket:
        for name, value in keys_of(url, keys).items():
            monkeypatch.setenv(name, value)
        return Bucket(Place("s3", BUCKET, ""))

    return with_keys


def read(store: Bucket, what: Object) -> bytes:
    """All bytes of an object."""
    return store.read(what, 0, what.size)


def blocks(count: int) -> Iterator[bytes]:
    """So many megabytes, each of other bytes."""
    for number in range(count):
        yield hashlib.sha256(b"%d" % number).digest() * (MB // 32)


@contextmanager
def silent() -> Iterator[str]:
    """URL of a server that takes connections, and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """What is inside is interrupted by a signal, as by Ctrl-C, and ends within moments."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - began < seconds + 2


@pytest.mark.parametrize("scheme", ["sftp", "https"])
def test_only_a_bucket_is_written_to(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is told before a library is asked for, which would not help."""
    monkeypatch.setitem(sys.modules, "asyncssh", None)
    with pytest.raises(CouldNotRun, match=f"cannot be written to {scheme}://") as refused:
        BucketFolder(Place(scheme, "host", "folder/"))
    assert "pip install" not in str(refused.value)


def test_an_object_is_made_once(opened: Open) -> None:
    """The second writer is told, and the first one's bytes stay; the same may come again."""
    store = opened()
    found = put(store, "once/a", b"one")
    assert (found.size, read(store, found)) == (3, b"one")
    with pytest.raises(AlreadyThere, match="s3://backups/once/a cannot be written: there is an"):
        put(store, "once/a", b"two")
    assert read(store, found) == b"one"
    assert put(store, "once/a", b"one") == found


def test_a_store_without_conditions_overwrites_nothing(opened: Open, s3: str) -> None:
    """Where the server knows none, it is looked before, and what is there stays."""
    with closing(Proxy(s3)) as proxy:
        proxy.unknown = b"if-none-match"
        store = opened(proxy.url)
        found = put(store, "plain/a", b"one")
        with pytest.raises(AlreadyThere):
            put(store, "plain/a", b"two")
        assert read(store, found) == b"one"
        assert sum(each == "PUT /backups/plain/a" for each in proxy.asked) == 3


def test_a_stream_is_uploaded_by_parts(opened: Open, s3: str) -> None:
    """Of any length, also of none; the same bytes are there, and a taken key is refused unread."""
    with closing(Proxy(s3)) as proxy:
        store = opened(proxy.url)
        found = upload(store, "parts/big", blocks(20))
        assert sum("uploadId=" in each and "partNumber=" in each for each in proxy.asked) == 3
    assert read(opened(), found) == b"".join(blocks(20))
    assert upload(opened(), "parts/none", iter([])).size == 0
    with pytest.raises(AlreadyThere):
        upload(opened(), "parts/big", (pytest.fail("read") for _ in range(1)))


def failing(error: BaseException) -> Iterator[bytes]:
    """A stream that breaks off by `error`."""
    yield from blocks(20)
    raise error


@pytest.mark.parametrize("error", [RuntimeError("pg_dump ended with 1"), KeyboardInterrupt()])
def test_what_breaks_off_is_no_object(opened: Open, s3: str, error: BaseException) -> None:
    """Neither is anything seen, nor do its parts stay."""
    with closing(Proxy(s3)) as proxy:
        store = opened(proxy.url)
        with pytest.raises(type(error)):
            upload(store, "broken_off/a", failing(error))
        assert any(
            each.startswith("DELETE /backups/broken_off/a?uploadId=") for each in proxy.asked
        )
        assert store.find("broken_off/a") is None and not list(store.list("broken_off"))


def test_what_is_too_large_is_no_object(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told before a bucket refuses it; where the size is expected, parts are larger."""
    monkeypatch.setattr(writing, "MOST_PARTS", 2)
    store = opened()
    with pytest.raises(CouldNotRun, match="it is larger than"):
        upload(store, "large/a", blocks(17))
    assert store.find("large/a") is None
    assert upload(store, "large/a", blocks(17), expected=17 * MB).size == 17 * MB


def test_one_that_is_cut_is_tried_again(opened: Open, s3: str) -> None:
    """One whose answers are lost was written, and is found there by the next try."""
    with closing(Proxy(s3)) as proxy:
        store = opened(proxy.url)
        proxy.limit = 20
        with pytest.raises(CouldNotRun, match="cannot be written: no answer came"):
            put(store, "cut/a", b"x")
        assert sum(each.startswith("PUT /backups/cut/a") for each in proxy.asked) == 5
        proxy.limit = None
        assert put(store, "cut/a", b"x").size == 1


def test_an_object_is_deleted(opened: Open) -> None:
    """One that is gone is no error."""
    store = opened()
    put(store, "gone/a", b"x")
    delete(store, "gone/a")
    assert store.find("gone/a") is None
    delete(store, "gone/a")


ACTIONS: dict[str, Callable[[Bucket], object]] = {
    "written": lambda store: put(store, "rights/new", b"x"),
    "written by parts": lambda store: upload(store, "rights/new", blocks(1)),
    "deleted": lambda store: delete(store, "rights/a"),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_a_key_that_may_only_read_is_told(opened: Open, action: str) -> None:
    """What may not be done, and the right that is missing; nothing has changed."""
    put(opened(), "rights/a", b"x")
    with pytest.raises(CouldNotRun) as error:
        ACTIONS[action](opened(keys=READER))
    assert f"cannot be {action.split(maxsplit=1)[0]}: the key may not do this" in error.value.what
    right = "s3:DeleteObject" if action == "deleted" else "s3:PutObject"
    assert right in error.value.remedy[0] and READER[1] not in str(error.value)
    assert [each.key for each in opened().list("rights")] == ["rights/a"]


@pytest.mark.parametrize("action", ACTIONS)
def test_a_bucket_that_does_not_answer_is_interrupted(opened: Open, action: str) -> None:
    """Within moments, whatever is waited for."""
    with silent() as url, interrupted_after(0.5):
        ACTIONS[action](opened(url))


def test_an_upload_is_interrupted_while_parts_wait(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So is one whose parts are no longer taken; it does not end as if it were whole."""
    monkeypatch.setattr(feed, "PATIENCE", 0.5)
    store = opened()
    with silent() as url:
        away = opened(url)
        away.find = store.find  # type: ignore[method-assign]
        with interrupted_after(0.5):
            upload(away, "waits/a", blocks(100))
    assert store.find("waits/a") is None
