"""What lies in a bucket, and the bytes of its objects, pinned to one version.

`writing.py` writes there, `transfer.py` reads an object from end to end. Whatever is asked in the
main thread can be interrupted while the bucket does not answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from restore_drill.config.remote import Place
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.places.aws import s3_options
from restore_drill.places.errors import READ, Doing, code_of, is_passing, what_failed
from restore_drill.places.waiting import interruptible

TRIES = 5
PAUSE = 0.2
"""Seconds before the second try; twice as long before each further one."""
TIMEOUT = "60s"
"""Of one request, so of one piece of a transfer."""
T = TypeVar("T")


@dataclass(frozen=True)
class Object:
    """One object: bytes, time of its last change, and the ETag of the version that is meant."""

    key: str
    size: int
    modified: datetime
    version: str


class Store:
    """The bucket of a place; raises CouldNotRun where it does not answer as it should."""

    def __init__(self, place: Place) -> None:
        """Nothing is asked yet; CouldNotRun where the library for it is missing."""
        try:
            from obstore.store import S3Store  # noqa: PLC0415 - an extra, and few drills need it
        except ImportError:
            raise CouldNotRun(
                f"{place.scheme}:// needs the library obstore, which is not installed",
                checked=[place.url],
                remedy=remedy_for("places", "extra"),
            ) from None
        self.place = place
        self.kind: Any = S3Store
        self.options: Any = s3_options()
        self.store = self.client(TIMEOUT, {"max_retries": 0})

    def client(self, timeout: str, retries: Mapping[str, Any]) -> Any:
        """The library's own object for the bucket; `timeout` is that of one request."""
        plain = str(self.options.get("endpoint", "")).startswith("http://")
        return self.kind(
            self.place.bucket,
            config=self.options,
            client_options={"timeout": timeout, "connect_timeout": "10s", "allow_http": plain},
            retry_config=retries,
        )

    def url_of(self, key: str) -> str:
        """URL of the object `key`."""
        return f"{self.place.scheme}://{self.place.bucket}/{key}"

    def list(self, prefix: str) -> Iterator[Object]:
        """Objects in the folder `prefix` and below, page by page."""
        pages = iter(self.store.list(prefix or None))
        while (page := self.tried(lambda: next(pages, None))) is not None:
            yield from map(object_of, page)

    def read(self, what: Object, start: int, stop: int) -> bytes:
        """Bytes of the very version `what`, from `start` up to `stop`."""
        options = {"range": (start, stop), "if_match": what.version or None}

        def get() -> bytes:
            return bytes(self.store.get(what.key, options=options).bytes())

        piece = self.tried(get, what.key)
        if len(piece) != stop - start:
            raise CouldNotRun(
                f"{self.url_of(what.key)} gave {len(piece):,} bytes of {stop - start:,}",
                remedy=remedy_for("places", "network"),
            )
        return piece

    def find(self, key: str) -> Object | None:
        """The object `key` as it is now, None where there is none."""
        from obstore.exceptions import NotFoundError  # noqa: PLC0415 - see above

        def head() -> Any:
            try:
                return self.store.head(key)
            except (NotFoundError, FileNotFoundError) as error:
                if code_of(error) == "NoSuchBucket":
                    raise
                return None

        meta = self.tried(head, key)
        return meta and object_of(meta)

    def tried(self, ask: Callable[[], T], key: str | None = None, doing: Doing = READ) -> T:
        """What `ask` gives; what passes (5xx, a cut connection) is tried again, with a pause."""
        from obstore.exceptions import BaseError  # noqa: PLC0415 - see above

        pause = PAUSE
        for left in reversed(range(TRIES)):
            try:
                return interruptible(ask)
            except (BaseError, OSError) as error:
                if not (left and is_passing(error)):
                    url = self.place.url if key is None else self.url_of(key)
                    raise what_failed(error, url, self.place.bucket, doing) from None
            time.sleep(pause)
            pause *= 2
        raise AssertionError


def object_of(meta: Any) -> Object:
    """An object as the library describes it."""
    modified = meta["last_modified"].astimezone(UTC)
    return Object(meta["path"], meta["size"], modified, meta.get("e_tag") or "")
