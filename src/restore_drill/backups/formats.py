"""The formats of backups: FORMATS holds them all, `recognise` finds out which one a path has."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from restore_drill.backups.archive_formats import CustomArchive, DirectoryArchive, TarArchive
from restore_drill.backups.converted import Converted
from restore_drill.backups.folders import place_of_what
from restore_drill.backups.foreign import ROLES_ALONE, Foreign
from restore_drill.backups.guesses import UNKNOWN, foreign_in, is_roles_alone
from restore_drill.backups.layers import (
    DIRECTORY_IN_TAR,
    HEAD_BYTES,
    around,
    other_in_zip,
    peeled,
)
from restore_drill.backups.model import Backup, Contents, Head
from restore_drill.backups.origins import is_awaited
from restore_drill.backups.physical.form import PhysicalFormat
from restore_drill.backups.physical.model import KINDS
from restore_drill.backups.plain import PlainSql, looks_like_sql
from restore_drill.backups.plaindump.frame import CLUSTER_START
from restore_drill.backups.sealed import wrap_of
from restore_drill.backups.streams import READ_ERRORS, open_plain
from restore_drill.backups.tars import is_tar, tar_of_what

ROLES_IN_NAME = re.compile(r"(^|[^a-z])(globals?|roles)([^a-z]|$)", re.IGNORECASE)
ROLES_BY_NAME = "a role file, judging by its name"
MOST_ROLES = 1 << 24
"""Bytes of a role file: some 50,000 roles."""
CONNECT = b"\n\\connect "
SUFFIXES = (
    ".sql", ".dump", ".pgdump", ".backup", ".bak", ".tar", ".gz", ".zst", ".lz4", ".xz", ".bz2",
    ".custom", ".pgc", ".pg", ".psql", ".tgz", ".zip", ".7z", ".rar", ".gpg", ".pgp", ".age",
    ".enc", ".asc", ".aes", ".ssl", ".cms", ".p7m", ".tar.gz",
)  # fmt: skip
"""Names that claim to be a backup, so that garbage in one is not passed over in silence."""


class Format(Protocol):
    """A format of backups: how one is recognised and read before anything is restored.

    How it is restored is for its `Restorer` (`restore/restorers.py`).
    """

    def claims(self, path: Path, compression: str, head: bytes) -> bool:
        """Whether the folder at `path` is one, or the file whose first bytes are `head`.

        The bytes are those behind its `compression`; raises what is in READ_ERRORS.
        """

    def quick_head(self, path: Path, compression: str, *, is_dated: bool) -> Head:
        """Head of one of many files, as far as that is cheap: time and database, if at all.

        `is_dated` says that its name has a time. Raises what is in READ_ERRORS.
        """

    def head(self, path: Path, compression: str) -> Head:
        """Head with the table of contents, without reading all; raises what is in READ_ERRORS."""

    def contents(
        self,
        backup: Backup,
        folder: Path,
        report: Callable[[int], None],
        converted: Converted | None = None,
    ) -> Contents:
        """All that `backup` holds, read to its end; what is wrong with it stands in `faults`.

        `folder` takes unpacked files, `report` hears of the bytes read, `converted` keeps the SQL
        of an archive. Digest and size are for
        the caller to add; CouldNotRun where our own means fail.
        """


PHYSICAL = KINDS
"""Kinds of physical backups: folders, all of them."""
FORMATS: dict[str, Format] = {
    "custom": CustomArchive(),
    "directory": DirectoryArchive(),
    "tar": TarArchive(),
    "plain": PlainSql(),
    **{kind: PhysicalFormat(kind) for kind in PHYSICAL},
}
"""By `Backup.format`, in the order in which they are asked; a file of no byte is a plain one."""


class Kind(NamedTuple):
    """What a path holds: one of FORMATS; or what it is instead, and what to do.

    `sealed` is the encryption that hides what it holds, empty where there is none, or it was
    decrypted.
    """

    format: str = ""
    compression: str = ""
    unrecognised: str = ""
    remedy: tuple[str, ...] = ()
    sealed: str = ""


def recognise(path: Path, *, decrypt: bool = False) -> Kind:
    """What lies at `path`, by its content; reads the first bytes only.

    Only where it is to `decrypt` is an encrypted one opened, with the keys of `wraps.keys`: for
    many files that takes long. Raises OSError where it cannot be read, Locked for want of a key.
    """
    if path.is_dir():
        return kind_of(path, "", b"")
    if is_awaited(path):
        return awaited_kind(path)
    compression, head, end = peeled(path, decrypt=decrypt)
    if end == DIRECTORY_IN_TAR:
        return Kind("directory", around("tar", compression))
    if end:
        return Kind("", compression, sealed=end)
    kind = kind_of(path, compression, head)
    if kind.format == "plain" and holds_roles_alone(path, compression, head):
        return kind_of_other(path, compression, ROLES_ALONE)
    return kind


def awaited_kind(path: Path) -> Kind:
    """What a file may be that has not been fetched: more than a name is known once it is."""
    if ROLES_IN_NAME.search(path.name):
        return Kind("", "", f"{ROLES_BY_NAME}; it is not fetched")
    return Kind("", path.suffix.removeprefix("."))


def holds_roles_alone(path: Path, compression: str, head: bytes) -> bool:
    """Whether pg_dumpall's output at `path`, of which `head` is no end, fills no database.

    Of many roles the end lies further away than what a file is recognised by. What holds databases
    too connects to the first one right behind its roles.
    """
    if f"-- {CLUSTER_START}\n".encode() not in head.replace(b"\r\n", b"\n"):
        return False
    with contextlib.suppress(*READ_ERRORS), open_plain(path, compression) as stream:
        text = b""
        while len(text) < MOST_ROLES and CONNECT not in text:
            if not (more := stream.read(HEAD_BYTES)):
                return is_roles_alone(text)
            text += more
    return False


def kind_of(path: Path, compression: str, head: bytes) -> Kind:
    """As `recognise`, for a file whose first bytes behind its compression are `head`."""
    for name, form in FORMATS.items():
        with contextlib.suppress(*READ_ERRORS):
            if form.claims(path, compression, head):
                return Kind(name, compression)
    return kind_of_other(path, compression, what_instead(path, compression, head))


def kind_of_other(path: Path, compression: str, found: Foreign) -> Kind:
    """As `recognise`, for a path that holds something else that was `found`."""
    behind = f", inside {compression}" if compression else ""
    return Kind("", compression, found.what + behind, found.remedy_at(path))


def what_instead(path: Path, compression: str, head: bytes) -> Foreign:
    """What lies at `path` that is of none of FORMATS."""
    if path.is_dir():
        return place_of_what(path)
    if is_tar(head):
        try:
            with open_plain(path, compression) as stream:
                return tar_of_what(stream)
        except READ_ERRORS:
            return Foreign("a tar file that cannot be read")
    if wrap_of(head) == "zip" and (found := other_in_zip(path, compression)):
        return found
    return foreign_in(head, is_sql=looks_like_sql(head)) or UNKNOWN
