"""Names out of a dump are shown as they are: on no channel do they call people, link or format."""

from __future__ import annotations

import html
import re
from typing import NamedTuple

from restore_drill.alerts.message import TITLES, Message

JOINER = "\u2060"
"""A character that nobody sees (WORD JOINER): behind it nothing is a mention or an address."""
LIVE = re.compile(r"(?<![^\W_])@(?=\w)|<(?=[!@#/\w])|(?<=http)s?:(?=//)|www(?=\.)", re.IGNORECASE)
"""What makes a mention or a link of what comes behind it."""
REFERENCE = re.compile(r"(?<![^\W_])[#!~$%&](?=\w)")
"""What makes a link to an issue, a label and so on of it, in the titles of trackers."""
FENCED = (
    "Discord", "Mattermost", "Rocket.Chat", "Zulip", "Google Chat", "Cisco Webex Teams", "Guilded",
    "Revolt", "Fluxer", "Kook", "Zoho Cliq", "Twist", "GitHub", "Nextcloud Talk",
)  # fmt: skip
"""Services that read Markdown, as apprise calls them: a fence keeps them from it.

apprise escapes what CommonMark reads, and leaves mentions as they are; some it gives text as it is.
"""
CALLING = ("Discord", "Fluxer", "Cisco Webex Teams", "Nextcloud Talk")
"""Of these some find names to call in a fence as well, or apprise does for them."""
LONG = 900
"""Characters of text that may come in parts, of which only the first begins with a fence."""
TAGGED = "Telegram"
"""Reads HTML, and in that names behind an @: but not in <pre>."""


class Sent(NamedTuple):
    """What a channel is sent, and its format by the name that apprise has for it."""

    title: str
    body: str
    format: str


def sent_to(service: str, target: str, message: Message) -> Sent:
    """`message` for the kind of `service`, whose format would be `target` for plain text."""
    if service not in (*FENCED, TAGGED):
        is_mail = target == "HTML"  # apprise escapes it, and nobody is called
        body = "\n".join([*map(inert, message.words), *message.links])
        return Sent(message.title if is_mail else inert(message.title), body, "TEXT")
    words, links = "\n".join([message.title, *message.words]), "\n".join(message.links)
    words = inert(words) if service in CALLING or len(words) > LONG else words
    if service == TAGGED:
        body = f"<pre>{html.escape(words, quote=False)}</pre>{links}"
        return Sent(TITLES[message.event], body, "HTML")
    fenced = "\n".join(["```", words.replace("``", f"`{JOINER}`"), "```", links])
    return Sent(TITLES[message.event], fenced.rstrip("\n"), target)


def inert(text: str) -> str:
    """`text` that looks as before, and in which nothing calls people or is a link."""
    return LIVE.sub(lambda found: found[0] + JOINER, text)


def inert_title(text: str) -> str:
    """The same for the title of an issue, in which GitLab finds references, too."""
    return REFERENCE.sub(lambda found: found[0] + JOINER, inert(text))
