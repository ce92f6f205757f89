"""What every place of another machine can do: say what lies there, and give its bytes.

One protocol, whatever speaks to the place. What is asked in the main thread can be interrupted
while the place does not answer; whatever keeps it from answering is a CouldNotRun in words without
secrets. `bucket.py` serves buckets, and `writing.py` writes there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from restore_drill.config.remote import Place


@dataclass(frozen=True)
class Object:
    """One file there: bytes, time of its last change, and what tells the version that is meant."""

    key: str
    size: int
    modified: datetime
    version: str


class Store(Protocol):
    """A place of another machine."""

    place: Place

    def url_of(self, key: str) -> str:
        """URL of the object `key`, for people."""

    def list(self, prefix: str) -> Iterator[Object]:
        """Objects in the folder `prefix` and below."""

    def find(self, key: str) -> Object | None:
        """The object `key` as it is now, None where there is none."""

    def pieces(self, what: Object) -> Iterator[bytes]:
        """Bytes of the very version `what`, from end to end; resumed where a connection is cut."""


def open_store(place: Place) -> Store:
    """What speaks to `place`; nothing is asked yet. CouldNotRun where its library is missing."""
    from restore_drill.places.bucket import Bucket  # noqa: PLC0415 - each needs a library of its own

    return Bucket(place)
