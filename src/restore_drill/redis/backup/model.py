"""What is known of a backup of Redis: before it is loaded, and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from restore_drill.backups.choice import NotDrilled
from restore_drill.backups.model import Backup
from restore_drill.redis.backup.kinds import RDB
from restore_drill.redis.connection import Server


@dataclass(frozen=True)
class Fault:
    """What is wrong with a backup, and the cause of its remedy (`redis_backup` in remedies)."""

    what: str
    cause: str


@dataclass(frozen=True)
class Keys:
    """Keys of one type in one database: all, those with a TTL, and those that had expired.

    `bytes` are those of names and values as they lie in the file, 0 where that is not known.
    """

    total: int = 0
    expires: int = 0
    expired: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class FileFacts:
    """What the file itself shows, read to its end before anything is loaded.

    `keys` are None where nothing counts them before a server has loaded it: behind an RDB file
    come commands, or no tool here reads this version. `types` has them by database and type.
    `checksum` is `ok`, `off` where its writer had switched it off, or empty where it has none.
    """

    kind: str
    version: str = ""
    written_by: str = ""
    made_at: datetime | None = None
    keys: int | None = None
    expires: int | None = None
    expired: int | None = None
    functions: int | None = None
    types: Mapping[int, Mapping[str, Keys]] = field(default_factory=dict)
    checksum: str = ""
    used_memory: int | None = None
    checked_by: str = ""
    faults: tuple[Fault, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def is_unread(self) -> bool:
        """Whether nothing here could read the file without loading it."""
        return self.kind == RDB and self.keys is None and not self.faults

    @property
    def words(self) -> str:
        """`RDB 10 by Redis 7.0.15, 1,000 keys, 3 of them expired`."""
        said = [" ".join(filter(None, (self.version, self.written_by and f"by {self.written_by}")))]
        if self.keys is not None:
            gone = f", {self.expired:,} of them expired" if self.expired else ""
            said.append(f"{self.keys:,} key{'s' * (self.keys != 1)}{gone}")
        return ", ".join(filter(None, said)) or self.kind


@dataclass(frozen=True)
class Placed:
    """A backup laid out for a server in a `folder` of the drill.

    `rdb` is its RDB file; `aof` the manifest of append-only files, or the only one of the old kind.
    What lies beside it, and is `not_drilled`, is not loaded.
    A server that `keeps_expired` loads keys that have expired too, and does not delete them.
    """

    folder: Path
    rdb: Path | None = None
    aof: Path | None = None
    not_drilled: tuple[NotDrilled, ...] = ()
    keeps_expired: bool = False

    @property
    def is_multi_part(self) -> bool:
        """Whether it is append-only files with a manifest, as Redis has them since 7.0."""
        return self.aof is not None and self.aof.name.endswith(".manifest")


@dataclass(frozen=True)
class RestoredRedis:
    """The backup, loaded whole into a server of the drill, which saves nothing.

    `loaded` and `expired` are keys by the server's own account, None where it gives none (it is an
    AOF); `databases` has the keys that are there, by database; `seconds` is how long it loaded.
    `emptied` are hashes that it left out since all of their fields have expired.
    """

    server: Server
    backup: Backup
    file: FileFacts
    version: str
    loaded: int | None
    expired: int | None
    databases: Mapping[int, int]
    seconds: float
    emptied: int = 0

    @property
    def keys(self) -> int:
        """Keys in all databases."""
        return sum(self.databases.values())

    @property
    def expected(self) -> int | None:
        """Keys that must have been read: the file's own count; None where it has none."""
        return self.file.keys
