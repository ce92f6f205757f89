"""Places of other machines that BACKUP_PATH and --backup may name, by URL.

A place is mirrored in a folder of this machine, one a process, in which the files that lie there
stand empty until one is fetched: so all that goes by paths, names, sizes and times serves both.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from restore_drill.config.options import usage_error
from restore_drill.core.mirrors import mirrors


@dataclass(frozen=True)
class KindOfPlace:
    """How places of one scheme are written: what stands before the first `/`, and behind it."""

    what: str
    file: str
    example: str
    keys_from: str
    authority: re.Pattern[str]
    is_secret: Callable[[str], bool] = lambda authority: "@" in authority
    key_of: Callable[[str], str] = str


def path_on_server(written: str) -> str:
    """A path as it is written in a URL, without what is empty in it: `~/` is the login's home."""
    return "/".join(part for part in unquote(written).split("/") if part not in ("", "."))


KINDS = {
    "s3": KindOfPlace(
        "bucket",
        "object",
        "s3://bucket/folder",
        "keys come from AWS_* or ~/.aws",
        re.compile(r"[^/@?#\s]+"),
    ),
    "sftp": KindOfPlace(
        "server",
        "file",
        "sftp://user@host/folder (/~/folder in your home there)",
        "keys come from ~/.ssh and its agent",
        re.compile(r"([\w.+~-]+@)?(\w[\w.-]*|\[[0-9a-fA-F:.]+(%\w+)?\])(:\d{1,5})?"),
        is_secret=lambda authority: ":" in authority.rpartition("@")[0],
        key_of=path_on_server,
    ),
}
"""By the scheme of their URLs."""


@dataclass(frozen=True)
class Place:
    """What lies in a bucket or on a server below `prefix`, which is empty or ends with `/`.

    `authority` is what a URL has between `//` and `/`: the bucket, or `user@host:port`.
    """

    scheme: str
    authority: str
    prefix: str

    @property
    def url(self) -> str:
        """As people write it; nothing in it is secret."""
        return f"{self.scheme}://{self.authority}/{self.prefix}"

    @property
    def state_folder(self) -> Path:
        """Folder of this user for what drills note of this place's backups."""
        from platformdirs import user_state_path  # noqa: PLC0415 - most places are folders

        slug = re.sub(r"[^\w.-]+", "_", f"{self.authority}_{self.prefix}".strip("/_"))[:60]
        digest = hashlib.sha256(self.url.encode()).hexdigest()[:10]
        return user_state_path("restore-drill") / "places" / f"{slug}-{digest}"

    @property
    def mirror(self) -> Path:
        """Folder that mirrors it, in one of this process's own."""
        name = self.prefix.rstrip("/").rpartition("/")[2] or self.authority
        return self.state_folder.resolve() / f"files-{os.getpid()}" / name


places: dict[Path, Place] = {}
"""Places that settings have named, by their mirrors."""


histories: dict[Path, Place] = {}
"""Places with a history of drills, by the path that stands for it: what was read is kept there."""
BUCKETS = ("s3",)
"""Schemes of places that can hold one: drills write there."""


def remote_path(given: dict[str, str | None], name: str) -> Path | None:
    """Path, in the mirror of its place, of what the setting `name` names elsewhere; else None."""
    found = place_given(given[name] or "", name, is_file=name == "backup")
    if found is None:
        return None
    place, last = found
    places[place.mirror] = place
    mirrors[place.mirror] = place.url
    return place.mirror / last if last else place.mirror


def remote_history(text: str) -> Path | None:
    """Path that stands for the history in the bucket that `text` names; None if it names none."""
    found = place_given(text, "history", is_file=False)
    if found is None or found[0].scheme not in BUCKETS:
        return None
    place, _ = found
    path = place.state_folder / "history.bucket"
    histories[path] = place
    mirrors[path] = place.url
    return path


def place_given(text: str, name: str, *, is_file: bool) -> tuple[Place, str] | None:
    """Place that the URL `text` names, and the name in it of a file, if it `is_file`.

    None where it is no such URL. Raises UsageError of the setting `name`.
    """
    scheme, is_url, rest = text.partition("://")
    kind = KINDS.get(scheme.lower())
    if not is_url or kind is None:
        return None
    authority, _, key = rest.partition("/")
    if kind.is_secret(authority) or "?" in rest:
        what = "holds credentials or parameters (not shown)"
        raise usage_error(name, what, f"leave them out: {kind.keys_from}")
    key = kind.key_of(key)
    folder, _, last = key.rpartition("/") if is_file else (key.strip("/"), "", "")
    if not kind.authority.fullmatch(authority) or (is_file and not last) or ".." in key.split("/"):
        what = f"names no {kind.file if is_file else kind.what}"
        raise usage_error(name, what, f"write {kind.example}" + "/file" * is_file)
    return Place(scheme.lower(), authority, f"{folder}/" if folder else ""), last


def mirror_around(path: Path) -> Path | None:
    """The mirror that `path` lies in, None for a path of this machine."""
    return next((root for root in places if path.is_relative_to(root)), None)


def state_folder_of(path: Path) -> Path | None:
    """The state folder of the place that `path` lies in, None for a path of this machine."""
    root = mirror_around(path)
    return places[root].state_folder if root else None
