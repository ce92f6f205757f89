"""The files of a data directory that hold pages: what there is, and whether it fits together."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from restore_drill.facts.physical.checksum import PAGE, Pages

NAME = re.compile(r"(\d+)(?:_(fsm|vm|init))?(?:\.(\d+))?")
SEGMENT = 131072
"""Pages of a segment: the next one begins when it is full."""
BATCH = 256
"""Pages that are read at a time: 2 MB, which a processor's cache holds."""
FORKS = {"": "", "fsm": "free space map of ", "vm": "visibility map of ", "init": "empty state of "}


@dataclass
class Fork:
    """The files of one fork of a relation: the `main` one, a map, or what it begins from.

    `path` is the first one's, below the data directory; `sizes` are the bytes of each, by number.
    """

    path: str
    kind: str = ""
    sizes: dict[int, int] = field(default_factory=dict)

    @property
    def relation(self) -> str:
        """Path of the relation, by which the catalog knows it."""
        return self.path.removesuffix(f"_{self.kind}") if self.kind else self.path

    @property
    def pages(self) -> int:
        """Pages that the server sees: up to the first file that is not full."""
        found = 0
        for number in range(len(self.sizes)):
            here = self.sizes.get(number, 0) // PAGE
            found += here
            if here < SEGMENT:
                break
        return found

    def faults(self) -> Iterator[str]:
        """What does not fit together in its files."""
        last = max((number for number, size in self.sizes.items() if size), default=0)
        for number in range(last + 1):
            size = self.sizes.get(number)
            name = f"{self.path}.{number}" if number else self.path
            if size is None:
                yield f"its file {name} is missing, and {self.path}.{last} is there"
            elif number < last and size < SEGMENT * PAGE:
                yield f"its file {name} has {size:,} bytes, and {self.path}.{last} follows"
            if size and size % PAGE:
                yield f"its file {name} ends within a page ({size:,} bytes)"


def list_files(data: Path) -> dict[str, Fork]:
    """All files of relations below `data`, with those in tablespaces, by the first one's path."""
    found: dict[str, Fork] = {}
    for folder in folders(data):
        with suppress(OSError), os.scandir(data / folder) as entries:
            for entry in entries:
                if not (name := NAME.fullmatch(entry.name)):
                    continue
                number, kind, segment = name.groups(default="")
                path = f"{folder}/{number}_{kind}" if kind else f"{folder}/{number}"
                # A file that goes meanwhile is no matter; one that is none is left to the server.
                with suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode):
                        fork = found.setdefault(path, Fork(path, kind))
                        fork.sizes[int(segment or 0)] = status.st_size
    return found


def folders(data: Path) -> Iterator[str]:
    """Folders of relations: shared ones, of each database, of each in a tablespace."""
    yield "global"
    major = (data / "PG_VERSION").read_text("ascii").strip()
    for pattern in ("base/*", f"pg_tblspc/*/PG_{major}_*/*"):
        yield from sorted(str(each.relative_to(data)) for each in data.glob(pattern))


def read_pages(data: Path, fork: Fork) -> Iterator[tuple[int, Pages]]:
    """Pages of `fork` in batches, each with the number of its first block.

    A batch is only there until the next one is asked for. OSError where a file cannot be read.
    """
    room = np.empty((BATCH, PAGE), dtype=np.uint8)
    left = fork.pages
    for number in range(-(-left // SEGMENT)):
        path = data / (f"{fork.path}.{number}" if number else fork.path)
        first = number * SEGMENT
        here = min(SEGMENT, left - first)
        how = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        with os.fdopen(os.open(path, how), "rb", buffering=0) as file:
            for at in range(0, here, BATCH):
                wanted = room[: min(BATCH, here - at)]
                got = fill(file.fileno(), wanted)
                if got:
                    yield first + at, room[:got]
                if got < len(wanted):
                    return


def fill(descriptor: int, room: Pages) -> int:
    """Read pages into `room`: how many whole ones there were."""
    target = room.reshape(-1).data
    done = 0
    while done < len(target) and (got := os.readv(descriptor, [target[done:]])):
        done += got
    return done // PAGE
