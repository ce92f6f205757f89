"""What became of each whole drill of a real backup: a line each, oldest first.

It lies in `.drill/history.jsonl` below BACKUP_PATH, or where DRILL_HISTORY says, which may be a
bucket; `restore-drill status` and `dashboard` read it. Without both there is none: no other
directory is ours to write to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Self

from restore_drill.config.settings import Settings
from restore_drill.config.values import HISTORY
from restore_drill.core.json_values import text
from restore_drill.core.mirrors import as_written
from restore_drill.watch.chain import Link, last_link
from restore_drill.watch.shapes import (
    UNREADABLE,
    count,
    counts_by_name,
    each_by_name,
    moment,
    number,
    or_none,
    texts,
)
from restore_drill.watch.skips import Skip
from restore_drill.watch.stored import entry_on, stored


@dataclass(frozen=True)
class Drill:
    """One drill: sizes in bytes, times and ages in seconds, None for what it did not get to.

    `at` is when it began, `strength` what a pass was worth, `red` the first criteria that did not
    hold and `findings` the first line of each; `series` that of its backup, `age` how old it was,
    `database` and `system` (identifier of its cluster) what it was taken from, where it says so.
    `tables` has the rows of the largest, `rows` those of all. `budgets` are the limits of `age`,
    `restore`, `verify` and `total` that were set. `machine` and `setup` are where it ran, and how:
    other times cannot be compared. `place` is the folder of the backups, with its machine, where
    the history does not lie beside them: others may have series of the same name; `server` is the
    one that a bucket is at, where the environment names it. `report` is the
    folder of its reports on that machine, `pick` how an older backup was picked. `stamp` tells the
    files of the backup from others of their names, `terms` what it was held to from other criteria
    and limits. `line` is where it stands in the history.

    Lines that were written before these were noted lack them, and `series`.
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
    findings: tuple[str, ...] = ()
    sha256: str | None = None
    age: float | None = None
    database: str | None = None
    system: str | None = None
    tables: Mapping[str, int] = field(default_factory=dict)
    budgets: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: str | None = None
    place: str | None = None
    server: str | None = None
    setup: str | None = None
    report: str | None = None
    pick: str | None = None
    stamp: str | None = None
    terms: str | None = None
    line: int = field(default=0, compare=False)

    @classmethod
    def read(cls, raw: Mapping[str, Any], line: int = 0) -> Self:
        """Drill from a line; KeyError, TypeError or ValueError where it is not a drill."""
        names = [name for name in READ if name in raw or name in REQUIRED]
        return cls(**{name: READ[name](raw[name]) for name in names}, line=line)

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's own types."""
        values = {name: value for name, value in asdict(self).items() if name != "line"}
        return values | {"at": self.at.isoformat()}

    @property
    def has_passed(self) -> bool:
        """Whether its verdict speaks for the backup."""
        return self.verdict == "passed"


READ: dict[str, Callable[[Any], Any]] = {
    "at": moment,
    "verdict": text,
    **dict.fromkeys(("strength", "backup", "series", "sha256"), or_none(text)),
    **dict.fromkeys(("database", "system", "machine", "place", "setup"), or_none(text)),
    **dict.fromkeys(("report", "pick", "server", "stamp", "terms"), or_none(text)),
    **dict.fromkeys(("size", "rows"), or_none(count)),
    **dict.fromkeys(("restore", "verify", "total", "age"), or_none(number)),
    **dict.fromkeys(("red", "findings"), texts),
    "tables": counts_by_name,
    "budgets": each_by_name(number),
    "versions": each_by_name(text),
}
"""How each field of a drill is read."""
REQUIRED = [each.name for each in fields(Drill)][:10]
"""What every line has had since the first version."""


AHEAD = timedelta(hours=1)
"""So far may the clock of another machine be ahead; a later pass would be young for too long."""


class History(NamedTuple):
    """What is noted at `path`: the drills and what was skipped, oldest first.

    Drills of older backups that were picked stand apart, as `picks`: no trend and no status of the
    newest goes by them.

    Drills stand as they were written, whatever their clocks said. `damaged` lines are torn, of a
    shape that is not known, or a pass or skip of the future. `lost` are those of them that
    may be of any drill. `last` is the end of the chain.
    """

    path: Path
    drills: list[Drill]
    skips: Sequence[Skip] = ()
    damaged: int = 0
    last: Link | None = None
    picks: Sequence[Drill] = ()
    lost: Sequence[int] = ()

    @property
    def name(self) -> str:
        """Where it lies, as its user would write it."""
        return as_written(self.path)


def history_path(settings: Settings) -> Path | None:
    """Where drills are noted, None where nowhere."""
    if settings.history is not None:
        return settings.history
    return settings.notes_folder and settings.notes_folder / HISTORY


def load_history(path: Path) -> History:
    """The history at `path`; lines that are none of ours, or torn, are passed over.

    Raises `CouldNotRun` where it cannot be read.
    """
    drills: list[Drill] = []
    skips: list[Skip] = []
    lost: list[int] = []
    damaged = 0
    content = stored(path)
    for position, line in enumerate(content.split(b"\n")):
        raw = entry_on(line)
        if raw is None:
            lost += [position] if line.strip() else []
            continue
        try:
            if "kind" in raw:
                skips.append(Skip.read(raw, position))
            else:
                drills.append(Drill.read(raw, position))
        except UNREADABLE:
            damaged += "kind" in raw
            lost += [] if "kind" in raw else [position]
    latest = datetime.now(UTC) + AHEAD
    known = [each for each in drills if each.at < latest or not each.has_passed]
    noted = [each for each in skips if each.at < latest]
    damaged += len(lost) + len(drills) - len(known) + len(skips) - len(noted)
    picks = [each for each in known if each.pick]
    known = [each for each in known if not each.pick]
    return History(path, known, noted, damaged, last_link(content), picks, lost)


def read_history(path: Path) -> list[Drill]:
    """Drills noted at `path`, oldest first. Raises `CouldNotRun` where it cannot be read."""
    return load_history(path).drills
