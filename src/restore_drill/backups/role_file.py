"""Reads a role file (`pg_dumpall --globals-only`, `--roles-only`) whole, compressed or not."""

from __future__ import annotations

import re
from pathlib import Path

from restore_drill.backups.foreign import ROLES_ALONE
from restore_drill.backups.formats import recognise
from restore_drill.backups.plaindump.events import Comment, Cut, MetaCommand, Statement
from restore_drill.backups.plaindump.frame import Frame
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.backups.plaindump.role_statements import RoleStatements
from restore_drill.backups.plaindump.role_words import NotUnderstood
from restore_drill.backups.plaindump.settings import SessionSettings
from restore_drill.backups.role_model import RoleFile
from restore_drill.backups.streams import READ_ERRORS, open_plain
from restore_drill.core.access import cannot_read
from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count

ALLOWED = (b"\\restrict", b"\\unrestrict", b"\\connect")
"""Meta-commands that pg_dumpall writes."""
MEANT = re.compile(r"global|role|user", re.IGNORECASE)
"""Names of encrypted files that are decrypted to see whether they hold roles."""


def may_hold_roles(path: Path) -> bool:
    """Whether what is encrypted at `path` may be roles, by its name.

    What has a manifest is a backup, also of a database that is called `users`.
    """
    if MEANT.search(path.name) is None:
        return False
    return not path.with_name(f"{path.name}.manifest.json").exists()


def is_role_file(path: Path) -> bool:
    """Whether the content of the file at `path` is that of pg_dumpall --globals-only."""
    try:
        if not path.is_file():
            return False
        kind = recognise(path)
        if kind.sealed and may_hold_roles(path):
            kind = recognise(path, decrypt=True)
        return kind.unrecognised.startswith(ROLES_ALONE.what)
    except (*READ_ERRORS, CouldNotRun):
        return False


def read_role_file(path: Path) -> RoleFile:
    """What the role file at `path` holds; CouldNotRun where it is none, or not whole.

    Of pg_dumpall's whole output that is what stands before its first database.
    """
    try:
        with open_plain(path, recognise(path, decrypt=True).compression) as stream:
            return gather(path, PlainReader(stream))
    except CouldNotRun:
        raise
    except OSError as error:
        raise cannot_read("the role file", path, error) from None
    except READ_ERRORS as error:
        raise not_readable(path, f"it cannot be read to its end: {error}") from None


def gather(path: Path, reader: PlainReader) -> RoleFile:
    """Take in all that `reader` gives."""
    found, frame, session = RoleStatements(), Frame(), SessionSettings()
    for event in reader.events():
        if isinstance(event, Comment):
            frame.comment(event.text.decode("utf-8", "replace"))
        elif isinstance(event, MetaCommand) and event.text.startswith(ALLOWED):
            if event.text.startswith(b"\\connect") and found.roles:
                frame.ended = True
                break
        elif isinstance(event, Statement):
            sql = session.in_utf8(event.sql)
            session.note(sql)
            try:
                found.take(sql)
            except NotUnderstood as error:
                raise not_readable(path, f"line {event.line:,}: {error}") from None
        else:
            what = (
                "it ends inside a statement" if isinstance(event, Cut) else "it is not a role file"
            )
            raise not_readable(path, f"after line {reader.line - 1:,}: {what}")
    if frame.is_cluster and not frame.ended:
        raise not_readable(path, "pg_dumpall's end marker is missing: the file is truncated")
    if not found.roles:
        raise not_readable(path, "it creates no role")
    left = [f"{what} ({show_count(n, 'statement')})" for what, n in found.left_out.items()]
    return RoleFile(path, found.roles, tuple(found.memberships), tuple(left))


def not_readable(path: Path, why: str) -> CouldNotRun:
    """Why the file at `path` cannot be used as a role file; nothing of its text is shown."""
    return CouldNotRun(
        f"the role file {path} cannot be used",
        checked=[why],
        remedy=remedy_for("roles", "not_readable"),
    )
