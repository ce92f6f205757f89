"""The `Store` of a bucket: what lies there, and the bytes of its objects, pinned to one version."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from typing import Any, TypeVar
from urllib.parse import urlsplit

from restore_drill.config.remote import Place
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.places.aws import s3_options
from restore_drill.places.azure import az_options
from restore_drill.places.errors import (
    READ,
    Doing,
    changed,
    code_of,
    is_passing,
    no_url,
    status_of,
    unusable,
    what_failed,
)
from restore_drill.places.google import gs_options
from restore_drill.places.store import Object
from restore_drill.places.transfer import in_pieces
from restore_drill.places.trying import tried

CLIENTS = {
    "s3": ("S3Store", s3_options),
    "gs": ("GCSStore", gs_options),
    "az": ("AzureStore", az_options),
}
"""By scheme: the library's class, and where its options come from."""
TIMEOUT = "60s"
"""Of one request, so of one piece of a transfer."""
PAGE = 1000
"""Objects that are listed at a time, as servers give them."""
HOST = re.compile(r"(?:[^@\s]*@)?(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?")
T = TypeVar("T")


class Bucket:
    """The bucket of a place; raises CouldNotRun where it does not answer as it should."""

    def __init__(self, place: Place, timeout: str = TIMEOUT) -> None:
        """Nothing is asked yet; `timeout` is that of one request."""
        import obstore.store  # noqa: PLC0415 - an extra, and few drills need it
        from obstore.exceptions import BaseError  # noqa: PLC0415

        kind, options = CLIENTS[place.scheme]
        self.place = place
        self.kind: Any = getattr(obstore.store, kind)
        self.options: Any = options()
        endpoint = self.options.get("endpoint") or self.options.get("base_url") or ""
        if endpoint and not is_url(endpoint):
            raise no_url(place.url)
        self.is_guarded = not endpoint.startswith("http://")
        try:
            self.store = self.client(timeout, {"max_retries": 0})
        except BaseError as error:  # a file of keys is missing, or no account is named
            raise unusable(error, place.url, place.authority) from None

    def client(self, timeout: str, retries: Mapping[str, Any]) -> Any:
        """The library's own object for the bucket; `timeout` is that of one request."""
        return self.kind(
            self.place.authority,
            config=self.options,
            client_options={
                "timeout": timeout,
                "connect_timeout": "10s",
                "allow_http": not self.is_guarded,
            },
            retry_config=retries,
        )

    def url_of(self, key: str) -> str:
        """URL of the object `key`."""
        return f"{self.place.scheme}://{self.place.authority}/{key}"

    def list(self, prefix: str) -> Iterator[Object]:
        """Objects in the folder `prefix` and below, page by page, ordered by their keys."""
        listing = Listing(self.store, prefix)
        while page := self.tried(listing.page):
            yield from map(object_of, page)

    def read(self, what: Object, start: int, stop: int) -> bytes:
        """Bytes of the very version `what`, from `start` up to `stop`."""
        options = {"range": (start, stop), "if_match": what.version or None}
        if start == stop:
            return b""

        def get() -> bytes:
            found = self.store.get(what.key, options=options)
            if what.version and version_of(found.meta) not in ("", what.version):
                raise changed(self.url_of(what.key))  # by a server that knows no conditions
            return bytes(found.bytes())

        piece = self.tried(get, what.key)
        if len(piece) != stop - start:
            raise CouldNotRun(
                f"{self.url_of(what.key)} gave {len(piece):,} bytes of {stop - start:,}",
                remedy=remedy_for("places", "network"),
            )
        return piece

    def pieces(self, what: Object) -> Iterator[bytes]:
        """Bytes of the very version `what`; a piece that is cut is fetched anew."""
        return in_pieces(what.size, lambda start, stop: self.read(what, start, stop))

    def find(self, key: str) -> Object | None:
        """The object `key` as it is now, None where there is none."""
        from obstore.exceptions import BaseError, NotFoundError  # noqa: PLC0415 - see above

        def head() -> Any:
            try:
                return self.store.head(key)
            except (NotFoundError, FileNotFoundError):
                return None
            except BaseError as error:
                if status_of(error).startswith("4") and not code_of(error):
                    Listing(self.store, key).page()  # whose answer has the code, as no HEAD has
                raise

        meta = self.tried(head, key)
        return meta and object_of(meta)

    def tried(self, ask: Callable[[], T], key: str | None = None, doing: Doing = READ) -> T:
        """What `ask` gives; what passes (5xx, a cut connection) is tried again, with a pause."""
        from obstore.exceptions import BaseError  # noqa: PLC0415 - see above

        try:
            return tried(ask, (BaseError, OSError), is_passing)
        except (BaseError, OSError) as error:
            url = self.place.url if key is None else self.url_of(key)
            raise what_failed(error, url, self.place.authority, doing) from None


class Listing:
    """A list that goes on behind what has come: of a list that has failed the library's own ends.

    Seen with obstore 0.12: after an error it said that there was nothing more, and so nothing.
    """

    def __init__(self, store: Any, prefix: str) -> None:
        """Begin before the first key in the folder `prefix`."""
        self.store, self.prefix = store, prefix
        self.last: str | None = None
        self.pages: Iterator[Any] | None = None

    def page(self) -> Any:
        """Some objects more, none at the end."""
        if self.pages is None:
            stream = self.store.list(self.prefix or None, offset=self.last, chunk_size=PAGE)
            self.pages = iter(stream)
        try:
            found = next(self.pages, None)
        except BaseException:
            self.pages = None
            raise
        if found:
            self.last = found[-1]["path"]
        return found


def is_url(text: str) -> bool:
    """Whether `text` is the URL of a server; at another one the library panics."""
    try:
        parts = urlsplit(text)
        has_port = parts.port != 0  # ValueError where it is none
    except ValueError:
        return False
    return has_port and parts.scheme in ("http", "https") and bool(HOST.fullmatch(parts.netloc))


def object_of(meta: Any) -> Object:
    """An object as the library describes it."""
    modified = meta["last_modified"].astimezone(UTC)
    return Object(meta["path"], meta["size"], modified, version_of(meta))


def version_of(meta: Any) -> str:
    """The ETag of an object, in quotes: lists of Azure and Google have none around it."""
    etag = meta.get("e_tag") or ""
    return f'"{etag}"' if etag and not etag.startswith(('"', "W/")) else etag
