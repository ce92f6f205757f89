"""Requests to monitors and to the APIs of GitHub and GitLab; no error repeats a URL or a token."""

from __future__ import annotations

import http.client
import json
import ssl
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from restore_drill import __version__
from restore_drill.alerts.delivery import Undelivered

TIMEOUT = 10.0
"""Seconds that a server may be silent."""
MOST_BYTES = 20_000_000
AGAIN = (408, 425, 429)
"""Codes below 500 after which the same request may succeed."""
LOSE_THE_BODY = (301, 302, 303)
"""Redirects after which a POST would be sent as a GET."""


class SameHost(HTTPRedirectHandler):
    """Follows no redirect to another server, which would get the token.

    Nor one that would make a GET of what was posted: a page to log in at is no delivery.
    """

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        """The next request; None, which makes an error of it, where it goes elsewhere."""
        is_other = urlsplit(newurl)[:2] != urlsplit(req.full_url)[:2]
        if is_other or (req.get_method() == "POST" and code in LOSE_THE_BODY):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def opener() -> OpenerDirector:
    """What sends requests: by the proxies of the environment."""
    return build_opener(SameHost)


def send(
    url: str,
    *,
    method: str = "GET",
    data: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Body of the answer; Undelivered with the code or the error of the network."""
    if urlsplit_scheme(url) not in ("http", "https"):
        raise Undelivered("its URL begins with neither https:// nor http://", is_final=True)
    own = {"User-Agent": f"restore-drill/{__version__}", **(headers or {})}
    try:
        url, login = without_login(url)
        own |= {"Authorization": login} if login else {}
        request = Request(url, data=data, headers=own, method=method)  # noqa: S310 - see above
        with opener().open(request, timeout=TIMEOUT) as answer:
            body: bytes = answer.read(MOST_BYTES)
            return body
    except HTTPError as error:
        error.close()
        is_final = error.code < 500 and error.code not in AGAIN
        raise Undelivered(f"HTTP {error.code}", is_final=is_final) from None
    except URLError as error:
        raise Undelivered(reason_of(error.reason)) from None
    except (ValueError, http.client.InvalidURL):
        raise Undelivered("its URL is not valid", is_final=True) from None
    except (OSError, http.client.HTTPException) as error:
        raise Undelivered(reason_of(error)) from None


def without_login(url: str) -> tuple[str, str]:
    """`url` without user and password, which would be looked up as a host's name, and their header.

    Raises ValueError where it is no URL.
    """
    parts = urlsplit(url)
    if parts.username is None:
        return url, ""
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    return urlunsplit(bare), f"Basic {b64encode(login).decode()}"


def urlsplit_scheme(url: str) -> str:
    """Scheme of `url`, empty where it has none or is none."""
    try:
        return urlsplit(url).scheme.lower()
    except ValueError:
        return ""


def reason_of(error: object) -> str:
    """Why there was no answer, in words that hold no URL."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return f"no connection: {error.strerror}"
    return f"no answer ({type(error).__name__})"


def call(url: str, method: str, headers: Mapping[str, str], body: Any = None) -> Any:
    """Answer of an API that speaks JSON; Undelivered where it refuses, or answers otherwise."""
    data = None if body is None else json.dumps(body).encode()
    sent = {"Accept": "application/json", "Content-Type": "application/json", **headers}
    answer = send(url, method=method, data=data, headers=sent)
    try:
        return json.loads(answer or b"null")
    except ValueError:
        raise Undelivered("the answer is not JSON: is this the address of an API?") from None
