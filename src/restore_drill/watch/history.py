"""What became of each whole drill of a real backup: a line each, oldest first.

It lies in `.drill/history.jsonl` below BACKUP_PATH; `restore-drill status` reads it. Without
BACKUP_PATH there is none: no other directory is ours to write to.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Self

from restore_drill.config.settings import Settings
from restore_drill.core.errors import CouldNotRun
from restore_drill.results.result import Result
from restore_drill.results.words import problems_of
from restore_drill.selection.series import name_in_series, series_of

MOST_CHECKS = 5


@dataclass(frozen=True)
class Drill:
    """One drill: sizes in bytes, times in seconds, None for what it did not get to.

    `at` is when it began, `strength` what a pass was worth, `red` the first criteria that did not
    hold; `series` that of its backup, None where it had none (lines of before have none either).
    """

    at: datetime
    verdict: str
    strength: str | None
    backup: str | None
    size: int | None
    rows: int | None
    restore: float | None
    verify: float | None
    total: float | None
    red: tuple[str, ...] = ()
    series: str | None = None

    @classmethod
    def of(cls, result: Result) -> Self:
        """The drill of `result`."""
        backup, timings = result["backup"] or {}, result["timings"]
        rows = [table["rows"] for table in result["tables"].values()]
        path = backup.get("path")
        red = [check["id"] for check in problems_of(result)]
        return cls(
            at=datetime.fromisoformat(result["started_at"]),
            verdict=result["verdict"],
            strength=result["strength"],
            backup=Path(path).name if path else None,
            size=backup.get("bytes"),
            rows=sum(each or 0 for each in rows) if rows else None,
            restore=timings["restore"],
            verify=timings["verify"],
            total=timings["total"],
            red=tuple(name.rpartition("::")[2] for name in red[:MOST_CHECKS]),
            series=series_of(Path(path)) if path else None,
        )

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Self:
        """Drill from a line; KeyError, TypeError or ValueError where it is not a drill."""
        given = {"series": None} | {
            field.name: raw[field.name]
            for field in fields(cls)
            if field.name != "series" or "series" in raw
        }
        at = datetime.fromisoformat(given["at"]).astimezone(UTC)
        numbers = [given[name] for name in ("size", "rows", "restore", "verify", "total")]
        texts = [
            given[name] for name in ("strength", "backup", "series") if given[name] is not None
        ]
        if not all(isinstance(each, int | float | None) for each in numbers):
            raise TypeError("not a number")
        if not all(isinstance(each, str) for each in (given["verdict"], *texts, *given["red"])):
            raise TypeError("not a text")
        return cls(**{**given, "at": at, "red": tuple(given["red"])})

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's own types."""
        return asdict(self) | {"at": self.at.isoformat()}

    @property
    def line(self) -> str:
        """The same as a line of JSON."""
        return json.dumps(self.as_json(), ensure_ascii=False) + "\n"

    @property
    def has_passed(self) -> bool:
        """Whether its verdict speaks for the backup."""
        return self.verdict == "passed"


def history_path(settings: Settings) -> Path | None:
    """Where drills are noted."""
    return settings.notes_folder and settings.notes_folder / "history.jsonl"


def read_history(path: Path) -> list[Drill]:
    """Drills noted at `path`, oldest first; any other line is skipped.

    Raises `CouldNotRun` where it cannot be read.
    """
    found = []
    try:
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    except OSError as error:
        raise CouldNotRun(f"the history {path} cannot be read: {error.strerror}") from None
    for line in text.split("\n"):
        try:
            found.append(Drill.read(json.loads(line)))
        except (ValueError, KeyError, TypeError):
            continue
    return sorted(found, key=lambda drill: drill.at)


def by_series(drills: Sequence[Drill]) -> dict[str, list[Drill]]:
    """Drills by the series of their backups, each oldest first, as `drills` are.

    A drill noted before there were series goes to the only one whose backups are named alike; one
    that found no backup to the series that was drilled next, since it may have been any.
    """
    known = {drill.series for drill in drills if drill.series}
    found: dict[str, list[Drill]] = {}
    after = ""
    for drill in reversed(drills):
        name = drill.series or ""
        if not name and drill.backup:
            name = name_in_series(Path(drill.backup))
            alike = [each for each in known if each.rpartition("/")[2] == name]
            name = alike[0] if len(alike) == 1 else name or drill.backup
        after = name or after or next(iter(known), "") * (len(known) == 1)
        found.setdefault(after, []).insert(0, drill)
    return dict(sorted(found.items()))


def is_torn(file: BinaryIO) -> bool:
    """Whether the last line of `file` has no end: a drill was killed, or its disk was full."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 1))
    return file.read(1) not in (b"", b"\n")


def note(path: Path, result: Result) -> None:
    """Add the drill of `result` to the history at `path`; raises OSError."""
    path.parent.mkdir(exist_ok=True)
    with path.open("a+b") as file:
        file.write(b"\n" * is_torn(file) + Drill.of(result).line.encode())
