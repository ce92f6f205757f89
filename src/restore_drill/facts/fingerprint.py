"""What a database is, in names, counts and fingerprints (a `Fingerprint`); to JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from restore_drill.facts.schema.written import Written

SUMS = 2**64
"""Fingerprints are sums of 64-bit hashes: those of partitions add up to that of their table."""


class TableFacts(NamedTuple):
    """Rows of one table, and the fingerprints of its whole rows and of each column, in hex.

    `rows` is None where the table could not be read: `error` says why. `is_refreshed` marks a
    materialised view, whose rows a restore computes anew.
    """

    rows: int | None
    content: str = ""
    columns: dict[str, str] = {}  # noqa: RUF012 - the default is never changed
    error: str = ""
    is_refreshed: bool = False


class Position(NamedTuple):
    """Where a sequence stands."""

    last_value: int
    is_called: bool


class SequenceFacts(NamedTuple):
    """Where a sequence stood `before` the dump and `after` it."""

    before: Position
    after: Position

    def holds(self, now: Position) -> bool:
        """Whether a dump taken meanwhile can have met the sequence at `now`."""
        low, high = sorted((self.before.last_value, self.after.last_value))
        moved = self.before != self.after
        return now in self or (moved and now.is_called and low <= now.last_value <= high)


@dataclass(frozen=True)
class LargeObjects:
    """All large objects: how many, their bytes, fingerprints of their content and their rights."""

    count: int = 0
    size: int = 0
    content: str = ""
    rights: str = ""
    error: str = ""


@dataclass(frozen=True)
class Fingerprint:
    """What a database is.

    `hash_probe` is what the server's hash function gives for a known text: fingerprints of servers
    that disagree on it (other byte order) cannot be compared. `schema` maps kind to name to
    fingerprint of the definition; `left_out` is what has none, and why. `revisions` say by kind
    what its fingerprints hold, where that is not what those of the first manifests held. `written`
    is what pg_dump writes of the schema, where somebody has asked it.
    """

    server_version: int
    encoding: str
    hash_probe: str
    tables: dict[str, TableFacts]
    partitions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sequences: dict[str, SequenceFacts] = field(default_factory=dict)
    large_objects: LargeObjects = field(default_factory=LargeObjects)
    schema: dict[str, dict[str, str]] = field(default_factory=dict)
    extensions: dict[str, str] = field(default_factory=dict)
    settings: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    revisions: dict[str, int] = field(default_factory=dict)
    written: Written | None = None

    @property
    def major(self) -> int:
        """Major version of the server."""
        return self.server_version // 10000

    @property
    def all_tables(self) -> dict[str, TableFacts]:
        """Facts of all tables, those of a partitioned one summed up from its leaves."""
        return self.tables | {
            name: total(self.tables[leaf] for leaf in leaves if leaf in self.tables)
            for name, leaves in self.partitions.items()
        }

    @property
    def rows(self) -> int:
        """Rows of all tables together."""
        return sum(facts.rows or 0 for facts in self.tables.values() if not facts.is_refreshed)

    @property
    def unread(self) -> list[str]:
        """What could not be read, and why."""
        found = [f"{name}: {facts.error}" for name, facts in self.tables.items() if facts.error]
        error = self.large_objects.error
        return found + ([f"large objects: {error}"] if error else [])

    def as_json(self) -> dict[str, Any]:
        """The fingerprint in JSON's own types."""
        return {
            "hash_probe": self.hash_probe,
            "tables": {
                name: {"rows": each.rows, "content": each.content, "columns": each.columns}
                | ({"is_refreshed": True} if each.is_refreshed else {})
                for name, each in self.tables.items()
            },
            "partitions": self.partitions,
            "sequences": self.sequences,
            "large_objects": {
                "count": self.large_objects.count,
                "bytes": self.large_objects.size,
                "content": self.large_objects.content,
                "rights": self.large_objects.rights,
            },
            "schema": self.schema,
            "extensions": self.extensions,
            "settings": self.settings,
            "left_out": self.left_out,
            "revisions": self.revisions,
        } | ({"written": self.written.as_json()} if self.written else {})


def total(parts: Iterable[TableFacts]) -> TableFacts:
    """Facts of a partitioned table from those of its leaves; unread where one of them is."""
    found = list(parts)
    unread = [each.error for each in found if each.rows is None]
    if unread:
        return TableFacts(None, error=unread[0])
    names = [name for each in found for name in each.columns]
    return TableFacts(
        rows=sum(each.rows or 0 for each in found),
        content=add(each.content for each in found),
        columns={
            name: add(each.columns.get(name, "") for each in found) for name in dict.fromkeys(names)
        },
    )


def add(prints: Iterable[str]) -> str:
    """Fingerprint of all rows from those of their parts."""
    return as_print(sum(int(each or "0", 16) for each in prints))


def as_print(value: int) -> str:
    """A sum of hashes as a fingerprint: 16 hexadecimal digits."""
    return f"{value % SUMS:016x}"
