"""Backups of other machines that are kept on this one from drill to drill, by place and version.

An entry is one file, as it was fetched (encrypted as it was). Its name says which version of which
file it is, and its digest, which is checked each time. It appears whole or not at all. Where there
is more than the limit, what was not used for longest goes first.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from restore_drill.backups.written import OWNER_ALONE
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for

INNER = "backups"
"""In the folder that was named, which may be one of others, or /tmp."""
PRIVATE = 0o700
PART = ".part"
FORGOTTEN = 86400.0
"""Seconds after which a file that was never finished is removed."""
BITE = 1 << 20


@dataclass(frozen=True)
class Cache:
    """What is kept in a `folder` of this user's own: `most` bytes."""

    folder: Path
    most: int

    def find(self, ident: str, size: int) -> Iterator[bytes] | None:
        """Bytes of the version `ident`, None where it is not kept; CouldNotRun if they changed."""
        for path in self.folder.glob(f"{ident}-*"):
            if path.suffix == PART:
                continue
            with suppress(OSError):
                if path.stat().st_size == size:
                    os.utime(path)
                    return checked(path)
                path.unlink()
        return None

    def keep(self, file: Path, ident: str, sha256: str) -> None:
        """Keep `file`, if there is room for it: by another link to it, else as a copy."""
        size = file.stat().st_size
        self.prune(self.most - size)
        if size > self.most:
            return
        entry = self.folder / f"{ident}-{sha256}"
        part = entry.with_suffix(f".{os.getpid()}{PART}")
        with suppress(OSError):  # a cache that is full costs a transfer, and no drill
            try:
                os.link(file, part)
            except OSError:
                if shutil.disk_usage(self.folder).free < size:
                    return
                shutil.copyfile(file, part)
                part.chmod(OWNER_ALONE)
            part.replace(entry)

    def prune(self, most: int) -> None:
        """Remove what was not used for longest until no more than `most` bytes are kept."""
        kept: list[tuple[float, int, Path]] = []
        for path in self.folder.iterdir():
            with suppress(OSError):
                status = path.stat()
                is_old = time.time() - status.st_mtime > FORGOTTEN
                if path.suffix == PART and is_old:
                    path.unlink()
                elif path.suffix != PART:
                    kept.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in kept)
        for _, size, path in sorted(kept):
            if total <= most:
                return
            path.unlink(missing_ok=True)
            total -= size


def checked(path: Path) -> Iterator[bytes]:
    """Bytes of the entry at `path`; CouldNotRun at their end where they are not what was kept."""
    digest = hashlib.sha256()
    with path.open("rb", 0) as file:
        while piece := file.read(BITE):
            digest.update(piece)
            yield piece
    if digest.hexdigest() != path.name.rpartition("-")[2]:
        path.unlink(missing_ok=True)
        raise CouldNotRun(
            "the copy of the backup in the cache was damaged, and has been removed",
            checked=[str(path)],
            remedy=remedy_for("places", "cache_damaged"),
        )


def ident_of(url: str, version: str) -> str:
    """What names a `version` of the file at `url` in a cache; nothing where it has none."""
    text = f"{url}\n{version}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest() if version else ""


def opened(folder: Path, most: int) -> Cache:
    """The cache in `folder`, which is made; CouldNotRun where it is not this user's own."""
    inner = folder / INNER
    try:
        inner.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        status = inner.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            raise PermissionError(0, "it is another user's")
        inner.chmod(PRIVATE)
    except OSError as error:
        raise CouldNotRun(
            f"the cache {inner} cannot be used: {error.strerror}",
            remedy=remedy_for("places", "cache"),
        ) from None
    return Cache(inner, most)


in_use: list[tuple[Path, int]] = []
"""Folder and limit that the settings name; empty without a cache."""


def use_cache(folder: Path | None, most: int) -> None:
    """From now on what is fetched is kept in `folder`; None: nothing is."""
    in_use[:] = [(folder, most)] if folder else []


def current() -> Cache | None:
    """The cache that is in use, None without one; CouldNotRun where it cannot be used."""
    return opened(*in_use[0]) if in_use else None
