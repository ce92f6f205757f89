"""Whether the rows of a statement stand in it, as in pg_dump's, so that it may run beside others.

A value that the server finds out (a query, a function, a default) may hang on what other tables
hold by then, or count: two tables that take the values of one sequence take them in turn. And no
rollback gives those back, so that a statement which takes them is not to be tried and repeated.
"""

from __future__ import annotations

from restore_drill.backups.plaindump.events import Inserts, Statement
from restore_drill.backups.plaindump.names import parts
from restore_drill.backups.plaindump.sql_tokens import tokens_of
from restore_drill.backups.plaindump.statements import COPY, INSERT
from restore_drill.restore.relations import Table

VALUES = {"null", "true", "false", "b", "x", "on", "conflict", "do", "nothing"}
"""Words behind those that begin an INSERT, in what pg_dump writes, but for DEFAULT."""
SIGNS = (b"-", b"+", b".", b",", b";", b"(", b")")
STORED, GENERATED = b"s", b"g"


def are_given(event: Inserts | Statement, table: Table, *, escapes: bool) -> bool:
    """Whether the rows of a COPY or of INSERTs into `table` are given with them.

    With `escapes` a backslash escapes in each string. A column that is left out takes its default,
    also where none is named and a row has fewer values; a generated one has DEFAULT.
    """
    sql = event.head if isinstance(event, Inserts) else event.sql
    if copy := COPY.fullmatch(sql):
        return names_all(copy["columns"] or b"", table)
    target = INSERT.match(sql)
    if not (target and target["rows"]) or (target["overriding"] or b"").upper() == b"USER":
        return False
    columns = table.columns
    if target["columns"]:
        if not names_all(sql[target.end("table") : sql.rfind(b")", 0, target.end()) + 1], table):
            return False
        columns = columns.replace(GENERATED, b"")
    if isinstance(event, Inserts) and event.shape is not None:
        values = event.shape.split(b",")
        kinds = zip(values, columns, strict=False)
        return len(values) == len(columns) and all(not d or kind in GENERATED for d, kind in kinds)
    rows = event.data if isinstance(event, Inserts) else sql[target.end() :]
    return are_plain(rows, columns, escapes=escapes)


def names_all(listed: bytes, table: Table) -> bool:
    """Whether the columns that a statement has `listed`, if any, are all that `table` stores."""
    return not listed or len(parts(listed)) == table.columns.count(STORED)


def are_plain(rows: bytes, columns: bytes, *, escapes: bool) -> bool:
    """Whether each of `rows` has a literal for each of `columns`, or DEFAULT for one generated."""
    depth = place = 0
    for token in tokens_of(rows):
        is_plain = token.text in SIGNS or token.kind in ("number", "escaped")
        if token.text == b"(":
            depth, place = depth + 1, 0
            is_plain = depth == 1
        elif token.text == b")":
            depth -= 1
            is_plain = place == len(columns) - 1
        elif token.text == b",":
            place += 1
        elif token.word == "default":
            is_plain = columns[place : place + 1] == GENERATED
        elif token.kind == "word":
            is_plain = token.word in VALUES
        elif token.kind == "text":
            is_plain = not escapes or b"\\" not in token.text
        if not is_plain:
            return False
    return True
