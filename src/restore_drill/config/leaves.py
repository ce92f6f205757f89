"""What a drill leaves beside its reports: the settings of it, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from restore_drill.config.values import path_of

PEM = "-----BEGIN "
"""What a key begins with, and no path."""


@dataclass(frozen=True)
class Leaves:
    """`sign` is the key that signs result.json, or the file that holds it."""

    sign: Path | str | None = field(repr=False)


def leaves_of(given: dict[str, str | None], here: Path) -> Leaves:
    """What is `given`; relative paths count from `here`."""
    return Leaves(sign=key_of(given, here))


def key_of(given: dict[str, str | None], here: Path) -> Path | str | None:
    """The key itself, as a secret of a CI has it in the variable, or the path of its file."""
    text = given["sign"]
    return text if text and text.lstrip().startswith(PEM) else path_of(given, "sign", here)
