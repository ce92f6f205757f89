"""What the manifest of a dump says of the backup of Redis that was taken with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple


class RedisBefore(NamedTuple):
    """A backup of Redis that was taken before the dump, in one run with it."""

    backup: str
    sha256: str
    taken_at: datetime

    def as_json(self, dumped_at: datetime) -> dict[str, Any]:
        """What the manifest says of it: their order, and how many seconds they are apart."""
        return {
            "backup": self.backup,
            "sha256": self.sha256,
            "taken_at": self.taken_at.isoformat().replace("+00:00", "Z"),
            "seconds_before_dump": round((dumped_at - self.taken_at).total_seconds(), 3),
        }
