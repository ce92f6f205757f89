"""What is remembered of a drill that could not begin: no history has it, and its end is one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from restore_drill.alerts.missed import remember, remembered
from restore_drill.core.user_folders import user_state

NAME = "unbegun.json"
"""When a drill could not begin, by the mark of the machine and folder it was called in."""


def note_unbegun(mark: str) -> None:
    """Remember that a drill could not begin there, and that people were told."""
    path = memory()
    remember(path, remembered(path) | {mark: datetime.now(UTC).isoformat()})


def forget_unbegun(mark: str) -> bool:
    """Whether the last drill there could not begin; from now on it is past."""
    path = memory()
    known = remembered(path)
    if mark not in known:
        return False
    remember(path, {key: when for key, when in known.items() if key != mark})
    return True


def memory() -> Path:
    """The file, of this user on this machine."""
    return user_state() / NAME
