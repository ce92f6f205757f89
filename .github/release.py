#!/usr/bin/env python3
"""`release.py TAG` prints the notes of a release: TAG must be the version, and in the changelog."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSION = ROOT / "src" / "restore_drill" / "__init__.py"
CHANGELOG = ROOT / "CHANGELOG.md"


def notes(tag: str) -> str:
    """Section of CHANGELOG.md for the release `tag`. Raises ValueError where the three differ."""
    (version,) = re.findall(r'^__version__ = "(.+)"$', VERSION.read_text("utf-8"), re.MULTILINE)
    if tag != f"v{version}":
        raise ValueError(f"the tag is {tag}, but the version in {VERSION.name} is {version}")
    text = CHANGELOG.read_text(encoding="utf-8")
    heading = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |^\[|\Z)"
    found = re.search(heading, text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f"CHANGELOG.md has no heading `## [{version}] - YYYY-MM-DD`")
    if not found[1].strip():
        raise ValueError(f"CHANGELOG.md has no entry under {version}")
    return found[1].strip() + "\n"


def main() -> int:
    """Print the notes; 1 with an error that GitHub shows where there is nothing to release."""
    try:
        sys.stdout.write(notes(sys.argv[1]))
    except ValueError as error:
        sys.stderr.write(f"::error title=Not released::{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
