"""Statements that no pg_dump writes and that may run any code: not for a server without walls.

They may be a person's, so that a throwaway server takes them. Refusing them shuts nobody in: code
of a dump also runs where an index or a materialised view is made, which every dump does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from restore_drill.backups.plaindump.reach import reach
from restore_drill.backups.plaindump.refusals import (
    PIECE,
    hides_a_name,
)
from restore_drill.backups.plaindump.sql_tokens import END, Token, copy_ends, outermost, tokens_of
from restore_drill.backups.plaindump.statements import SIMPLE_INSERT

ROW = rb"""\s*\([^'"()\\$]*+(?:(?<![eE])'[^']*+'[^'"()\\$]*+)*+\)"""
ROWS = re.compile(
    rb"""INSERT\s+INTO\s+[^'()$\\]++(?:\([^'()$\\]*+\)[\w\s]*+)?VALUES"""
    rb"(?:" + ROW + rb"\s*,)*+" + ROW + rb"\s*(?:ON CONFLICT DO NOTHING)?\s*;",
    re.IGNORECASE,
)
"""An INSERT of rows in which nothing is called: what stands in it are numbers and texts."""
CALLED = re.compile(
    r"set_config|setval|lo_(?:create|open|close|unlink)|lowrite|pg_restore_\w+_stats"
)
"""Functions of pg_catalog that pg_dump calls."""
NO_CALL = ("exists", "and", "when", "then", "else", "in", "values")
"""Words before a parenthesis that call nothing."""
DEFINING = frozenset({
    "alter", "analyze", "begin", "comment", "commit", "create", "discard", "drop", "end", "grant",
    "refresh", "release", "reset", "revoke", "rollback", "savepoint", "security", "set", "start",
    "truncate", "vacuum",
})  # fmt: skip
"""First words of statements that define, grant, frame or count."""
RUNS = "which no pg_dump writes and which may run any code"


def unusual(sql: bytes) -> str:
    """What a statement is that no pg_dump writes and that may run code; empty for all others.

    What pg_dump writes about roles and other databases is not to come here: it is left out before.
    """
    if SIMPLE_INSERT.fullmatch(sql) and not (b"--" in sql or b"/*" in sql):
        return ""
    words = tokens_of(sql)
    first = next(words, END)
    if first.word == "insert":
        return f"INSERT of other than rows of values, {RUNS}" if is_query(sql, words) else ""
    if first.word == "select":
        return "" if is_of_dump(sql, words) else f"SELECT of other functions than its own, {RUNS}"
    if first.word == "copy":
        return judge_copy(words)
    if first.word not in DEFINING:
        return f"{first.word.upper() or 'a statement'}, {RUNS}" if first is not END else ""
    return judge_reach(sql) or judge_definition(first.word, words)


def judge_reach(sql: bytes) -> str:
    """A definition of more than the one database, or one that hides of what it is."""
    if hides_a_name(sql):
        return "a name in Unicode escapes, which no pg_dump writes and which hides what it is"
    what = reach(sql)
    return f"a statement about {what}, in a form that no pg_dump writes" if what else ""


def is_query(sql: bytes, words: Iterator[Token]) -> bool:
    """Whether an INSERT has anything but rows of plain values."""
    if ROWS.fullmatch(sql) and not (b"--" in sql or b"/*" in sql):
        return False
    depth, is_behind, before = 0, False, ""
    for token in words:
        is_behind |= depth == 0 and token.word in ("values", "default")
        if token.text == b"(" and (depth or (is_behind and before not in ("values", ","))):
            return True
        if depth == 0 and token.word in ("select", "with", "table", "update", "returning"):
            return True
        depth += (token.text == b"(") - (token.text == b")")
        before = token.word or token.text.decode("ascii", "replace")
    return not is_behind


def is_of_dump(sql: bytes, words: Iterator[Token]) -> bool:
    """Whether a SELECT calls nothing but what pg_dump calls, and reads no table but its own."""
    if PIECE.fullmatch(sql):
        return True
    before: list[Token] = [END, END, END]
    for token in words:
        schema, dot, name = before
        if token.text == b"(" and name.kind in ("word", "name") and name.word not in NO_CALL:
            is_qualified = schema.word == "pg_catalog" and dot.text == b"."
            if not (is_qualified and CALLED.fullmatch(name.word)):
                return False
        if name.word in ("from", "join", "operator") and token.word != "pg_catalog":
            return False
        if token.word in ("into", "operator", "table", "with"):
            return False
        before = [dot, name, token]
    return True


def judge_copy(words: Iterator[Token]) -> str:
    """COPY: rows into a table, all of them."""
    direction, end = copy_ends(words)
    if direction == "from" and end.word == "stdin":
        is_whole = all(token.word != "where" for token in words)
        return "" if is_whole else f"COPY with a condition, {RUNS}"
    return f"COPY of other than rows into a table, {RUNS}"


def judge_definition(first: str, words: Iterator[Token]) -> str:
    """Of definitions those that run a query, or reach beyond what the dump has made."""
    second = next(words, END).word
    while first == "create" and second in ("temp", "temporary", "unlogged", "global", "local"):
        second = next(words, END).word
    if (first, second) == ("create", "table"):
        is_made_of_query = any(token.word in ("as", "execute") for token in outermost(words))
        return f"CREATE TABLE AS, {RUNS}" if is_made_of_query else ""
    if (first, second) == ("create", "schema") and any(t.word == "create" for t in words):
        return f"CREATE SCHEMA with more in it, {RUNS}"
    if (first, second) == ("drop", "owned"):
        return "DROP OWNED, which no pg_dump writes and which reaches beyond the database"
    if (first, second) in (("commit", "prepared"), ("rollback", "prepared")):
        return f"{first.upper()} PREPARED, which no pg_dump writes"
    return ""
