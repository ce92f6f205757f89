"""The manifest beside a backup of Redis: what `backup --with-redis` knew of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from restore_drill.core.access import cannot_read
from restore_drill.core.errors import BackupFault
from restore_drill.core.json_values import text, whole
from restore_drill.core.remedies import remedy_for
from restore_drill.redis.backup.model import FileFacts, Keys
from restore_drill.redis.census.content import Content

KIND = "redis"
LAST_YEAR = 9000
Types = Mapping[int, Mapping[str, Keys]]
"""Keys by database and type."""


@dataclass(frozen=True)
class Known:
    """What the manifest `name` says: `keys`, of which `expires` have a TTL, and both by `types`.

    What was not measured is None or empty, and `why_not` says why.
    """

    sha256: str
    taken_at: datetime
    keys: int | None = None
    expires: int | None = None
    types: Types = field(default_factory=dict)
    content: Content | None = None
    why_not: str = ""
    name: str = ""


def measured_json(file: FileFacts, content: Content | None, why_not: str) -> dict[str, Any]:
    """The part `measured` of a manifest: keys as the `file` has them, and their content."""
    return {
        "keys": file.keys,
        "expires": file.expires,
        "types": types_json(file.types),
        "content": content.as_json() if content else None,
        "why_not": why_not or None,
    }


def types_json(types: Types) -> dict[str, Any]:
    """Keys by database and type, in JSON's own types."""
    return {
        str(database): {
            name: {"keys": each.total, "expires": each.expires} for name, each in known.items()
        }
        for database, known in types.items()
    }


def read_known(path: Path) -> Known | None:
    """The manifest at `path`, None where there is none; BackupFault where it is damaged."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw.get("kind") != KIND:
            raise ValueError("it is not of a backup of Redis")
        return replace(known_from(raw), name=path.name)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise cannot_read("the manifest of Redis", path, error) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BackupFault(
            f"the manifest {path.name} is damaged",
            checked=[f"{path} ({type(error).__name__})"],
            remedy=remedy_for("redis_manifest", "damaged"),
            reported_by="test_redis_backup_keys_match_manifest",
        ) from None


def known_from(raw: Mapping[str, Any]) -> Known:
    """What a manifest says; KeyError, TypeError, ValueError or AttributeError."""
    measured = raw.get("measured") or {}
    content = measured.get("content")
    return Known(
        sha256=text(raw["backup"]["sha256"]),
        taken_at=time_from(raw["taken_at"]),
        keys=count_or_none(measured.get("keys")),
        expires=count_or_none(measured.get("expires")),
        types={
            int(database): {
                text(name): Keys(whole(each["keys"]), whole(each["expires"]))
                for name, each in known.items()
            }
            for database, known in (measured.get("types") or {}).items()
        },
        content=Content.read(content) if content else None,
        why_not=text(measured.get("why_not") or ""),
    )


def time_from(value: Any) -> datetime:
    """A time with its zone, of a year in which all HORIZONS can be told; TypeError, ValueError."""
    found = datetime.fromisoformat(text(value))
    if found.tzinfo is None or not 1970 <= found.year < LAST_YEAR:
        raise ValueError("no time of a backup")
    return found


def count_or_none(value: Any) -> int | None:
    """A whole number, or None."""
    return None if value is None else whole(value)
