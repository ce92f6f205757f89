"""The place of the WAL up to which recovery brings what a manifest describes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from restore_drill.backups.physical.model import lsn_of, show_lsn
from restore_drill.core.json_values import text, whole


@dataclass(frozen=True)
class Point:
    """Where recovery holds what the facts of the manifest are of.

    It stops after the record at `lsn` (recovery_target_lsn, inclusive), which lies in `segment` of
    `timeline`. The first commit that the `snapshot` does not see is written at `before`.
    `unfinished` are transactions that it does not see either, and that may have been committed long
    before: the recovered server knows whether they were.
    """

    lsn: int
    before: int
    timeline: int
    segment: str
    snapshot: str
    unfinished: tuple[int, ...] = ()

    @property
    def recover_to(self) -> str:
        """As a drill is told it: `lsn:0/1E0000B0`."""
        return f"lsn:{show_lsn(self.lsn)}"

    def as_json(self) -> dict[str, Any]:
        """The point in JSON's own types."""
        return {
            "recover_to": self.recover_to,
            "lsn": show_lsn(self.lsn),
            "before_lsn": show_lsn(self.before),
            "timeline": self.timeline,
            "segment": self.segment,
            "snapshot": self.snapshot,
            "unfinished": list(self.unfinished),
        }


def point_from(raw: dict[str, Any] | None) -> Point | None:
    """The point in `raw`, None where there is none."""
    if raw is None:
        return None
    return Point(
        lsn=lsn_of(text(raw["lsn"])),
        before=lsn_of(text(raw["before_lsn"])),
        timeline=whole(raw["timeline"]),
        segment=text(raw["segment"]),
        snapshot=text(raw["snapshot"]),
        unfinished=tuple(map(whole, raw["unfinished"])),
    )
