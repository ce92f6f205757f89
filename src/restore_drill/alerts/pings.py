"""Dead-man pings: a monitor hears when a drill begins and ends, and alarms where none comes.

After the way of healthchecks: `URL/start`, `URL` after a pass, `URL/<exit code>` after any other
end; the body is the message.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from urllib.parse import urlsplit, urlunsplit

from restore_drill.alerts.delivery import Undelivered

Task = Callable[[], str]

PATIENCE = 5.0
"""Seconds that the end waits for a start that is still under way: they must not change places."""


class Start:
    """The pings of the start, sent in the background: the drill does not wait for them."""

    def __init__(self, urls: Sequence[str]) -> None:
        """Send them."""
        self.threads = [threading.Thread(target=begin, args=(url,), daemon=True) for url in urls]
        for thread in self.threads:
            thread.start()

    def settle(self) -> None:
        """Wait until they are sent, for PATIENCE at most."""
        until = time.monotonic() + PATIENCE
        for thread in self.threads:
            thread.join(max(0.0, until - time.monotonic()))


def begin(url: str) -> None:
    """Ping the start; a monitor that is not there is reported at the end, by the ping of that."""
    try:
        ping(url, "start", "")
    except Undelivered:
        return


def ending(
    urls: Sequence[str], start: Start, code: int, text: str, *, is_pass: bool
) -> Mapping[str, Task]:
    """A task for each of `urls`; a code of 0 that is no pass (the sample's) is a failure.

    Each waits for the `start` by itself: no message waits for a monitor.
    """
    what = "" if is_pass else str(code) if code else "fail"

    def end(url: str) -> str:
        start.settle()
        return ping(url, what, text)

    return {f"ping {number}": partial(end, url) for number, url in enumerate(urls, 1)}


def ping(url: str, what: str, text: str) -> str:
    """Ping `url` with `what` behind its path; Undelivered where there is no answer."""
    from restore_drill.alerts.web import send  # noqa: PLC0415 - 60 ms, in a thread

    try:
        parts = urlsplit(url)
    except ValueError:
        raise Undelivered("its URL is not valid", is_final=True) from None
    path = f"{parts.path.rstrip('/')}/{what}" if what else parts.path
    send(
        urlunsplit(parts._replace(path=path)),
        method="POST",
        data=text.encode(errors="backslashreplace"),
    )
    return "pinged"
