"""Whether the rows of a statement stand in it, as in pg_dump's, so that it may run beside others.

A value that the server finds out (a query, a function, a default) may hang on what other tables
hold by then, or count: two tables that take the values of one sequence take them in turn.
"""

from __future__ import annotations

from restore_drill.backups.plaindump.events import Inserts, Statement
from restore_drill.backups.plaindump.names import parts
from restore_drill.backups.plaindump.sql_tokens import tokens_of
from restore_drill.backups.plaindump.statements import INSERT
from restore_drill.restore.relations import Table

VALUES = {"null", "true", "false", "b", "x", "default", "on", "conflict", "do", "nothing"}
"""Words behind those that begin an INSERT, in what pg_dump writes."""
SIGNS = (b"-", b"+", b".", b",", b";", b"(", b")")


def names_all(listed: bytes, table: Table) -> bool:
    """Whether the columns that a statement has `listed`, if any, are all that `table` stores."""
    return not listed or len(parts(listed)) == table.stored


def are_given(event: Inserts | Statement, table: Table, *, escapes: bool) -> bool:
    """Whether the rows of INSERTs into `table` are given in them.

    With `escapes` a backslash escapes in each string. A table with generated columns has DEFAULT
    for each of them.
    """
    sql = event.head if isinstance(event, Inserts) else event.sql
    target = INSERT.match(sql)
    if not (target and target["rows"]):
        return False
    listed = sql[target.end("table") : sql.rfind(b")", 0, target.end()) + 1]
    if target["columns"] and not names_all(listed, table):
        return False
    if isinstance(event, Statement):
        return are_plain(sql[target.end() :], table, escapes=escapes)
    if table.has_generated or b"DEFAULT" not in event.data:
        return True
    return b"DEFAULT" not in b"'".join(event.data.split(b"'")[::2])


def are_plain(rows: bytes, table: Table, *, escapes: bool) -> bool:
    """Whether no value of `rows` is more than a literal."""
    depth = 0
    for token in tokens_of(rows):
        depth += (token.text == b"(") - (token.text == b")")
        if token.kind == "word":
            is_plain = token.word in VALUES and (token.word != "default" or table.has_generated)
        elif token.kind == "text":
            is_plain = not escapes or b"\\" not in token.text
        else:
            is_plain = token.text in SIGNS or token.kind in ("number", "escaped")
        if depth > 1 or not is_plain:
            return False
    return True
