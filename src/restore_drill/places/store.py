"""What every place of another machine can do: say what lies there, and give its bytes.

One protocol, whatever speaks to the place. What is asked in the main thread can be interrupted
while the place does not answer; whatever keeps it from answering is a CouldNotRun in words without
secrets. `bucket.py` serves buckets, and `writing.py` writes there; `sftp.py` serves
servers by SSH, and `web.py` single files of web servers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Protocol

from restore_drill.config.remote import Place
from restore_drill.core.calling import installs
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for


@dataclass(frozen=True)
class Object:
    """One file there: bytes, time of its last change, and what tells the version that is meant."""

    key: str
    size: int
    modified: datetime
    version: str


STORES = {
    "s3": ("bucket", "Bucket", "obstore", "s3"),
    "gs": ("bucket", "Bucket", "obstore", "gs"),
    "az": ("bucket", "Bucket", "obstore", "az"),
    "sftp": ("sftp", "Server", "asyncssh", "sftp"),
    "https": ("web", "Link", "requests", "https"),
    "http": ("web", "Link", "requests", "https"),
}
"""By scheme: module here and class in it, its library, and the package's extra that has that."""


class Store(Protocol):
    """A place of another machine."""

    place: Place
    is_guarded: bool
    """Whether TLS or SSH sees to it that what arrives is what was sent."""

    def url_of(self, key: str) -> str:
        """URL of the object `key`, for people."""

    def list(self, prefix: str) -> Iterator[Object]:
        """Objects in the folder `prefix` and below."""

    def find(self, key: str) -> Object | None:
        """The object `key` as it is now, None where there is none."""

    def pieces(self, what: Object) -> Iterator[bytes]:
        """Bytes of the very version `what`, from end to end; resumed where a connection is cut."""


def open_store(place: Place, **limits: str) -> Store:
    """What speaks to `place`, with other `limits` than usual where its class takes them.

    Nothing is asked yet. CouldNotRun where its library is missing.
    """
    module, name, library, extra = STORES[place.scheme]
    try:
        kind = getattr(import_module(f"restore_drill.places.{module}"), name)
        found: Store = kind(place, **limits)
    except ImportError as error:
        if (error.name or "").partition(".")[0] != library:
            raise
        raise CouldNotRun(
            f"{place.scheme}:// needs the library {library}, which is not installed",
            checked=[place.url],
            remedy=remedy_for("place", "extra", install=installs(extra)),
        ) from None
    return found
