"""Foreign keys that the backup declares and the restore could not make: their rows are counted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from restore_drill.backups.plaindump.statements import FOREIGN_KEY
from restore_drill.core.names import joined
from restore_drill.facts.answers import HEAP_ONLY, answer
from restore_drill.facts.records import ForeignKey
from restore_drill.facts.session import Connection, open_session
from restore_drill.restore.model import Restoration
from restore_drill.servers.model import Target

COLUMN = re.compile(r'"(?:[^"]|"")*+"|[^\s,()"]++')
RELATION = """
    SELECT n.nspname, c.relname, CASE WHEN c.relkind = 'p' THEN '' ELSE 'ONLY ' END
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = pg_catalog.to_regclass(%s)"""


def lost_keys(restoration: Restoration, target: Target) -> tuple[ForeignKey, ...]:
    """Foreign keys whose statement failed, with the rows that break each, where some do."""
    statements = [error.sql.strip() for error in restoration.errors]
    found = [key for each in statements if (key := FOREIGN_KEY.fullmatch(each.encode()))]
    if not found:
        return ()
    with open_session(target) as connection:
        return tuple(each for key in found for each in orphans_of(connection, key))


def orphans_of(connection: Connection, key: re.Match[bytes]) -> Iterator[ForeignKey]:
    """The key that a statement of pg_dump declares, where both tables exist and rows violate it.

    Its parts come from the dump as they are: the pattern lets through nothing but names.
    """
    name, table, parent, columns, others = (
        key[part].decode() for part in ("name", "table", "parent", "columns", "parent_columns")
    )
    child_row = connection.execute(RELATION, [table]).fetchone()
    parent_row = connection.execute(RELATION, [parent]).fetchone()
    if child_row is None or parent_row is None:
        return
    own, referenced = COLUMN.findall(columns), COLUMN.findall(others)
    is_full = b" MATCH FULL" in key.group()  # then a row with some of its columns null breaks it
    present = (" OR " if is_full else " AND ").join(f"c.{each} IS NOT NULL" for each in own)
    same = " AND ".join(f"p.{b} = c.{a}" for a, b in zip(own, referenced, strict=True))
    rows = (  # made of names out of pg_dump's statement
        f"FROM {child_row[2]}{table} c WHERE ({present})"
        f" AND NOT EXISTS (SELECT FROM {parent_row[2]}{parent} p WHERE {same})"
    )
    outcome = answer(connection, f"SELECT pg_catalog.count(*) {rows}", HEAP_ONLY)
    orphans = outcome.row[0] if outcome.row else None
    lost = ForeignKey(
        name=unquoted(name),
        table=joined(*child_row[:2]),
        columns=tuple(map(unquoted, own)),
        referenced=joined(*parent_row[:2]),
        orphans=orphans,
        error=outcome.error,
        is_lost=True,
        query=f"SELECT c.* {rows}" if orphans else "",
    )
    if lost.is_broken:
        yield lost


def unquoted(name: str) -> str:
    """A name as the catalog has it."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
