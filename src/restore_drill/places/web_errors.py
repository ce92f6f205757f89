"""Errors of web servers in words; neither a link nor a server's text is ever shown."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import requests
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for

PAGE, NO_LENGTH = "a web page", "no length"


class Refused(Exception):
    """The server answers, but not with the file: `answer` is its status, or what else it gave."""

    def __init__(self, answer: int | str) -> None:
        """Keep the answer."""
        super().__init__(str(answer))
        self.answer = answer


class PlainHttp(requests.RequestException):
    """A link leads to a server elsewhere without TLS."""


FAILURES = (requests.RequestException, HTTPError, OSError, Refused)
"""What a request may raise."""
BUSY = (408, 425, 429, 500, 502, 503, 504)
SIGNED = (400, 401, 403)
"""Answers to a link that is no longer valid, by whoever has signed it."""
NETWORK = ("the server does not answer as it should", "network")
ANSWERS: dict[int | str, tuple[str, str]] = {
    401: ("the server requires a login", "link_rights"),
    403: ("the server does not allow it", "link_rights"),
    404: ("there is no such file", "link_gone"),
    410: ("there is no such file", "link_gone"),
    PAGE: ("the server returns a web page instead", "link_page"),
    NO_LENGTH: ("the server does not say how large it is", "link_length"),
}
ERRORS: tuple[tuple[type[Exception], tuple[str, str]], ...] = (
    (PlainHttp, ("it redirects to a server without TLS", "plain")),
    (requests.exceptions.SSLError, ("the certificate of the server is not trusted", "certificate")),
    (requests.exceptions.TooManyRedirects, ("it redirects without end", "link_gone")),
    (requests.exceptions.ProxyError, ("the proxy does not let it through", "web_host")),
    (NameResolutionError, ("the name of the server is not known", "web_host")),
    (NewConnectionError, ("no server listens there", "web_host")),
)


def is_passing(error: Exception) -> bool:
    """Whether the same may succeed a moment later."""
    if isinstance(error, Refused):
        return error.answer in BUSY
    return not isinstance(innermost(error), tuple(kind for kind, _ in ERRORS))


def innermost(error: BaseException) -> BaseException:
    """What `error` is about: requests wraps the errors of urllib3, which says more."""
    if isinstance(error, tuple(kind for kind, _ in ERRORS)):
        return error
    reasons = [getattr(error, "reason", None), *error.args]
    inner = next((each for each in reasons if isinstance(each, BaseException)), None)
    return innermost(inner) if inner else error


def what_failed(error: Exception, url: str, link: str) -> CouldNotRun:
    """The error that a request for `link` ended with, which is shown as `url`."""
    answer = error.answer if isinstance(error, Refused) else None
    inner = innermost(error)
    what, cause = next((words for kind, words in ERRORS if isinstance(inner, kind)), NETWORK)
    what, cause = ANSWERS.get(answer or "", (what, cause))
    until = expiry(link)
    if answer in SIGNED and until and until < datetime.now(UTC):
        what, cause = f"the link has expired, at {until:%Y-%m-%d %H:%M:%S} UTC", "link_clock"
    return CouldNotRun(
        f"{url} cannot be read: {what}",
        checked=[f"answer: {answer or type(inner).__name__}"],
        remedy=remedy_for("places", cause),
    )


def expiry(link: str) -> datetime | None:
    """Until when `link` is signed, as the clouds write it; None where it does not say."""
    given = {name.lower(): value for name, value in parse_qsl(urlsplit(link).query)}
    with suppress(ValueError, OverflowError):
        for maker in ("x-amz", "x-goog"):
            if f"{maker}-expires" in given:
                signed = datetime.strptime(given[f"{maker}-date"], "%Y%m%dT%H%M%S%z")
                return signed + timedelta(seconds=int(given[f"{maker}-expires"]))
        if "se" in given:
            until = datetime.fromisoformat(given["se"])
            return until if until.tzinfo else until.replace(tzinfo=UTC)
        if "expires" in given:
            return datetime.fromtimestamp(int(given["expires"]), UTC)
    return None
