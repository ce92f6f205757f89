"""A history in a bucket: an object for each entry, which no other writer overwrites.

They lie in `.drill/history/` of the place, under names of their number in the chain, the time, and
their own hash: `00000017-20261129T042816Z-<hash>.json`. So names alone give the order, which is
that of the chain, whatever clocks say; and what was changed no longer fits its name.

There is no lock. Two that write at once have one number and follow the same entry; the next one
follows both: it has the hash of one as `before`, and those of others as `also`. `forks.py`
tells them from what was inserted later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from restore_drill.config.remote import Place, histories
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.places.bucket import Bucket
from restore_drill.places.store import Object, open_store
from restore_drill.places.waiting import each_at_once
from restore_drill.places.writing import put
from restore_drill.watch import remembered
from restore_drill.watch.chain import Link, link_of, sealed
from restore_drill.watch.stored import entry_on

FOLDER = ".drill/history/"
NAME = re.compile(r"(\d{8,12})-\d{8}T\d{6}Z-([0-9a-f]{64})\.json")
TIMEOUT = "15s"
"""Of one request: the drill is over, and its verdict waits for nothing that may not come."""
AT_ONCE = 16
MOST = 100_000
"""Entries that are read."""
LARGEST = 1 << 20
"""Bytes of an entry; what is larger is none, and is not read."""

unread: dict[Path, CouldNotRun] = {}
"""Why a history could not be read: a drill asks several times, and does not wait each time."""


class Claim(NamedTuple):
    """Number and hash of an entry, as its name has them."""

    number: int
    hash: str


class Entry(NamedTuple):
    """What the object `name` holds, and when it was written by the bucket's own clock."""

    name: str
    line: bytes
    written: datetime
    link: Link | None
    also: tuple[str, ...]

    @property
    def claim(self) -> Claim | None:
        """What its name says of it; None of a name that no drill gives."""
        found = NAME.fullmatch(self.name)
        return Claim(int(found[1]), found[2]) if found else None

    @property
    def is_sound(self) -> bool:
        """Whether it is as it was written: its content fits its name."""
        link = self.link
        return bool(link and link.is_true and self.claim == (link.number, link.hash))

    @property
    def parents(self) -> tuple[str, ...]:
        """Hashes of the entries that it follows."""
        return (self.link.before, *self.also) if self.link else ()


def entries_of(path: Path, *, anew: bool = False) -> list[Entry]:
    """Entries of the history that `path` stands for, in their order; CouldNotRun.

    What is known here already is read once more only if all is to be read `anew`.
    """
    if path in unread and not anew:
        raise unread[path]
    try:
        return read_all(path, anew=anew)
    except CouldNotRun as error:
        what = f"the history {error.what}"
        unread[path] = CouldNotRun(what, checked=error.checked, remedy=error.remedy)
        raise unread[path] from None


def read_all(path: Path, *, anew: bool) -> list[Entry]:
    """List the entries, and get those that are not known."""
    place = histories[path]
    store = bucket_of(place)
    folder = place.prefix + FOLDER
    found = [each for each in islice(store.list(folder), MOST + 1) if each.key != folder]
    if len(found) > MOST:
        raise CouldNotRun(
            f"{place.url} cannot be read: it has more than {MOST:,} entries",
            remedy=remedy_for("history", "many"),
        )
    known = {} if anew else remembered.lines(path)
    missing = [each for each in found if each not in known and each.size <= LARGEST]
    lines = each_at_once(lambda each: store.read(each, 0, each.size), missing, AT_ONCE)
    known |= dict(zip(missing, lines, strict=True))
    if missing:
        remembered.keep(path, {each: known[each] for each in found if each in known})
    entries = [entry_of(each, known.get(each, b""), folder) for each in found]
    return sorted(entries, key=lambda each: (each.claim.number if each.claim else 0, each.name))


def bucket_of(place: Place) -> Bucket:
    """The bucket of `place`; CouldNotRun where the library for it is missing."""
    found = open_store(place, timeout=TIMEOUT)
    assert isinstance(found, Bucket)
    return found


def entry_of(what: Object, content: bytes, folder: str) -> Entry:
    """The entry that the object `what` holds."""
    line = content.removesuffix(b"\n")
    link = link_of(line) if b"\n" not in line else None
    also = (entry_on(line) or {}).get("also", []) if link else []
    is_list = isinstance(also, list) and all(isinstance(each, str) for each in also)
    name = what.key.removeprefix(folder)
    return Entry(
        name, line, what.modified, link if is_list else None, tuple(also) if is_list else ()
    )


def lines_in(entries: Iterable[Entry]) -> bytes:
    """All that `entries` hold, as in a file; what does not match its name is no entry."""
    return b"".join((each.line if each.is_sound else b"?") + b"\n" for each in entries)


def append_there(path: Path, entry: Mapping[str, Any]) -> Link:
    """Add `entry` to the history that `path` stands for; CouldNotRun where it was not written."""
    ends = ends_of(entries_of(path))
    last, others = (ends[-1], [each.hash for each in ends[:-1]]) if ends else (None, [])
    link, line = sealed({**entry, "also": others} if others else entry, last, b"")
    time = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    place = histories[path]
    name = f"{link.number:08}-{time}-{link.hash}.json"
    put(bucket_of(place), f"{place.prefix}{FOLDER}{name}", line)
    return link


def ends_of(entries: Sequence[Entry]) -> list[Link]:
    """The entries that no other one follows, in their order: one, or those written at once."""
    sound = [each for each in entries if each.is_sound]
    followed = {parent for each in sound for parent in each.parents}
    return [each.link for each in sound if each.link and each.link.hash not in followed]
