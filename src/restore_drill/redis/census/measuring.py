"""What is known of an RDB file that was just taken, by servers of our own: the user's is not asked.

It comes after the dump, so that both are of about one time, and never fails a backup: what could
not be measured is said, and drills compare the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil

from restore_drill.core.errors import DrillError
from restore_drill.core.units import show_bytes
from restore_drill.redis.backup.check_rdb import check_rdb
from restore_drill.redis.backup.model import FileFacts
from restore_drill.redis.census.content import Content, content_of, digest_of
from restore_drill.redis.census.counting import TooLong, take_census
from restore_drill.redis.census.keeping import databases_of, keeping_expired
from restore_drill.redis.census.known import measured_json
from restore_drill.redis.folders import private_folder

SHARE = 0.25
"""Share of the free memory that may be taken: where backups are taken, Redis itself may run."""


def measure(path: Path, note: Callable[[str], None]) -> tuple[FileFacts, Content | None, str]:
    """What the RDB file at `path` holds, its content, and why that was not measured."""
    with ExitStack() as stack:
        folder, lock = private_folder(note, stack)
        file = check_rdb(path, folder)
        if why := why_not(file):
            return file, None, why
        assert file.made_at is not None
        try:
            with keeping_expired(path, folder / "measured", lock, file.written_by) as server:
                digest = digest_of(server)
                census = take_census(server, databases_of(server), file.made_at)
                return file, content_of(server, census, digest), ""
        except TooLong as error:
            return file, None, str(error)
        except DrillError as error:
            return file, None, str(error).splitlines()[0]


def why_not(file: FileFacts) -> str:
    """Why the content of `file` is not measured; empty where it is."""
    if file.faults:
        return file.faults[0].what
    if file.made_at is None:
        return "it does not say when it was made"
    needed, free = file.used_memory or 0, psutil.virtual_memory().available
    if needed > free * SHARE:
        return f"its data take {show_bytes(needed)}, and {show_bytes(free)} of memory are free"
    return ""


def measured(path: Path, note: Callable[[str], None]) -> tuple[dict[str, Any], str]:
    """The part `measured` of a manifest of the RDB file at `path`; why its content is not in it."""
    file, content, why = measure(path, note)
    return measured_json(file, content, why), why
