"""What a search for a good backup has proved so far: it goes on where an earlier one was ended."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from restore_drill.results.result import write_whole
from restore_drill.selection.candidate import Candidate

NAME = "bisect.json"
VALID = timedelta(days=1)
"""So long a proof of a search counts for the next one."""


@dataclass
class Proved:
    """Proofs by the same criteria and options, at `path`; None where there is no place for it."""

    path: Path | None
    about: str
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(
        cls, folder: Path | None, series: str, criteria: str, options: Sequence[str]
    ) -> Proved:
        """What is noted in `folder` of drills with these `options` and this criteria file."""
        text = json.dumps([series, criteria, *options])
        found = cls(folder and folder / NAME, hashlib.sha256(text.encode()).hexdigest())
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            raw = json.loads(found.path.read_text(encoding="utf-8")) if found.path else {}
            if raw["schema"] == 1 and raw["about"] == found.about:
                found.entries = {str(name): dict(each) for name, each in raw["proved"].items()}
        return found

    def of(self, backup: Candidate) -> tuple[int, Path | None] | None:
        """Exit code of the drill of `backup`, and its reports; None without one of today."""
        entry = self.entries.get(backup.label)
        try:
            if entry is None or entry["about"] != facts_of(backup):
                return None
            if datetime.now(UTC) - datetime.fromisoformat(entry["at"]) > VALID:
                return None
            return int(entry["code"]), Path(entry["reports"]) if entry["reports"] else None
        except (KeyError, TypeError, ValueError, OSError):
            return None

    def note(self, backup: Candidate, code: int, reports: Path | None) -> None:
        """Note what came of the drill of `backup`; OSError."""
        self.entries[backup.label] = {
            "about": facts_of(backup),
            "at": datetime.now(UTC).isoformat(),
            "code": code,
            "reports": str(reports) if reports else None,
        }
        if self.path is not None:
            self.path.parent.mkdir(exist_ok=True)
            whole = {"schema": 1, "about": self.about, "proved": self.entries}
            write_whole(self.path, json.dumps(whole) + "\n")


def facts_of(backup: Candidate) -> list[Any]:
    """What shows that it is the same file: also where another one has got its name; OSError."""
    return [backup.size, backup.taken_at.isoformat(), backup.path.stat().st_mtime]
