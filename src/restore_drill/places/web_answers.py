"""What the answers of a web server say of a file, and the session that gets them."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from restore_drill.places.store import Object
from restore_drill.places.web_errors import NO_LENGTH, PlainHttp, Refused

WHOLE, PARTIAL, EMPTY = 200, 206, 416
"""Status of an answer that is the file, a part of it, or that has no such part."""
TOTAL = re.compile(r"bytes [\d*-]+/(\d+)")
NO_TIME = datetime.fromtimestamp(0, UTC)
"""Of a file whose server does not say when it was changed: never fresh by mistake."""


class OnlyHere(HTTPAdapter):
    """Lets a request without TLS go to this machine alone, also one that a server leads to."""

    def send(self, request: Any, *args: Any, **options: Any) -> Any:
        """Send it; PlainHttp where it would leave this machine."""
        if not is_here(urlsplit(request.url).hostname or ""):
            raise PlainHttp
        return super().send(request, *args, **options)


def is_here(host: str) -> bool:
    """Whether `host` is this machine."""
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def new_session(*, is_signed: bool) -> requests.Session:
    """A session; a link that is not signed has the login of ~/.netrc, where there is one."""
    session = requests.Session()
    session.mount("http://", OnlyHere())
    session.headers["Accept-Encoding"] = "identity"
    if is_signed:
        session.auth = lambda request: request
    return session


def version_of(answer: requests.Response) -> str:
    """What tells the version of the file: a strong ETag, or the time of its change, or nothing."""
    etag: str = answer.headers.get("ETag", "")
    return etag if etag.startswith('"') else str(answer.headers.get("Last-Modified", ""))


def is_page(key: str, answer: requests.Response) -> bool:
    """Whether it is a page for people: a login, a message."""
    kind = str(answer.headers.get("Content-Type", ""))
    return kind.startswith("text/html") and not key.endswith((".html", ".htm"))


def described(key: str, answer: requests.Response) -> Object:
    """The file `key` as `answer` describes it; Refused where its size is missing."""
    changed = NO_TIME
    with suppress(ValueError):
        changed = parsedate_to_datetime(answer.headers.get("Last-Modified", ""))
    return Object(key, size_of(answer), changed.astimezone(UTC), version_of(answer))


def size_of(answer: requests.Response) -> int:
    """Bytes of the whole file."""
    if answer.status_code == EMPTY:
        return 0
    length = str(answer.headers.get("Content-Length", ""))
    if answer.status_code == PARTIAL:
        found = TOTAL.fullmatch(answer.headers.get("Content-Range", ""))
        length = found[1] if found else ""
    if not length.isdecimal():
        raise Refused(NO_LENGTH)
    return int(length)
