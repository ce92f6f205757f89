"""Keys of Redis against those of the last passed drill of the same series, as tables are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from restore_drill.backups.model import Backup
from restore_drill.config.criteria.key_tolerance import KeyTolerance
from restore_drill.config.settings import Settings
from restore_drill.core.json_values import text, whole
from restore_drill.core.units import show_count
from restore_drill.drift.state import State, read, state_of
from restore_drill.redis.backup.model import FileFacts
from restore_drill.redis.census.model import Census

FILE = "redis.json"
ALL, LASTING = "all keys", "keys without a TTL"
"""What was counted: all that the file held, or where nothing says that, what cannot run out."""
Types = Mapping[int, Mapping[str, int]]


class Held(NamedTuple):
    """How many keys a backup held, by database and type, of those that were `counted`."""

    counted: str
    keys: Types


class Before(NamedTuple):
    """What the last passed drill of a series found: of which backup, and when."""

    backup: str
    taken_at: datetime
    drilled_at: datetime
    held: Held

    @property
    def name(self) -> str:
        """`the drill of 2026-11-28 (dump.rdb)`."""
        return f"the drill of {self.drilled_at:%Y-%m-%d} ({self.backup})"


def held_of(file: FileFacts, census: Census) -> Held:
    """What a backup held: by its file, which still has the keys that have expired since."""
    if file.types:
        keys = {
            database: {kind: each.total for kind, each in types.items()}
            for database, types in file.types.items()
        }
        return Held(ALL, keys)
    lasting = {
        database: {kind: each.lasting for kind, each in types.items() if each.lasting}
        for database, types in census.counts.items()
    }
    return Held(LASTING, lasting)


def fallen(was: Types, now: Types, tolerance: KeyTolerance) -> Iterator[str]:
    """A line on each type in each database that has lost more keys than it may."""
    for database in sorted(was):
        for kind, before in sorted(was[database].items()):
            after = now.get(database, {}).get(kind, 0)
            least = before * (1 - tolerance.shrink_of(database, kind))
            if after < least:
                yield (
                    f"database {database}, {kind}: {show_count(after, 'key')}, {before:,} in the "
                    f"last passed drill; at least {least:,.0f} required"
                )


def read_before(settings: Settings, backup: Backup) -> tuple[Before | None, str]:
    """What the last passed drill of the series of `backup` found; why that is not known."""
    state = state_of(settings, backup)
    found, problem = read_from(state)
    if problem:
        return None, problem
    if found is None:
        first = "later drills are compared with the first that passes"
        return None, f"no drill of the series {state.scheme} has passed before; {first}"
    if found.taken_at > backup.taken_at:
        return None, f"the last passed drill used a later backup of Redis, {found.backup}"
    return found, ""


def read_from(state: State) -> tuple[Before | None, str]:
    """The same from its file."""
    path = path_in(state)
    raw, problem = read(path)
    if raw is None:
        return None, problem
    try:
        taken_at, drilled_at = (
            datetime.fromisoformat(raw[key]).astimezone(UTC) for key in ("taken_at", "drilled_at")
        )
        keys = {
            int(database): {text(kind): whole(count) for kind, count in types.items()}
            for database, types in raw["keys"].items()
        }
        held = Held(text(raw["counted"]), keys)
        return Before(text(raw["backup"]), taken_at, drilled_at, held), ""
    except (KeyError, TypeError, ValueError, AttributeError):
        return None, f"{path} was not written by the drill"


def keep_keys(settings: Settings, backup: Backup, drilled_at: datetime, held: Held) -> None:
    """Note what a passed drill has found, unless it is of an older backup; OSError."""
    state = state_of(settings, backup)
    known, problem = read_from(state)
    if problem or (known is not None and known.taken_at > backup.taken_at):
        return
    content = {
        "backup": backup.name,
        "taken_at": backup.taken_at.isoformat(),
        "drilled_at": drilled_at.isoformat(),
        "counted": held.counted,
        "keys": {str(database): dict(types) for database, types in held.keys.items()},
    }
    state.write(path_in(state), content)


def path_in(state: State) -> Path:
    """Where it lies."""
    return state.folder / FILE
