"""What a run was asked for, and what of a checkup it depends on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from restore_drill.config.settings import Settings
from restore_drill.doctor.model import Open

SERVERS = {
    "embedded": ("servers", "machine", "isolation"),
    "container": ("servers", "containers"),
    "database": ("servers", "live"),
}
"""Groups of a checkup that a restore needs, by target."""


@dataclass(frozen=True)
class Work:
    """What a run was asked for: `criteria` counts those that would run, by stage.

    `selection` is what narrows it, as on the command line; `left_out` counts what that leaves out.
    """

    criteria: Mapping[str, int]
    selection: str = ""
    left_out: int = 0
    selects: bool = True
    restores: bool = True
    verifies: bool = True
    redis: bool = True
    redis_backup: bool = False
    opens: Sequence[Open] = ()

    def groups(self, settings: Settings) -> list[str]:
        """Groups of a checkup that this work depends on."""
        names = ["backups"] if self.selects else []
        names += SERVERS[settings.target] if self.restores else ()
        names += ["redis_backup"] if self.redis_backup else []
        return [*names, *(["redis"] if self.redis else [])]
