"""Reads the files of SQL criteria: a header of comments, and one query."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from restore_drill.core.errors import UsageError

SEVERITIES = ("error", "warn")
KEYS = ("severity", "description", "tags")
HEADER = re.compile(r"--\s*([a-z_]+)\s*:\s*(.*)")
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
QUERIES = ("SELECT", "WITH", "VALUES", "TABLE")
"""First words of a statement that returns rows and writes nothing."""


@dataclass(frozen=True)
class SqlCriterion:
    """One criterion: the query in the file at `path` must return no rows.

    With `severity` warn its rows are reported and do not fail; `tags` are markers for `-m`.
    """

    path: Path
    query: str
    severity: str = "error"
    description: str = ""
    tags: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of its file without the suffix."""
        return self.path.stem

    @property
    def sentence(self) -> str:
        """What it proves, in a sentence."""
        return self.description or f"The query in {self.path.name} returns no rows."

    @property
    def first_word(self) -> str:
        """First word of the query, in capitals; empty where there is none."""
        words = re.match(r"[\s(;]*(\w*)", COMMENT.sub(" ", self.query))
        return words[1].upper() if words else ""

    @property
    def is_query(self) -> bool:
        """Whether it begins as a statement that can only return rows."""
        return self.first_word in QUERIES


def read_folder(folder: Path) -> dict[Path, SqlCriterion]:
    """All criteria in `folder`, by path, in the order of their names.

    Raises `UsageError` naming file and line.
    """
    for path in folder.rglob("*.sql"):
        if path.parent != folder:
            raise error_in(path, 0, f"is in a subfolder; move it to {folder} itself")
    return {path: read_criterion(path) for path in sorted(folder.glob("*.sql"))}


def error_in(path: Path, line: int, what: str) -> UsageError:
    """Usage error about the file at `path`; `line` counts from 1, 0 is the whole file."""
    return UsageError(f"SQL criterion {path}" + (f", line {line}" * bool(line)) + f": {what}")


def read_criterion(path: Path) -> SqlCriterion:
    """Criterion in the file at `path`; raises `UsageError` naming file and line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise error_in(path, 0, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise error_in(path, 0, "is no UTF-8 text") from None
    if not re.fullmatch(r"[\w-]+", path.stem):
        raise error_in(path, 0, "rename it: -k can select only names of letters, digits, _ and -")
    found = dict(header_of(path, text))
    severity = found.get("severity", "error").lower()
    if severity not in SEVERITIES:
        raise error_in(path, 0, f"severity is {severity!r}; choose one of {', '.join(SEVERITIES)}")
    criterion = SqlCriterion(
        path=path,
        query=text,
        severity=severity,
        description=found.get("description", ""),
        tags=tuple(filter(None, re.split(r"[,\s]+", found.get("tags", "")))),
    )
    if not criterion.first_word:
        raise error_in(path, 0, "holds no query")
    return criterion


def header_of(path: Path, text: str) -> Iterator[tuple[str, str]]:
    """Keys and values of the comment lines before the query; an unknown key is an error."""
    seen: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("--"):
            return
        pair = HEADER.fullmatch(line.strip())
        if pair is None:
            continue
        key, value = pair[1], pair[2].strip()
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(KEYS)}"
            raise error_in(path, number, f"unknown key {key!r}; {hint}")
        if key in seen:
            raise error_in(path, number, f"{key} is given twice")
        seen.add(key)
        yield key, value
