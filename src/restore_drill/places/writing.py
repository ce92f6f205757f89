"""Writing to a bucket: objects that are there whole, or not at all.

- `put` writes a few bytes in one request, and takes no key that is taken.
- `upload` writes a stream of any length by parts; it is an object once the last one has arrived.
- `delete` removes one object.

All of them try again what passes, can be interrupted, and raise CouldNotRun in words without
secrets (exit code 6): the key, the bucket, the answer, and what is to be allowed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes
from restore_drill.places.bucket import Bucket
from restore_drill.places.errors import DELETE, WRITE, code_of, what_failed
from restore_drill.places.feed import Feed
from restore_drill.places.store import Object

PART = 8 << 20
"""Bytes of a part of an upload, at least; AT_ONCE of them are in memory, and pieces read ahead."""
AT_ONCE = 4
MOST_PARTS = 10_000
"""Of one upload, in every store that speaks S3."""
PART_TIMEOUT = "300s"
RETRIES = {"max_retries": 5, "retry_timeout": timedelta(minutes=10)}
"""Of one part; the library tries again by itself, as it alone has the part's bytes."""
NOT_CONDITIONAL = ("NotImplemented", "InvalidArgument", "InvalidRequest")
"""Answers of stores that know no writing on the condition that nothing is there."""


class AlreadyThere(CouldNotRun):
    """The key is taken; nothing was written."""


def put(store: Bucket, key: str, data: bytes) -> Object:
    """Write `data` as the new object `key`, in one request; the object as it is there.

    Raises AlreadyThere where another object has the key: none is ever overwritten. The store itself
    sees to it; of one that cannot, it is looked before and after, so that of two writers at once
    one is told. CouldNotRun where it was not written.
    """
    from obstore.exceptions import AlreadyExistsError, BaseError  # noqa: PLC0415 - an extra

    def create() -> bool:
        try:
            store.store.put(key, data, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return True
        except BaseError as error:
            if code_of(error) not in NOT_CONDITIONAL:
                raise
            return put_unconditionally(store, key, data)
        return False

    is_taken = store.tried(create, key, WRITE)
    found = store.find(key)
    if found is None or (is_taken and not is_ours(store, found, data)):
        raise taken(store, key)
    return found


def put_unconditionally(store: Bucket, key: str, data: bytes) -> bool:
    """Write `data` unless there is an object; whether another one may have been written as well."""
    if store.find(key) is None:
        store.store.put(key, data, use_multipart=False)
    return True


def is_ours(store: Bucket, found: Object, data: bytes) -> bool:
    """Whether `data` is what was written: by a try of ours whose answer did not arrive."""
    return found.size == len(data) and store.read(found, 0, found.size) == data


def upload(store: Bucket, key: str, pieces: Iterable[bytes], expected: int = 0) -> Object:
    """Write `pieces`, one behind the other, as the new object `key`; the object as it is there.

    `pieces` is read in the caller's thread, a few parts ahead of what has been sent. It must raise
    where it is not whole (a process that ended with an error): what ends without is the object.
    Whatever it raises, an interrupt, or a part that fails ends the upload, of which nothing is ever
    seen; the parts are removed if the bucket still answers. `expected` are its bytes, roughly, so
    far as known: parts grow with it, as there may be 10,000 (80 GB without it).

    Raises AlreadyThere before anything is read, CouldNotRun where it was not written.
    """
    if store.find(key) is not None:
        raise taken(store, key)
    part = max(PART, -(-2 * expected // MOST_PARTS))
    client = store.client(PART_TIMEOUT, RETRIES)
    sent = send(store, client, key, pieces, part)
    found = store.find(key)
    if found is None or found.size != sent:
        there = "nothing" if found is None else show_bytes(found.size)
        raise CouldNotRun(
            f"{store.url_of(key)} was not written completely: {there} of "
            f"{show_bytes(sent)} is there",
            remedy=remedy_for("places", "network"),
        )
    return found


def send(store: Bucket, client: Any, key: str, pieces: Iterable[bytes], part: int) -> int:
    """Send `pieces` in parts of `part` bytes; how many bytes they were."""
    from obstore.exceptions import BaseError  # noqa: PLC0415 - an extra

    sent = 0
    try:
        with Feed(lambda it: client.put(key, it, chunk_size=part, max_concurrency=AT_ONCE)) as feed:
            for piece in pieces:
                sent += len(piece)
                if sent > part * MOST_PARTS:
                    raise too_large(store, key, sent)
                feed.give(piece)
    except BaseError as error:
        raise what_failed(error, store.url_of(key), store.place.authority, WRITE) from None
    return sent


def taken(store: Bucket, key: str) -> AlreadyThere:
    """Another object has the key."""
    return AlreadyThere(
        f"{store.url_of(key)} cannot be written: there is an object of that name",
        remedy=remedy_for("places", "taken"),
    )


def too_large(store: Bucket, key: str, sent: int) -> CouldNotRun:
    """More parts than a bucket takes."""
    return CouldNotRun(
        f"{store.url_of(key)} cannot be written: it is larger than {show_bytes(sent)}, "
        f"which is what {MOST_PARTS:,} parts hold",
        remedy=remedy_for("places", "parts"),
    )


def delete(store: Bucket, key: str) -> None:
    """Remove the object `key`; one that is not there is no error."""
    store.tried(lambda: store.store.delete(key), key, DELETE)
