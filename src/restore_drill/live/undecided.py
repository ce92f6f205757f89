"""What lies beside a safety snapshot: of which database it is, and whether a verdict is out.

`NAME.dump.source` says which database of which server the snapshot is of, and what that database
was: by it a rollback finds the right server, and is proved. From the reset until the verdict it is
called `NAME.dump.undecided`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.fingerprint_file import fingerprint_from
from restore_drill.live.identity import ServerIdentity
from restore_drill.manifest.file import write_text
from restore_drill.manifest.staging import sync

SOURCE, UNDECIDED = ".source", ".undecided"


@dataclass(frozen=True)
class Source:
    """The database that a snapshot is of: where it is, and what it was."""

    server: ServerIdentity
    fingerprint: Fingerprint

    @property
    def text(self) -> str:
        """The same as JSON."""
        return json.dumps(
            {
                "database": self.server.database,
                "system_identifier": self.server.system,
                "database_oid": self.server.oid,
                "server_version": self.fingerprint.server_version,
                "encoding": self.fingerprint.encoding,
                "identity": self.fingerprint.as_json(),
            }
        )


def source_file(snapshot: Path) -> Path:
    """The file beside `snapshot` while nothing is undecided."""
    return snapshot.with_name(snapshot.name + SOURCE)


def undecided_file(snapshot: Path) -> Path:
    """The file beside `snapshot` between the reset and the verdict."""
    return snapshot.with_name(snapshot.name + UNDECIDED)


def write_source(snapshot: Path, source: Source) -> None:
    """Note beside `snapshot` what it is of; raises OSError."""
    write_text(source_file(snapshot), source.text)
    sync(snapshot.parent)


def read_source(snapshot: Path) -> Source | None:
    """What lies beside `snapshot`; None where nothing does, or nothing of ours."""
    for path in (undecided_file(snapshot), source_file(snapshot)):
        try:
            noted = json.loads(path.read_text(encoding="utf-8"))
            fingerprint = fingerprint_from(
                noted["identity"],
                server_version=int(noted["server_version"]),
                encoding=str(noted["encoding"]),
            )
            server = ServerIdentity(
                str(noted["system_identifier"]),
                int(noted["database_oid"]),
                str(noted["database"]),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        return Source(server, fingerprint)
    return None


def mark_undecided(snapshot: Path) -> None:
    """Say that the database is about to be reset, on the disk before it is; raises OSError."""
    if not undecided_file(snapshot).exists():
        source_file(snapshot).rename(undecided_file(snapshot))
        sync(snapshot.parent)


def mark_decided(snapshot: Path) -> None:
    """Say that the verdict is out; raises OSError."""
    if undecided_file(snapshot).exists():
        undecided_file(snapshot).rename(source_file(snapshot))
        sync(snapshot.parent)


def undecided_in(folder: Path) -> Iterator[Path]:
    """Snapshots in `folder` whose database was reset without a verdict, the oldest first."""
    for marker in sorted(folder.glob("*" + UNDECIDED)):
        yield marker.with_name(marker.name.removesuffix(UNDECIDED))
