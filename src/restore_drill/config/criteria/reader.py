"""Reads the criteria file; an error in it is a usage error that names its place."""

from __future__ import annotations

import re
import tomllib
from ast import literal_eval
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from restore_drill.config.criteria.file import FILE
from restore_drill.config.criteria.model import Criteria
from restore_drill.config.criteria.place import Place
from restore_drill.core.access import why_closed
from restore_drill.core.errors import UsageError

HINTS = {
    "Cannot overwrite a value": "the same key stands above it; leave one of the two out",
    "Unescaped '\\'": "write a text with a backslash in 'single quotes'",
    "Invalid value": "a text stands in quotes",
    "Expected '=' after a key": "write NAME = VALUE",
}
"""What to do, by how Python's reader of TOML begins to say what is wrong."""
TWICE = re.compile(r"Cannot declare \((.+?),?\) twice \(at (line \d+)")


def why_not(error: ValueError) -> str:
    """What is wrong with the text, in words of TOML: Python's are of its own tuples."""
    if not (found := TWICE.match(str(error))):
        hint = next((text for words, text in HINTS.items() if str(error).startswith(words)), "")
        return f"{error}; {hint}" if hint else str(error)
    name = ".".join(str(key) for key in literal_eval(f"({found[1]},)"))
    where = f"the second time in {found[2]}"
    return f"[{name}] stands in it twice, {where}; write what belongs to it below the first"


def load_criteria(path: Path) -> Criteria:
    """Read the criteria file at `path`; any error is a `UsageError` with its place."""
    read, text, raw = read_toml(
        path, "criteria file", "name another with --criteria (DRILL_CRITERIA)"
    )
    criteria: Criteria = FILE.read(Place(path, text), raw)
    return replace(criteria, sha256=sha256(read).hexdigest())


def read_toml(path: Path, kind: str, instead: str) -> tuple[bytes, str, dict[str, Any]]:
    """Bytes, text and tables of the file of TOML at `path`, which is a `kind` of file.

    UsageError where it cannot be read, which says what to do `instead`, or where it is no TOML.
    """
    try:
        read = path.read_bytes()
        text = read.decode("utf-8-sig").replace("\r\n", "\n")
        return read, text, tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"{kind} {path}: {why_closed(path, error)}; {instead}") from None
    except UnicodeDecodeError as error:
        line = read.count(b"\n", 0, error.start) + 1
        what = "is UTF-16" if b"\0" in read[:4] else "is not UTF-8"
        raise UsageError(f"{kind} {path}, line {line}: the file {what}; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        if "\0" in text:
            what = "the file is UTF-16, or no text; save it as UTF-8"
            raise UsageError(f"{kind} {path}, line 1: {what}") from None
        raise UsageError(f"{kind} {path} is not valid TOML: {why_not(error)}") from None
