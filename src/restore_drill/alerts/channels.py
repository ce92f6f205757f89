"""Failures and recoveries, sent to the Apprise URLs of Slack, email and others.

Needs the extra `alerts` of the package.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from restore_drill.alerts.message import Run


def send(run: Run, urls: Sequence[str], event: str) -> list[str]:
    """Send the run to every one of `urls`; `event` is what became of the issue.

    Gives a line for each channel that did not take the message, without its URL.
    """
    import apprise  # noqa: PLC0415 - an extra of the package

    if run.is_good and event != "recovered":
        return []
    # Apprise logs a URL that it cannot read, token and all.
    logging.disable()
    kind = apprise.NotifyType.SUCCESS if run.is_good else apprise.NotifyType.FAILURE
    failed = []
    for number, url in enumerate(urls, start=1):
        channel = apprise.Apprise()
        if not channel.add(url):
            failed.append(f"channel {number}: Apprise does not know its URL in APPRISE_URLS")
        elif not channel.notify(
            body=run.text,
            title=run.headline,
            notify_type=kind,
            body_format=apprise.NotifyFormat.TEXT,
        ):
            failed.append(f"channel {number} ({channel[0].service_name}) did not take the message")
    return failed
