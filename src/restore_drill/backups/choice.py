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
