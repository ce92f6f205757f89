"""Folders of this machine that stand for places of others: what lies there is shown by its URL."""

from __future__ import annotations

from pathlib import Path

mirrors: dict[Path, str] = {}
"""URL of a place, which ends with `/`, by the folder that mirrors it."""


def as_written(path: Path) -> str:
    """`path` as a user would write it: the URL of what it stands for, if it does."""
    for root, url in mirrors.items():
        if path.is_relative_to(root):
            return (url + path.relative_to(root).as_posix()).removesuffix(".").rstrip("/")
    return str(path)
