"""What lies in a bucket, and the bytes of its objects, pinned to one version."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from restore_drill.config.remote import Place
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.places.aws import s3_options
from restore_drill.places.errors import is_passing, what_failed

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
        options: Any = s3_options()
        plain = str(options.get("endpoint", "")).startswith("http://")
        self.place = place
        self.store: Any = S3Store(
            place.bucket,
            config=options,
            client_options={"timeout": TIMEOUT, "connect_timeout": "10s", "allow_http": plain},
            retry_config={"max_retries": 0},
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

    def tried(self, ask: Callable[[], T], key: str | None = None) -> T:
        """What `ask` gives; what passes (5xx, a cut connection) is tried again, with a pause."""
        from obstore.exceptions import BaseError  # noqa: PLC0415 - see above

        pause = PAUSE
        for left in reversed(range(TRIES)):
            try:
                return ask()
            except (BaseError, OSError) as error:
                if not (left and is_passing(error)):
                    url = self.place.url if key is None else self.url_of(key)
                    raise what_failed(error, url, self.place.bucket) from None
            time.sleep(pause)
            pause *= 2
        raise AssertionError


def object_of(meta: Any) -> Object:
    """An object as the library describes it."""
    modified = meta["last_modified"].astimezone(UTC)
    return Object(meta["path"], meta["size"], modified, meta.get("e_tag") or "")
