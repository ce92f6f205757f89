"""The fleet file that a user begins with."""

from __future__ import annotations

from pathlib import Path


def example() -> str:
    """A fleet file with a comment on every key, which is valid as it is."""
    return Path(__file__).with_name("example.toml").read_text(encoding="utf-8")
