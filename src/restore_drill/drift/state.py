"""Where drills keep what the next ones measure drift by, and what people have accepted.

`.drill/drift/SERIES/` below BACKUP_PATH, else `drift/SERIES/` in the user's state directory. A
series is known by the scheme of its backups' names and by their folder. In it lie

- `passed.json`: the last passed drill and what its database held; `found.json`: what is open;
- `accepted.jsonl`: what was accepted, by whom, when and why; a line each, kept for ever.

Files are replaced in one step: drills side by side leave a whole one; one that is torn or none of
ours is reported. Without the last passed drill nothing is compared; none that cannot be read is
replaced.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from restore_drill.backups.model import Backup
from restore_drill.config.remote import state_folder_of
from restore_drill.config.settings import Settings
from restore_drill.core.json_values import text, whole
from restore_drill.core.mirrors import as_written
from restore_drill.core.user_folders import user_state
from restore_drill.drift.findings import Finding
from restore_drill.facts.schema.model import DriftFacts, High, Highs, Measure
from restore_drill.selection.series import series_of

SCHEMA = 1


class Passed(NamedTuple):
    """The last passed drill: of which backup, when, and what the database held; see `high.py`."""

    backup: str
    taken_at: datetime
    drilled_at: datetime
    facts: DriftFacts
    highs: Highs = MappingProxyType({})

    @property
    def name(self) -> str:
        """`the drill of 2026-11-28 (shop.dump)`."""
        return f"the drill of {self.drilled_at:%Y-%m-%d} ({self.backup})"

    @property
    def measure(self) -> Measure:
        """The same as a measure."""
        at = self.drilled_at.isoformat()
        return Measure("last passed drill", self.name, at, self.facts, self.highs)


@dataclass(frozen=True)
class State:
    """State of one series in `folder`; `scheme` is how its backups are named."""

    folder: Path
    scheme: str

    @property
    def passed_path(self) -> Path:
        """The last passed drill."""
        return self.folder / "passed.json"

    @property
    def found_path(self) -> Path:
        """What the last drill found."""
        return self.folder / "found.json"

    @property
    def accepted_path(self) -> Path:
        """What was accepted."""
        return self.folder / "accepted.jsonl"

    def read_passed(self) -> tuple[Passed | None, str]:
        """The last passed drill, None where there is none; why it cannot be read, if so."""
        raw, problem = read(self.passed_path)
        if raw is None:
            return None, problem
        try:
            facts = DriftFacts.read(raw["facts"])
            times = (datetime.fromisoformat(raw[key]) for key in ("taken_at", "drilled_at"))
            taken_at, drilled_at = (each.astimezone(UTC) for each in times)
            highs = {
                text(table): High(whole(rows), text(drill))
                for table, (rows, drill) in raw.get("highs", {}).items()
            }
            return Passed(str(raw["backup"]), taken_at, drilled_at, facts, highs), ""
        except (KeyError, TypeError, ValueError, AttributeError):
            return None, f"{self.passed_path} was not written by the drill"

    def write_passed(
        self, backup: Backup, drilled_at: datetime, facts: DriftFacts, highs: Highs
    ) -> None:
        """Note that `backup` has passed; OSError."""
        content = {
            "backup": backup.name,
            "taken_at": backup.taken_at.isoformat(),
            "drilled_at": drilled_at.isoformat(),
            "facts": facts.as_json(),
            "highs": highs,
        }
        self.write(self.passed_path, content)

    def read_found(self) -> tuple[dict[str, Any] | None, str]:
        """What the last drill found, None where there is nothing; why it cannot be read."""
        raw, problem = read(self.found_path)
        if raw is not None and not isinstance(raw.get("findings"), list):
            return None, f"{self.found_path} was not written by the drill"
        return raw, problem

    def write_found(self, backup: Backup, drilled_at: datetime, found: list[Finding]) -> None:
        """Note what a drill found for people to accept, or that there is nothing; OSError."""
        if not found:
            self.found_path.unlink(missing_ok=True)
            return
        content = {
            "backup": as_written(backup.path),
            "drilled_at": drilled_at.isoformat(),
            "findings": [each.as_json() for each in found],
        }
        self.write(self.found_path, content)

    def write(self, path: Path, content: dict[str, Any]) -> None:
        """Put `content` at `path` in one step."""
        self.folder.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            raw = {"schema": SCHEMA, "series": self.scheme} | content
            text = json.dumps(raw, ensure_ascii=False) + "\n"
            part.write_text(text, encoding="utf-8", errors="backslashreplace")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def read_accepted(self) -> tuple[list[dict[str, Any]], str]:
        """What was accepted, oldest first, and a word on lines that are none of ours."""
        try:
            lines = self.accepted_path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return [], ""
        except (OSError, UnicodeDecodeError) as error:
            return [], f"{self.accepted_path} cannot be read: {error}"
        found, foreign = [], 0
        for line in lines:
            try:
                each = json.loads(line)
                found.append({key: each[key] for key in ("at", "by", "reason", "objects")})
            except (ValueError, KeyError, TypeError):
                foreign += 1
        problem = f"{foreign} lines of {self.accepted_path} are damaged" if foreign else ""
        return found, problem

    def accept(self, line: dict[str, Any]) -> None:
        """Add an acceptance as a line of its own; OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.accepted_path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def read(path: Path) -> tuple[dict[str, Any] | None, str]:
    """Content of a file of ours, None where there is none; why it cannot be read, if so."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None, ""
    except OSError as error:
        return None, f"{path} cannot be read: {error.strerror}"
    except ValueError:
        return None, f"{path} is damaged"
    if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
        return None, f"{path} was not written by the drill, or by a newer version"
    return raw, ""


def home_of(settings: Settings) -> Path:
    """Directory of the states of all series."""
    return (settings.notes_folder or user_state()) / "drift"


def state_of(settings: Settings, backup: Backup) -> State:
    """State of the series that `backup` belongs to."""
    path = backup.path.resolve()
    scheme, around = backup.among.series or series_of(path), path.parents
    above = around[min(max(backup.among.below, 1), len(around) - 1)]  # of /pgbackrest there is one
    root = settings.backup_path.resolve() if settings.backup_path else None
    if root is not None and path.is_relative_to(root):
        above = above.relative_to(root) if above.is_relative_to(root) else Path()
    elif state_folder_of(path):  # its folder here is of this process alone
        above = Path(as_written(path.parent))
    key = hashlib.sha256(f"{above}\0{scheme}".encode(errors="surrogateescape")).hexdigest()[:10]
    slug = re.sub(r"[^\w.-]+", "_", scheme)[:60]
    return State(home_of(settings) / f"{slug}-{key}", scheme)
