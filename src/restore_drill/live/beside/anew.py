"""What a database is made with that takes the place of one which is not there any more.

What the backup says of it: an archive always does, a plain dump where it was taken with --create.
Else the encoding is the dump's, the locale the server's default, and the owner our own role.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import takewhile
from typing import NamedTuple

import psycopg
from psycopg import sql

from restore_drill.backups.archive import header_of
from restore_drill.backups.model import Backup
from restore_drill.backups.plaindump.events import CopyData, MetaCommand, Statement
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.backups.plaindump.names import dotted
from restore_drill.backups.plaindump.statements import CREATE_DATABASE, pattern
from restore_drill.backups.streams import open_plain
from restore_drill.backups.to_sql import restore_to_sql
from restore_drill.live.beside.database import not_made
from restore_drill.live.server.owning import may_own, membership_to_own
from restore_drill.servers.model import Target

FIRST = 200
"""Statements of a dump among which CREATE DATABASE is looked for."""
OWNER = pattern(rb"ALTER DATABASE <I> OWNER TO (?P<name><I>)", re.IGNORECASE)
OPTION = re.compile(rb"\b([A-Z_]+) = (?:'((?:[^']|'')*)'|(\w+))")
TAKEN = ("ENCODING", "LOCALE_PROVIDER", "LOCALE", "LC_COLLATE", "LC_CTYPE", "ICU_LOCALE",
         "ICU_RULES", "BUILTIN_LOCALE")  # fmt: skip
"""Options of CREATE DATABASE that are taken from a dump: none of them reaches beyond it."""
MAY_OWN = "SELECT FROM pg_catalog.pg_roles WHERE rolname = %s AND " + may_own("oid")
PROVIDERS = 15
"""Major from which on a database says whose its locale is."""


class Anew(NamedTuple):
    """How the database `name` is made: `options` of CREATE DATABASE by name, and its `owner`.

    The owner is empty where the backup names none.
    """

    name: str
    options: dict[str, str]
    owner: str

    @property
    def clauses(self) -> list[sql.Composed]:
        """The options as SQL."""
        return [
            sql.SQL(option + " {}").format(sql.Literal(value))
            for option, value in self.options.items()
        ]


def made_anew(absent: Target, backup: Backup) -> Anew:
    """How to make the database of `absent` for `backup`."""
    options, owner = noted_in(backup)
    if not options:
        options = {"ENCODING": backup.head.server_encoding}
    if absent.major < PROVIDERS and options.get("LOCALE_PROVIDER", "libc") == "libc":
        options.pop("LOCALE_PROVIDER", None)
    return Anew(absent.conninfo["dbname"], options, owner)


def give_owner(made: Target, anew: Anew) -> str:
    """Give the new database `made` its owner, where our role may; a line on what it is made with.

    CouldNotRun where its server refuses.
    """
    own = membership_to_own(made)
    change = sql.SQL("ALTER DATABASE {} OWNER TO {}")
    try:
        with made.connect(connect_timeout="10") as connection:
            row = connection.execute("SELECT current_user").fetchone()
            owner = row[0] if row else ""
            if connection.execute(MAY_OWN, [anew.owner, own]).fetchone() is not None:
                names = map(sql.Identifier, (made.conninfo["dbname"], anew.owner))
                connection.execute(change.format(*names))
                owner = anew.owner
    except psycopg.Error as error:
        raise not_made(made, error) from None
    shown = [f"{option.lower()} {value}" for option, value in anew.options.items()]
    if not {"LOCALE", "LC_COLLATE", "BUILTIN_LOCALE"} & anew.options.keys():
        shown.append("the server's default locale")
    shown.append(f"owner {owner}")
    if anew.owner and owner != anew.owner:
        shown.append(f"which the role in DATABASE_URL may not change to {anew.owner}")
    return f"a new {anew.name} is made with {', '.join(shown)}"


def noted_in(backup: Backup) -> tuple[dict[str, str], str]:
    """Options and owner of the database in what `backup` says of it; empty where it does not."""
    options: dict[str, str] = {}
    owner = ""
    for statement in first_statements(backup):
        if CREATE_DATABASE.match(statement):
            found = {name.decode(): quoted.replace(b"''", b"'") or word
                     for name, quoted, word in OPTION.findall(statement)}  # fmt: skip
            options = {name: found[name].decode("utf-8", "replace")
                       for name in TAKEN if name in found}  # fmt: skip
        elif match := OWNER.match(statement):
            owner = dotted(match["name"])
    return options, owner


def first_statements(backup: Backup) -> Iterator[bytes]:
    """The first statements of `backup`, up to those inside the database."""
    with ExitStack() as stack:
        stream = None
        path, compression = backup.path, backup.compression
        if backup.unpacked:
            path, compression = backup.unpacked, ""
        if not backup.is_archive or compression:
            stream = stack.enter_context(open_plain(path, compression))
        if backup.is_archive:
            header = header_of(path, backup.format, compression)
            run = restore_to_sql(header, path, "--create", "--section=pre-data", packed=stream)
            stream = stack.enter_context(run).output
        assert stream is not None
        events = PlainReader(stream).events()
        outside = takewhile(lambda event: not is_inside(event), events)
        for _, event in zip(range(FIRST), outside, strict=False):
            if isinstance(event, Statement):
                yield event.sql


def is_inside(event: object) -> bool:
    r"""Whether the dump is inside its database from here on: behind `\connect`, or in its rows."""
    is_connect = isinstance(event, MetaCommand) and event.text.startswith(b"\\connect")
    return is_connect or isinstance(event, CopyData)
