"""Messages to Slack, email and others by apprise, which the extra `alerts` brings."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from restore_drill.alerts.delivery import Undelivered
from restore_drill.alerts.literal import sent_to
from restore_drill.alerts.message import Message
from restore_drill.core.calling import installs

MISSING = f"apprise is not installed: {installs('alerts')}"
SENDER = "restore-drill"
UNKNOWN = "apprise does not know its URL"
GOOD = ("recovered", "passed", "settled", "back", "known")
KINDS = {
    "missed": "WARNING",
    "unknown": "WARNING",
    "test": "INFO",
    **dict.fromkeys(GOOD, "SUCCESS"),
}
"""Kind of apprise by event; others are failures."""


def sending(urls: Sequence[str], message: Message) -> Mapping[str, Callable[[], str]]:
    """A task for each of `urls`, by a name without the URL: `channel 1 (Slack)`."""
    try:
        import apprise  # noqa: PLC0415 - an extra, and 0.2 s
    except ImportError:
        return {f"channel {number}": missing for number in range(1, len(urls) + 1)}
    quiet()
    tasks: dict[str, Callable[[], str]] = {}
    for number, url in enumerate(urls, start=1):
        channel = opened(apprise, url)
        if channel is None:
            tasks[f"channel {number}"] = unknown
            continue
        name = f"channel {number} ({channel[0].service_name})"
        tasks[name] = partial(send, apprise, channel, message)
    return tasks


def opened(apprise: Any, url: str) -> Any:
    """What apprise makes of `url`; None where it is of no kind that it knows.

    A page that it is sent on to is no delivery: apprise would ask for it, and post nothing. With a
    limit of its own it works in threads that Python waits for at its end, whatever a server does.
    What is longer than a service takes comes in parts: the service would refuse it.
    """
    sender = {"app_id": SENDER, "app_desc": SENDER, "app_url": "", "image_url_mask": ""}
    asset = apprise.AppriseAsset(**sender, http_redirects=False, service_timeout=0)
    channel = apprise.Apprise(asset=asset)
    try:
        if not (channel.add(url) and len(channel)):
            return None
    except Exception:  # noqa: BLE001 - whatever it is, its text holds the URL
        return None
    if channel[0].overflow_mode == apprise.OverflowMode.UPSTREAM:
        channel[0].overflow_mode = apprise.OverflowMode.SPLIT
    return channel


def send(apprise: Any, channel: Any, message: Message) -> str:
    """Send `message` to `channel`; Undelivered where it does not take it."""
    kind = getattr(apprise.NotifyType, KINDS.get(message.event, "FAILURE"))
    service = channel[0]
    target = service.resolve_format(apprise.NotifyFormat.TEXT).name
    sent = sent_to(str(service.service_name), target, message)
    is_sent = channel.notify(
        title=sent.title,
        body=sent.body,
        notify_type=kind,
        body_format=getattr(apprise.NotifyFormat, sent.format),
    )
    if not is_sent:
        raise Undelivered("did not take the message")
    return "sent"


def missing() -> str:
    """Stands for a channel where apprise is missing."""
    raise Undelivered(MISSING, is_final=True)


def unknown() -> str:
    """Stands for a channel with a URL that apprise cannot read."""
    raise Undelivered(UNKNOWN, is_final=True)


def quiet() -> None:
    """Have no log: apprise logs a URL that it cannot read, and urllib3 paths, token and all."""
    for name in ("apprise", "urllib3", "requests"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
