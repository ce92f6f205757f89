"""Keys of Redis against those of the last passed drill of the same series, as tables are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from types import MappingProxyType
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
    """How many keys a backup held, by database and type, of those that were `counted`.

    Where all were, `lasting` has those without a TTL. Libraries of `functions` and `groups` of
    streams are None where nothing says how many there are.
    """

    counted: str
    keys: Types
    lasting: Types = MappingProxyType({})
    functions: int | None = None
    groups: int | None = None


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
        without = {
            database: {kind: each.total - each.expires for kind, each in types.items()}
            for database, types in file.types.items()
        }
        return Held(ALL, keys, without, file.functions, census.groups.count + census.passing)
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
                    f"last passed drill; at least {ceil(round(least, 6)):,} required"
                )


def gone(was: Held, now: Held) -> Iterator[str]:
    """A line on each thing that keys had and that none of them has any more.

    A type whose TTLs are gone has as many keys more that never expire; those that have expired, or
    were removed, are no loss of a TTL.
    """
    last = "in the last passed drill"
    for database in sorted(was.lasting):
        for kind, lasting in sorted(was.lasting[database].items()):
            before = was.keys.get(database, {}).get(kind, 0) - lasting
            keys = now.keys.get(database, {}).get(kind, 0)
            after = keys - now.lasting.get(database, {}).get(kind, keys)
            if now.lasting and before > 0 and not after and keys >= lasting + before / 2:
                yield f"database {database}, {kind}: no key has a TTL, {before:,} had one {last}"
    if was.functions and now.functions == 0:
        yield f"there is no library of functions, {was.functions:,} {last}"
    has_streams = any("stream" in types for types in now.keys.values())
    if was.groups and now.groups == 0 and has_streams:
        yield f"no stream has a consumer group, {was.groups:,} {last}"


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
        parts = (types_from(raw["keys"]), types_from(raw.get("lasting", {})))
        beside = (raw.get(name) for name in ("functions", "groups"))
        held = Held(
            text(raw["counted"]),
            *parts,
            *(each if each is None else whole(each) for each in beside),
        )
        return Before(text(raw["backup"]), taken_at, drilled_at, held), ""
    except (KeyError, TypeError, ValueError, AttributeError):
        return None, f"{path} was not written by the drill"


def types_from(raw: Mapping[str, Mapping[str, int]]) -> Types:
    """Counts by database and type, from JSON."""
    return {
        int(database): {text(kind): whole(count) for kind, count in types.items()}
        for database, types in raw.items()
    }


def types_json(types: Types) -> dict[str, dict[str, int]]:
    """The same in JSON's own types."""
    return {str(database): dict(each) for database, each in types.items()}


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
        "keys": types_json(held.keys),
        "lasting": types_json(held.lasting),
        "functions": held.functions,
        "groups": held.groups,
    }
    state.write(path_in(state), content)


def path_in(state: State) -> Path:
    """Where it lies."""
    return state.folder / FILE
