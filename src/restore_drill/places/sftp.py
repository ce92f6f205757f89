"""The `Store` of a server that is reached by SSH: files below a folder, read by SFTP.

A file has no version there: its size and the time of its last change stand for one, and are looked
at again after each piece, so that one that is still written, or written anew, is noticed.
"""

from __future__ import annotations

import stat
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, TypeVar

from asyncssh import SFTPClient, SFTPNoSuchFile, SFTPNoSuchPath

from restore_drill.config.remote import Place
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_bytes
from restore_drill.places.sftp_files import Entry, in_folders, path_of, real_path
from restore_drill.places.ssh import Session
from restore_drill.places.ssh_errors import FAILURES, is_passing, what_failed
from restore_drill.places.store import Object
from restore_drill.places.transfer import PIECE, in_pieces
from restore_drill.places.trying import tried

DEEPEST = 6
"""So many folders below the place are listed: more than are searched for backups."""
MOST_FOLDERS = 2000
AT_ONCE = 8
"""Folders that are listed at the same time."""
LEAST = 1 << 18
"""Bytes that are read at once where connections are cut."""
T = TypeVar("T")


class Server:
    """A folder of a server; raises CouldNotRun where it does not answer as it should."""

    def __init__(self, place: Place) -> None:
        """Nothing is asked yet."""
        self.place, self.is_guarded = place, True
        self.most = PIECE
        self.session = Session(place)

    def url_of(self, key: str) -> str:
        """URL of the file `key`."""
        return f"{self.place.scheme}://{self.place.authority}/{key}"

    def list(self, prefix: str) -> Iterator[Object]:
        """Files in the folder `prefix` and below, level by level; hidden ones are left out."""
        level, count = [prefix], 0
        root = self.asked(lambda client: real_path(client, prefix), prefix)
        for _ in range(DEEPEST + 1):
            below: list[str] = []
            for start in range(0, len(level), AT_ONCE):
                for entry in self.entries(level[start : start + AT_ONCE], root):
                    if stat.S_ISREG(entry.permissions):
                        yield entry.as_object
                    elif stat.S_ISDIR(entry.permissions):
                        below.append(f"{entry.key}/")
            level, count = below, count + len(below)
            if count > MOST_FOLDERS:
                raise too_many(self.place.url)

    def entries(self, folders: Sequence[str], root: str) -> Sequence[Entry]:
        """What lies directly in `folders`; one that is closed is named in the error."""
        try:
            return self.asked(lambda client: in_folders(client, folders, root), folders[0])
        except CouldNotRun:
            if len(folders) == 1:
                raise
        return [entry for each in folders for entry in self.entries([each], root)]

    def find(self, key: str) -> Object | None:
        """The file `key` as it is now, None where there is none."""

        async def look(client: SFTPClient) -> Object | None:
            try:
                attrs = await client.stat(path_of(key))
            except (SFTPNoSuchFile, SFTPNoSuchPath):
                return None
            entry = Entry(key, attrs)
            return entry.as_object if stat.S_ISREG(entry.permissions) else None

        return self.asked(look, key)

    def pieces(self, what: Object) -> Iterator[bytes]:
        """Bytes of the very version `what`; a piece that is cut is fetched anew."""
        return in_pieces(what.size, lambda start, stop: self.read(what, start, stop))

    def read(self, what: Object, start: int, stop: int) -> bytes:
        """Bytes of `what` from `start` up to `stop`; CouldNotRun where it is another one now.

        All pieces share a connection: where that is cut, they come in smaller parts, which stay.
        """
        found = bytearray()

        async def get(client: SFTPClient) -> tuple[int, bytes, Object]:
            at = start + len(found)
            size = min(self.most, stop - at)
            async with client.open(path_of(what.key), "rb") as file:
                part: Any = await file.read(size, at)
                return size, part, Entry(what.key, await file.stat()).as_object

        while len(found) < stop - start:
            size, part, now = self.asked(get, what.key)
            if now.version != what.version or len(part) != size:
                raise changed(self.url_of(what.key), what, now)
            found += part
            self.most = min(2 * self.most, PIECE)
        return bytes(found)

    def asked(self, do: Callable[[SFTPClient], Awaitable[T]], key: str) -> T:
        """What `do` gives; where the connection is cut, it is made and asked anew."""
        try:
            return tried(lambda: self.session.ask(do), FAILURES, self.may_pass)
        except FAILURES as error:
            raise what_failed(error, self.url_of(key), self.session) from None

    def may_pass(self, error: Exception) -> bool:
        """Whether the same may succeed a moment later; less is read at once then, for a while."""
        self.most = max(self.most // 2, LEAST)
        return is_passing(error)


def changed(url: str, what: Object, now: Object) -> CouldNotRun:
    """The file is not the one any more that was listed."""
    return CouldNotRun(
        f"{url} cannot be read: it changed while it was being fetched",
        checked=[f"as it was listed: {shown(what)}", f"as it is now: {shown(now)}"],
        remedy=remedy_for("places", "changed"),
    )


def shown(what: Object) -> str:
    """Size and time of a file."""
    return f"{show_bytes(what.size)}, written at {what.modified:%Y-%m-%d %H:%M:%S} UTC"


def too_many(url: str) -> CouldNotRun:
    """The place is no folder of backups."""
    return CouldNotRun(
        f"{url} holds more than {MOST_FOLDERS:,} folders",
        remedy=remedy_for("place", "many", url="sftp://user@host/folder"),
    )
