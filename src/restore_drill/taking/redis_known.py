"""The manifest beside a backup of Redis: how it was taken, and what its keys hold.

The second comes after the dump, so that both are of about one time. A folder has the first at once;
an object of a bucket is written once, when both are known.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from restore_drill.core.errors import CouldNotRun
from restore_drill.manifest.file import SUFFIX
from restore_drill.redis.backup.header import Header
from restore_drill.taking.destination import Destination, Folder
from restore_drill.taking.redis_sent import Sent

if TYPE_CHECKING:
    from restore_drill.taking.redis_along import TakenRedis

NOT_YET = "the backup was interrupted before its keys were counted"


def described(name: str, header: Header, taken_at: datetime, sent: Sent) -> dict[str, Any]:
    """What is known of the backup when it is taken, in JSON's own types."""
    return {
        "schema": 1,
        "kind": "redis",
        "backup": {"name": name, "bytes": sent.written, "sha256": sent.digest.hexdigest()},
        "rdb": {"version": header.version, "bytes": sent.size, "written_by": header.written_by},
        "taken_at": taken_at.isoformat(),
        "taken_by": sent.by,
        "order": "before the dump",
        "measured": {"why_not": NOT_YET},
    }


def as_text(facts: dict[str, Any]) -> bytes:
    """The content of a manifest."""
    return (json.dumps(facts, indent=2) + "\n").encode()


def write(place: Destination, name: str, facts: dict[str, Any]) -> None:
    """Put the manifest of the backup `name` there, in one step; OSError, CouldNotRun."""
    if not isinstance(place, Folder):
        from restore_drill.taking.bucket import BucketFolder  # noqa: PLC0415 - most are folders

        assert isinstance(place, BucketFolder)
        place.put(f"{name}{SUFFIX}", as_text(facts))
        return
    manifest = place.path / f"{name}{SUFFIX}"
    part = manifest.with_name(f".{manifest.name}.part")
    try:
        part.write_bytes(as_text(facts))
        part.chmod(manifest.stat().st_mode)
        part.replace(manifest)
    finally:
        part.unlink(missing_ok=True)


def measure_redis(taken: TakenRedis, note: Callable[[str], None]) -> None:
    """Add to the manifest of what was `taken` what its keys hold; drills compare that.

    Servers of our own load the file, which is in memory alone where no plain one was written.
    """
    from restore_drill.redis.census.measuring import measured  # noqa: PLC0415 - few take it

    plain, found = taken.sent.plain, dict[str, Any]()
    path = taken.file or (plain and plain.path)
    try:
        if path:
            found, why = measured(path, note)
        else:
            why = plain.why_not if plain else NOT_YET
        write(taken.place, taken.name, taken.facts | {"measured": found or {"why_not": why}})
    except OSError as error:
        found, why = {}, f"its manifest was not written ({error.strerror})"
    except CouldNotRun as error:
        found, why = {}, f"its manifest was not written ({error.what})"
    finally:
        if plain:
            plain.close()
    note(f"  {told(found, why)}")


def told(found: dict[str, Any], why: str) -> str:
    """What became of it, in words; empty `why` where all was measured."""
    keys = found.get("keys")
    if not why:
        return f"{keys or 0:,} keys counted and measured, in a server of our own"
    if keys is None:
        return f"its keys were not counted: {why}; a drill has nothing to compare them with"
    return f"{keys:,} keys counted; what they hold was not measured: {why}"


def leave_unmeasured(taken: TakenRedis) -> None:
    """Forget what was kept, and write the manifest where that was left for later: the dump failed.

    Raises nothing: why it failed is what is to be told.
    """
    if taken.sent.plain:
        taken.sent.plain.close()
    if not isinstance(taken.place, Folder):
        try:
            write(taken.place, taken.name, taken.facts)
        except CouldNotRun:
            return
