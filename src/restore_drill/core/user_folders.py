"""Folder of this user on this machine for what drills remember, but not beside the backups."""

from __future__ import annotations

from pathlib import Path


def user_state() -> Path:
    """`~/.local/state/restore-drill` on Linux, or below XDG_STATE_HOME."""
    import platformdirs  # noqa: PLC0415 - many drills remember nothing there

    return Path(platformdirs.user_state_path("restore-drill"))
