"""What lies beside a safety snapshot: of which database it is, and what that database was.

By `NAME.dump.source` a rollback finds the right server, and is proved.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.fingerprint_file import fingerprint_from
from restore_drill.live.server.identity import ServerIdentity
from restore_drill.manifest.file import OWNER_ALONE, write_text
from restore_drill.manifest.staging import sync

SUFFIX = ".source"


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
    """The file beside `snapshot`."""
    return snapshot.with_name(snapshot.name + SUFFIX)


def write_source(snapshot: Path, source: Source) -> None:
    """Note beside `snapshot` what it is of; raises OSError."""
    write_text(source_file(snapshot), source.text, OWNER_ALONE)
    sync(snapshot.parent)


def read_source(snapshot: Path) -> Source | None:
    """What lies beside `snapshot`; None where nothing does, or nothing of ours."""
    try:
        noted = json.loads(source_file(snapshot).read_text(encoding="utf-8"))
        fingerprint = fingerprint_from(
            noted["identity"],
            server_version=int(noted["server_version"]),
            encoding=str(noted["encoding"]),
        )
        server = ServerIdentity(
            str(noted["system_identifier"]), int(noted["database_oid"]), str(noted["database"])
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Source(server, fingerprint)
