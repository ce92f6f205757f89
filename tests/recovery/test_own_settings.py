"""The settings of a recovering server."""

from __future__ import annotations

from pathlib import Path

from restore_drill.recovery.control_data import LIMITS, ControlData
from restore_drill.recovery.own_settings import recovery_settings


def control(segment_size: int) -> ControlData:
    """Control data of a server with usual limits."""
    limits = dict.fromkeys(LIMITS, 10)
    return ControlData("7", "in production", 0, 1, 1, segment_size, limits, has_checksums=True)


def test_wal_has_room_for_some_segments_of_any_size(tmp_path: Path) -> None:
    """The least of a server is counted in segments."""
    found = recovery_settings(tmp_path, control(1 << 30))

    assert found["min_wal_size"] == "2048MB"
    assert int(found["max_wal_size"].removesuffix("MB")) >= 4096
