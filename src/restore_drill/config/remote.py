"""Places of other machines that BACKUP_PATH and --backup may name, by URL.

A place is mirrored in a folder of this machine, one a process, in which the files that lie there
stand empty until one is fetched: so all that goes by paths, names, sizes and times serves both.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from restore_drill.config.accounts import account_of, server_of
from restore_drill.config.options import OPTIONS, usage_error
from restore_drill.config.place_kinds import KINDS
from restore_drill.core.mirrors import mirrors
from restore_drill.core.user_folders import user_state


@dataclass(frozen=True)
class Place:
    """What lies in a bucket or on a server below `prefix`, which is empty or ends with `/`.

    `authority` is what a URL has between `//` and `/`: the bucket, or `user@host:port`. `link` is
    the whole URL of the one file that it has, where it is one that cannot be listed; it may hold a
    signature, and is never shown. `server` and `account` tell a bucket from others of its name, see
    `accounts.py`.
    """

    scheme: str
    authority: str
    prefix: str
    link: str = field(default="", repr=False)
    server: str = ""
    account: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """As people write it; nothing in it is secret."""
        return f"{self.scheme}://{self.authority}/{self.prefix}"

    @property
    def state_folder(self) -> Path:
        """Folder of this user for what drills note of this place's backups."""
        slug = re.sub(r"[^\w.-]+", "_", f"{self.authority}_{self.prefix}".strip("/_"))[:60]
        digest = hashlib.sha256(self.url.encode()).hexdigest()[:10]
        return places_folder() / f"{slug}-{digest}"

    @property
    def mirror(self) -> Path:
        """Folder that mirrors it, in one of this process's own; each link and account has one."""
        name = self.prefix.rstrip("/").rpartition("/")[2] or self.authority
        own = self.link or self.account
        digest = f"-{hashlib.sha256(own.encode()).hexdigest()[:8]}" if own else ""
        return self.state_folder.resolve() / f"files-{os.getpid()}{digest}" / name


def places_folder() -> Path:
    """Folder of this user that has one for each place."""
    return user_state() / "places"


places: dict[Path, Place] = {}
"""Places that settings have named, by their mirrors."""


histories: dict[Path, Place] = {}
"""Places with a history of drills, by the path that stands for it: what was read is kept there."""
FILES = ("backup", "redis_backup")
"""Settings that name one backup."""
BUCKETS = ("s3", "gs", "az")
"""Schemes of places that can hold one: drills write there."""


def remote_path(given: dict[str, str | None], name: str) -> Path | None:
    """Path, in the mirror of its place, of what the setting `name` names elsewhere; else None."""
    found = place_given(given[name] or "", name, is_file=name in FILES)
    if found is None:
        return None
    place, last = found
    places[place.mirror] = place
    mirrors[place.mirror] = place.url
    return place.mirror / last if name in FILES else place.mirror


def remote_history(text: str) -> Path | None:
    """Path that stands for the history in the bucket that `text` names; None if it names none."""
    is_bucket = text.partition("://")[0].lower() in BUCKETS
    found = place_given(text, "history", is_file=False) if is_bucket else None
    if found is None:
        return None
    place, _ = found
    path = place.state_folder / "history.bucket"
    histories[path] = place
    mirrors[path] = place.url
    return path


def place_given(text: str, name: str, *, is_file: bool) -> tuple[Place, str] | None:
    """Place that the URL `text` names, and the name in it of a file, if it `is_file` or a link.

    None where it is no such URL. Raises UsageError of the setting `name`.
    """
    scheme, is_url, rest = text.partition("://")
    kind = KINDS.get(scheme.lower())
    if not is_url or kind is None:
        return None
    link = text.partition("#")[0] if kind.is_link else ""
    rest, has_query, _ = (link.partition("://")[2] or rest).partition("?")
    authority, _, written = rest.partition("/")
    if kind.is_secret(authority) or (has_query and not kind.is_link):
        what = "holds credentials or parameters (not shown)"
        raise usage_error(name, what, f"leave them out: {kind.keys_from}")
    is_file = is_file or kind.is_link
    key = kind.key_of(written if kind.is_link else written.rstrip("/"))
    folder, _, last = key.rpartition("/") if is_file else (key.strip("/"), "", "")
    if not kind.fits(authority, key) or (is_file and not last):
        what = f"names no {kind.file if kind.fits(authority, key) and is_file else kind.what}"
        raise usage_error(name, what, f"write {kind.example_of(is_file=is_file)}")
    own = server_of(text, os.environ), account_of(text, os.environ)
    return Place(scheme.lower(), authority, f"{folder}/" if folder else "", link, *own), last


def refuse_signature(options: Mapping[str, str | None]) -> None:
    """Refuse the signature of a link where everybody on this machine may read it."""
    for name in FILES:
        scheme, is_url, rest = (options.get(name) or "").partition("://")
        if is_url and scheme.lower() in KINDS and "?" in rest:
            what = "holds parameters (not shown), and command lines are not secret"
            where = f"put the URL into {OPTIONS[name].variable} or into .env"
            raise usage_error(name, what, where)


def mirror_around(path: Path) -> Path | None:
    """The mirror that `path` lies in, None for a path of this machine."""
    return next((root for root in places if path.is_relative_to(root)), None)


def state_folder_of(path: Path) -> Path | None:
    """The state folder of the place that `path` lies in, None for a path of this machine."""
    root = mirror_around(path)
    return places[root].state_folder if root else None
