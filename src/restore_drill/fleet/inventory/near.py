"""Files of a folder that are called nearly like fleet files: what is in them would go undrilled."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

from restore_drill.core.errors import UsageError

SUFFIX = ".toml"
NEAR = re.compile(r"\.(toml|tml|tomml|tom)", re.IGNORECASE)
"""How the name of a fleet file may end by mistake, beside `.toml`."""
ALONE = {"databases", "discover"}
"""Tables that a fleet file alone has."""
HEADER = re.compile(rf"\s*\[+\s*['\"]?({'|'.join(sorted(ALONE))})\b")
"""Line that begins one of them."""
HIDE = "begin its name with a dot to leave it out"


def refuse_near(folder: Path, names: Iterable[str]) -> None:
    """Refuse what of `names` in `folder` is meant to be a fleet file and is none; UsageError.

    Folders below may hold criteria files, whatever they are called.
    """
    for name in names:
        path, suffix = folder / name, Path(name).suffix
        if path.is_dir():
            refuse_below(path)
        elif suffix != SUFFIX and NEAR.fullmatch(suffix):
            what = f"a fleet file ends with {SUFFIX}: rename it to {Path(name).stem}{SUFFIX}"
            raise UsageError(f"{path}: {what}, or {HIDE}")


def refuse_below(folder: Path) -> None:
    """Refuse a fleet file in `folder`, which is not read; UsageError."""
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.is_file() and is_fleet_file(path):
            what = f"only what lies directly in {folder.parent} is read: move it there"
            raise UsageError(f"{path}: {what}, or {HIDE}")


def is_fleet_file(path: Path) -> bool:
    """Whether the file at `path` names databases; what cannot be read may."""
    try:
        text = path.read_text(encoding="utf-8")
        return not ALONE.isdisjoint(tomllib.loads(text))
    except tomllib.TOMLDecodeError:
        return any(map(HEADER.match, text.split("\n")))
    except (OSError, UnicodeDecodeError):
        return True
