"""What was there when a backup was chosen, beside the one that is drilled."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class NotDrilled(NamedTuple):
    """Backups that this drill is not of: what they are, and how to drill them."""

    what: str
    how: str


class Considered(NamedTuple):
    """A backup that was there when one was chosen, `why_not` empty for that one; size in bytes."""

    name: str
    format: str
    size: int
    taken_at: datetime
    why_not: str


class Picked(NamedTuple):
    """An older backup that was picked (`how`: --pick's text), and the `newest` of its series."""

    how: str
    newest: str
    newest_at: datetime
    newest_source: str


class Schedule(NamedTuple):
    """How a series keeps to the time from one backup to the next, in seconds.

    `holes` are the times without a backup, each in words; `judged` says how far back was looked,
    and why no further.
    """

    every: float
    holes: tuple[str, ...]
    judged: str


class Among(NamedTuple):
    """Where a backup stands among others: its `series`, and its `label`, empty where not known.

    It lies so many folders `below` the place of the backups; `picked` is None for the newest.
    """

    series: str = ""
    label: str = ""
    below: int = 0
    picked: Picked | None = None
    schedule: Schedule | None = None
