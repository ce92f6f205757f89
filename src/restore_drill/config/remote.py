"""Places of other machines that BACKUP_PATH and --backup may name: `s3://bucket/prefix`.

A place is mirrored in a folder of this machine, one a process, in which the files that lie there
stand empty until one is fetched: so all that goes by paths, names, sizes and times serves both.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from restore_drill.config.options import usage_error
from restore_drill.core.mirrors import mirrors

SCHEMES = ("s3",)


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


def remote_path(given: dict[str, str | None], name: str) -> Path | None:
    """Path, in the mirror of its place, of what the setting `name` names elsewhere; else None."""
    scheme, is_url, rest = (given[name] or "").partition("://")
    if not is_url or scheme.lower() not in SCHEMES:
        return None
    bucket, _, key = rest.partition("/")
    if "@" in rest or "?" in rest:
        what = "holds credentials or parameters (not shown)"
        raise usage_error(name, what, "leave them out: keys come from AWS_* or ~/.aws")
    folder, _, last = key.rpartition("/") if name == "backup" else (key.strip("/"), "", "")
    if not bucket or (name == "backup" and not last) or ".." in key.split("/"):
        what = f"names no {'object' if name == 'backup' else 'bucket'}"
        raise usage_error(name, what, "write s3://bucket/folder" + "/file" * (name == "backup"))
    place = Place(scheme.lower(), bucket, f"{folder}/" if folder else "")
    places[place.mirror] = place
    mirrors[place.mirror] = place.url
    return place.mirror / last if last else place.mirror


def mirror_around(path: Path) -> Path | None:
    """The mirror that `path` lies in, None for a path of this machine."""
    return next((root for root in places if path.is_relative_to(root)), None)


def state_folder_of(path: Path) -> Path | None:
    """The state folder of the place that `path` lies in, None for a path of this machine."""
    root = mirror_around(path)
    return places[root].state_folder if root else None
