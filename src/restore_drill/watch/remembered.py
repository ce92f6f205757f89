"""Entries of a history in a bucket that have been read before: they are not fetched again.

They are kept by key, size and version, in the folder of this user's own that is the place's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from restore_drill.places.store import Object
from restore_drill.results.result import write_whole

OWN = 0o600
SCHEMA = 1
seen: dict[Path, dict[Object, bytes]] = {}
"""The same in this process, by the path that stands for the history."""


def lines(path: Path) -> dict[Object, bytes]:
    """What is known of the history that `path` stands for."""
    if path not in seen:
        found: dict[Object, bytes] = {}
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            raw = json.loads(path.read_text(encoding="utf-8"))
            for key, size, at, version, line in raw["entries"] if raw["schema"] == SCHEMA else []:
                what = Object(key, size, datetime.fromisoformat(at), version)
                found[what] = line.encode("latin-1")
        seen[path] = found
    return dict(seen[path])


def keep(path: Path, known: Mapping[Object, bytes]) -> None:
    """Keep what is `known`, also for the next process, where this one may write."""
    seen[path] = dict(known)
    entries = [
        [each.key, each.size, each.modified.isoformat(), each.version, line.decode("latin-1")]
        for each, line in known.items()
    ]
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps({"schema": SCHEMA, "entries": entries}), OWN)
