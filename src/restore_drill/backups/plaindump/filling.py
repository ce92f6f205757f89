"""Rows as pg_dump writes them: COPY from stdin, and INSERT of values, into a dump's own tables.

A superuser may put rows into the server's own catalogs as into any table. Some are the whole
server's: a row of pg_authid is a role. Whatever else would change them (ALTER, TRUNCATE, triggers)
PostgreSQL refuses, unless the session has set allow_system_table_mods.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from restore_drill.backups.plaindump.names import parts
from restore_drill.backups.plaindump.sql_tokens import END, Token, copy_ends, tokens_of

RUNS = "which pg_dump never writes and which may run any code"
SYSTEM_SCHEMAS = (b"information_schema", b"pg_catalog", b"pg_toast")
SHARED = frozenset({
    b"pg_auth_members", b"pg_authid", b"pg_database", b"pg_db_role_setting", b"pg_parameter_acl",
    b"pg_replication_origin", b"pg_shdepend", b"pg_shdescription", b"pg_shseclabel",
    b"pg_subscription", b"pg_tablespace", b"pg_group", b"pg_roles", b"pg_shadow", b"pg_user",
})  # fmt: skip
"""Catalogs of the whole server, and views of them: found by these names without a schema too."""

VALUE = rb"""(?:[bnx]?'[^']*+'(?:'[^']*+'|(?!))*+|[-+]?[\w.]++(?:(?<=\de)[-+]\d++)?)"""
ROW = rb"\s*\(\s*" + VALUE + rb"(?:\s*,\s*" + VALUE + rb"|(?!))*+\s*\)"
ROWS = re.compile(
    rb"""INSERT\s+INTO\s+[^'()$\\]++(?:\([^'()$\\]*+\)[\w\s]*+)?VALUES"""
    rb"(?:" + ROW + rb"\s*,|(?!))*+" + ROW + rb"\s*(?:ON CONFLICT DO NOTHING)?\s*;",
    re.IGNORECASE,
)
"""An INSERT of rows in which nothing is called: what stands in it are numbers and texts."""
SIGNED = re.compile(r"[(,]|[\d.]+e", re.IGNORECASE)
"""What a sign stands behind, rather than an operator: the begin of a value, or its exponent."""


def judge_filling(sql: bytes) -> str:
    """What a COPY or an INSERT is that pg_dump never writes; empty for rows of a dump's tables."""
    words = tokens_of(sql)
    first = next(words, END).word
    catalog = catalog_filled(islice(tokens_of(sql), 1, None))
    if catalog:
        return f"{first.upper()} into the system catalog {catalog}, which pg_dump never writes"
    if first == "copy":
        return judge_copy(words)
    return f"INSERT of something other than rows of values, {RUNS}" if is_query(sql, words) else ""


def catalog_filled(words: Iterator[Token]) -> str:
    """Catalog that a COPY or an INSERT fills, without its first word; empty for any other table."""
    token = next(words, END)
    while token.word in ("into", "binary", "only"):
        token = next(words, END)
    name = token.text
    while (dot := next(words, END)).text == b".":
        name += dot.text + next(words, END).text
    *schema, last = parts(name) or (b"",)
    is_catalog = schema[-1] in SYSTEM_SCHEMAS if schema else last in SHARED
    return last.decode("utf-8", "replace") if is_catalog else ""


def is_query(sql: bytes, words: Iterator[Token]) -> bool:
    """Whether an INSERT has anything but rows of plain values."""
    if ROWS.fullmatch(sql) and not (b"--" in sql or b"/*" in sql):
        return False
    depth, is_behind, before = 0, False, ""
    for token in words:
        is_behind |= depth == 0 and token.word in ("values", "default")
        if token.text == b"(" and (depth or (is_behind and before not in ("values", ","))):
            return True
        is_sign = token.text in (b"-", b"+") and bool(SIGNED.fullmatch(before))
        if is_behind and depth and is_operator(token) and not is_sign:
            return True
        if depth == 0 and token.word in ("select", "with", "table", "update", "returning"):
            return True
        depth += (token.text == b"(") - (token.text == b")")
        before = token.word or token.text.decode("ascii", "replace")
    return not is_behind


def is_operator(token: Token) -> bool:
    """Whether it is part of an operator or a cast, which may be one of the dump's own."""
    return token.kind == "other" and token.text not in b"(),.;[]"


def judge_copy(words: Iterator[Token]) -> str:
    """COPY: rows into a table, all of them."""
    direction, end = copy_ends(words)
    if direction == "from" and end.word == "stdin":
        is_whole = all(token.word != "where" for token in words)
        return "" if is_whole else f"COPY with a condition, {RUNS}"
    return f"COPY of something other than rows into a table, {RUNS}"
