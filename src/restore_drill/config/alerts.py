"""Where alerts go: variables of the environment, since URLs and tokens are secrets."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from restore_drill.config.criteria.notify import NOTIFY, Notify
from restore_drill.config.criteria.place import Place
from restore_drill.config.environment import read_environment
from restore_drill.config.options import OPTIONS
from restore_drill.config.own import own_drill_near
from restore_drill.core.errors import UsageError

CHANNELS, ISSUES, PING = "DRILL_NOTIFY", "DRILL_ISSUES", "DRILL_PING"
ALERTS = (CHANNELS, ISSUES, PING)
TOKENS = ("GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN")

TOKEN = re.compile(r"(?<=[^/]/)[\w.~-]{16,}|(?<==)[\w.~-]{16,}")
"""A long word in the path or behind a parameter of a URL: no host, and hardly a word of people."""
BETWEEN = re.compile(r"[\s,;]+(?=[A-Za-z][\w.+-]*://)|\s+")
"""What separates URLs: blanks, and as apprise has it commas and semicolons before another URL."""


@dataclass(frozen=True)
class Alerts:
    """What is configured: URLs of channels and of pings, and where issues are kept.

    `unset` are variables that `[notify]` names and nobody has set; `environment` is the run's own,
    with tokens and with what a CI system says of itself.
    """

    notify: Notify
    channels: tuple[str, ...] = field(default=(), repr=False)
    unset: tuple[str, ...] = ()
    issues: str = ""
    pings: tuple[str, ...] = field(default=(), repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def are_configured(self) -> bool:
        """Whether anyone is to hear of a drill."""
        return bool(self.channels or self.unset or self.issues or self.pings)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What may not be shown: URLs as a whole, their passwords, and tokens in their paths."""
        from restore_drill.core.redact import passwords  # noqa: PLC0415 - brings psycopg

        urls = (*self.channels, *self.pings)
        parts = (each for url in urls for each in (*passwords(url), *TOKEN.findall(url)))
        tokens = (self.environment.get(name, "").strip() for name in TOKENS)
        return (*urls, *parts, *filter(None, tokens))


def alerts_here(root: Path) -> Alerts:
    """What is configured for a command that is called here, whatever else is wrong.

    Raises UsageError for an `.env` file that cannot be read.
    """
    environment, criteria = sources_here(root)
    return alerts_of(environment, notify_in(criteria))


def sources_here(root: Path) -> tuple[Mapping[str, str], Path]:
    """The environment of a command that is called here, and its criteria file. UsageError."""
    here = Path.cwd()
    own = own_drill_near(here)
    environment = read_environment(here, own.parent if own else root)
    given = environment.get(OPTIONS["criteria"].variable)
    return environment, here / given if given else (own or root / "drill") / "criteria.toml"


def alerts_of(environment: Mapping[str, str], notify: Notify) -> Alerts:
    """What `environment` and `[notify]` configure."""
    found = [
        url
        for name in dict.fromkeys((CHANNELS, *notify.channels))
        for url in split_urls(environment.get(name, ""))
    ]
    return Alerts(
        notify,
        tuple(dict.fromkeys(found)),
        tuple(each for each in notify.channels if not environment.get(each, "").strip()),
        environment.get(ISSUES, "").strip(),
        pings_of(environment),
        environment,
    )


def pings_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    """URLs in DRILL_PING."""
    return tuple(split_urls(environment.get(PING, "")))


def split_urls(text: str) -> list[str]:
    """The URLs in `text`."""
    return [url for each in BETWEEN.split(text) if (url := each.strip(" ,;"))]


def notify_in(path: Path) -> Notify:
    """`[notify]` of the criteria file at `path`; what holds without it where it cannot be read.

    For a drill that some error in that very file keeps from running.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        raw = tomllib.loads(text).get("notify", {})
        notify: Notify = NOTIFY.read(Place(path, text, keys=("notify",)), raw)
    except (OSError, ValueError, UsageError):
        return Notify()
    return notify
