"""What a role that is no superuser may not do as the dump has it, and how it comes about anyway.

pg_dump writes for superusers: an object gets its owner before that owner is granted anything, and
extensions get a comment whoever owns them. On a managed platform nobody is a superuser.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from restore_drill.backups.plaindump.statements import pattern
from restore_drill.core.server_error import ServerError
from restore_drill.servers.model import Target

NO_RIGHT = "42501"
OWNER = pattern(
    rb"ALTER (?:[A-Z]++ |(?!))++(?P<schema><I>)\.[^;]*? OWNER TO (?P<owner><I>);", re.DOTALL
)
EXTENSION_COMMENT = pattern(rb"COMMENT ON EXTENSION <I> IS ")
MAY_CREATE = b"GRANT CREATE ON SCHEMA %(schema)b TO %(owner)b;"
MAY_NOT = b"REVOKE CREATE ON SCHEMA %(schema)b FROM %(owner)b;"


def settled(
    error: ServerError, sql: bytes, target: Target, run: Callable[[bytes], PGresult]
) -> str:
    """How a statement was settled that this role had no right to; empty where it was not.

    `run` runs a statement, or several in one transaction. On a server of ours we have all rights.
    """
    if error.sqlstate != NO_RIGHT or target.throwaway:
        return ""
    sql = sql.strip()
    if EXTENSION_COMMENT.match(sql):
        return "the extension belongs to the platform and keeps its comment there"
    found = OWNER.fullmatch(sql)
    if found is None:
        return ""
    # A new owner must be allowed to create in the schema, and a dump grants that at its end. It
    # has not this right yet, else there were no error: to take it back changes nothing.
    names = {name.encode(): found[name] for name in ("schema", "owner")}
    if run(MAY_CREATE % names + sql + MAY_NOT % names).status != ExecStatus.COMMAND_OK:
        return ""
    return "the owner may create in that schema for this one statement"
