"""Files of a server as SFTP describes them: their paths, kinds, and what links lead to."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from asyncssh import SFTPAttrs, SFTPClient, SFTPNoSuchFile, SFTPNoSuchPath

from restore_drill.places.store import Object

NEVER_OURS = "lost+found"
"""Made by file systems, and closed to everybody."""


@dataclass(frozen=True)
class Entry:
    """A file, folder or link of the server; what it does not say of one counts as 0."""

    key: str
    attrs: SFTPAttrs

    @property
    def permissions(self) -> int:
        """Kind and rights, as in `st_mode`."""
        return self.attrs.permissions or 0

    @property
    def as_object(self) -> Object:
        """The file; its version is what changes when somebody writes to it."""
        size, modified = self.attrs.size or 0, self.attrs.mtime or 0
        return Object(self.key, size, datetime.fromtimestamp(modified, UTC), f"{modified}-{size}")


async def in_folders(client: SFTPClient, folders: Sequence[str], root: str) -> list[Entry]:
    """What lies directly in `folders`, listed at once; `root` is the path of the place."""
    found = await asyncio.gather(*(listed(client, each, root) for each in folders))
    return [entry for entries in found for entry in entries]


async def listed(client: SFTPClient, folder: str, root: str) -> list[Entry]:
    """What lies in `folder`; links as what they lead to, folders inside `root` left out there."""
    found: list[Entry] = []
    async for name in client.scandir(path_of(folder)):
        entry = Entry(f"{folder}{text(name.filename)}", name.attrs)
        if text(name.filename).startswith(".") or text(name.filename) == NEVER_OURS:
            continue
        if stat.S_ISREG(entry.permissions) or stat.S_ISDIR(entry.permissions):
            found.append(entry)
        elif target := await followed(client, entry.key, root):
            found.append(target)
    return found


async def followed(client: SFTPClient, key: str, root: str) -> Entry | None:
    """What the link `key` leads to; None for nothing, and for a folder that is listed anyway."""
    try:
        target = Entry(key, await client.stat(path_of(key)))
    except (SFTPNoSuchFile, SFTPNoSuchPath):
        return None
    if stat.S_ISDIR(target.permissions):
        path = await real_path(client, key)
        if f"{path}/".startswith(f"{root}/") or f"{root}/".startswith(f"{path}/"):
            return None
    return target


async def real_path(client: SFTPClient, key: str) -> str:
    """The path of `key` there, without links."""
    return text(await client.realpath(path_of(key))).rstrip("/")


def text(name: str | bytes) -> str:
    """A name as text; bytes that are no UTF-8 are kept."""
    return name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")


def path_of(key: str) -> str:
    """Path on the server: from its root, or from the home of the login where it begins with `~`."""
    return key.removeprefix("~").removeprefix("/") or "." if is_in_home(key) else f"/{key}"


def is_in_home(key: str) -> bool:
    """Whether `key` counts from the home of the login."""
    return key.partition("/")[0] == "~"
