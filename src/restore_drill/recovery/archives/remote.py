"""An archive in a bucket, or on a server that is reached by SSH."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from restore_drill.backups.physical.wal_names import (
    PARTIAL,
    SEGMENT,
    WITNESS,
    is_last,
    is_served,
    name_in,
)
from restore_drill.core.errors import BackupFault, CouldNotRun
from restore_drill.places.store import Object, Store
from restore_drill.recovery.archives.copying import arrived, unreadable
from restore_drill.recovery.archives.folder import BRANCH, IS_BRANCH
from restore_drill.recovery.archives.growing import FRESH
from restore_drill.recovery.archives.header import is_short, pad

PAUSE = 2.0
"""Seconds before what was not whole, and has just been written, is fetched again."""
TRIES = 3


class Remote:
    """An archive in the folder `prefix` of `store`, or in folders of it by sixteen digits."""

    def __init__(self, store: Store, prefix: str) -> None:
        """Nothing is asked yet."""
        self.store, self.prefix = store, prefix
        self.words = store.url_of(prefix)
        self.keys: dict[str, str] | None = None
        self.written_down: frozenset[str] | None = None
        self.listing = threading.Lock()

    def stop(self) -> None:
        """What is under way ends with its threads, which keep nobody waiting."""

    def names(self) -> list[str]:
        """Names of all segments, histories and .partial files, sorted, compression taken off."""
        with self.listing:
            self.keys = dict(self.listed())
            return sorted(self.keys)

    def witnesses(self) -> frozenset[str]:
        """Segments that base backups began in, as they were listed first."""
        self.known()
        return self.written_down or frozenset()

    def listed(self) -> Iterator[tuple[str, str]]:
        """Name and key of each file that is WAL."""
        began: set[str] = set()
        for each in self.store.list(self.prefix):
            folder, _, file = each.key.removeprefix(self.prefix).rpartition("/")
            if found := WITNESS.fullmatch(file):
                began.add(found[1])
            if (name := name_in(file)) and (not folder or IS_BRANCH.fullmatch(folder)):
                yield name, each.key
        if self.written_down is None:
            self.written_down = frozenset(began)

    def known(self) -> dict[str, str]:
        """Keys by names, as they were listed first."""
        with self.listing:
            if self.keys is None:
                self.keys = dict(self.listed())
            return self.keys

    def fetch(self, name: str, to: Path) -> bool:
        """Write the file `name`, decompressed, to `to`; False where the archive has none."""
        if not is_served(name):
            return False
        for left in reversed(range(TRIES)):
            what = self.find(name)
            if what is None:
                break
            is_fresh = (datetime.now(UTC) - what.modified).total_seconds() < FRESH
            try:
                self.bring(what, name, to)
            except (BackupFault, CouldNotRun):
                if not (left and is_fresh):
                    raise
            else:
                if not (left and is_fresh and SEGMENT.fullmatch(name) and is_short(to)):
                    return True
            time.sleep(PAUSE)
        return self.fetch_partial(name, to)

    def fetch_partial(self, name: str, to: Path) -> bool:
        """Write the segment `name` as far as it goes, where it is the newest and not finished."""
        key = self.known().get(f"{name}{PARTIAL}")
        what = self.store.find(key) if key and is_last(name, self.known()) else None
        if what is None:
            return False
        self.bring(what, name, to, to_end=False)
        pad(to)
        return True

    def find(self, name: str) -> Object | None:
        """The file `name` as it is now, also one that has come since; None where there is none."""
        key = self.known().get(name)
        if key is None and self.known():
            like = next(reversed(self.known().values()))
            folder, _, file = like.removeprefix(self.prefix).rpartition("/")
            suffix = file.removeprefix(name_in(file).removesuffix(PARTIAL)).replace(PARTIAL, "")
            branch = f"{name[:BRANCH]}/" if folder and SEGMENT.fullmatch(name) else ""
            key = f"{self.prefix}{branch}{name}{suffix}"
        return self.store.find(key) if key else None

    def bring(self, what: Object, name: str, to: Path, *, to_end: bool = True) -> None:
        """Write what the object `what` holds, decompressed, to `to`."""
        raw = to.with_name(f"{to.name}.raw")
        where = self.store.url_of(what.key)
        try:
            with raw.open("wb", buffering=0) as file:
                for piece in self.store.pieces(what):
                    file.write(piece)
            arrived(raw, to, name, where, to_end=to_end)
        except OSError as error:
            raise unreadable(name, where, error) from None
        finally:
            raw.unlink(missing_ok=True)
