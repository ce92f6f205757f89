"""How places of each scheme are written: what stands before the first `/`, and behind it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

LAST_PORT = 65535


def is_login(authority: str) -> bool:
    """Whether anything is in front of the bucket or server."""
    return "@" in authority


def is_password(authority: str) -> bool:
    """Whether a password is in front of the server; a user may be."""
    return ":" in authority.rpartition("@")[0]


def path_on_server(written: str) -> str:
    """A path as it is written in a URL, without what is empty in it: `~/` is the login's home."""
    return "/".join(part for part in unquote(written).split("/") if part not in ("", "."))


@dataclass(frozen=True)
class KindOfPlace:
    """Places of one scheme; where `is_link`, each URL names one file, and nothing can be listed."""

    what: str
    file: str
    example: str
    keys_from: str
    authority: re.Pattern[str]
    is_secret: Callable[[str], bool] = is_login
    key_of: Callable[[str], str] = str
    is_link: bool = False

    def fits(self, authority: str, key: str) -> bool:
        """Whether both are written as they must be; a path that leads up is not."""
        _, has_port, port = authority.rpartition(":")
        is_port = not (has_port and port.isdecimal()) or 0 < int(port) <= LAST_PORT
        is_path = ".." not in key.split("/") and "\0" not in key
        return bool(self.authority.fullmatch(authority)) and is_port and is_path

    def example_of(self, *, is_file: bool) -> str:
        """How a place, or a file in it, is written."""
        return self.example + "/file" * (is_file and not self.is_link)


KINDS = {
    "s3": KindOfPlace(
        "bucket",
        "object",
        "s3://bucket/folder",
        "keys come from AWS_* or ~/.aws",
        re.compile(r"[^/@?#\s]+"),
    ),
    "gs": KindOfPlace(
        "bucket",
        "object",
        "gs://bucket/folder",
        "credentials come from GOOGLE_APPLICATION_CREDENTIALS or gcloud",
        re.compile(r"[^/@?#\s]+"),
    ),
    "az": KindOfPlace(
        "container",
        "object",
        "az://container/folder",
        "credentials come from AZURE_STORAGE_* or az",
        re.compile(r"[^/@?#\s]+"),
    ),
    "sftp": KindOfPlace(
        "server",
        "file",
        "sftp://user@host/folder",
        "keys come from ~/.ssh and its agent",
        re.compile(r"([\w.+~-]+@)?(\w[\w.-]*|\[[0-9a-fA-F:.]+(%\w+)?\])(:\d{1,5})?"),
        is_secret=is_password,
        key_of=path_on_server,
    ),
    "https": KindOfPlace(
        "server",
        "file",
        "https://host/folder/file: a web server provides no listing, so name a single file",
        "a login comes from ~/.netrc",
        re.compile(r"(\w[\w.-]*|\[[0-9a-fA-F:.]+\])(:\d{1,5})?"),
        key_of=unquote,
        is_link=True,
    ),
    "http": KindOfPlace(
        "server of this machine",
        "file",
        "https://host/folder/file: over plain http:// anybody in between can read and "
        "change a backup",
        "a login comes from ~/.netrc",
        re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?"),
        key_of=unquote,
        is_link=True,
    ),
}
"""By the scheme of their URLs."""
