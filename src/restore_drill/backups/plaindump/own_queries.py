"""Queries as pg_dump writes them: of settings, sequences, large objects and statistics."""

from __future__ import annotations

import re
from collections.abc import Iterator

from restore_drill.backups.plaindump.filling import is_operator
from restore_drill.backups.plaindump.refusals import PIECE
from restore_drill.backups.plaindump.sql_tokens import END, Token

TYPES = (
    "bigint", "boolean", "double", "integer", "name", "oid", "real", "regclass", "smallint", "text",
)  # fmt: skip
"""Types of PostgreSQL's own to which pg_dump casts what it hands to a function."""
CALLED = re.compile(
    r"set_config|setval|lo_(?:create|open|close|unlink)|lowrite|pg_restore_\w+_stats"
)
"""Functions of pg_catalog that pg_dump calls."""
NO_CALL = ("exists", "and", "when", "then", "else", "in", "values")
"""Words before a parenthesis that call nothing."""


def is_of_dump(sql: bytes, words: Iterator[Token]) -> bool:
    """Whether a SELECT calls nothing but what pg_dump calls, and reads no table but its own."""
    if PIECE.fullmatch(sql):
        return True
    before: list[Token] = [END, END, END]
    for token in words:
        if is_other(token, before) or calls_other(token, before):
            return False
        before = [*before[1:], token]
    return True


def is_other(token: Token, before: list[Token]) -> bool:
    """Whether an operator, a cast, a table or a setting is not one of those in a dump."""
    _, earlier, last = before
    return (
        (is_operator(token) and token.text not in b":*=-")
        or (token.text == b"." and last.word != "pg_catalog")
        or (last.text == b":" and token.text != b":" and token.word not in TYPES)
        or (earlier.word == "set_config" and token.inside != b"search_path")
        or (last.word in ("from", "join") and token.word != "pg_catalog")
        or token.word in ("into", "operator", "table", "with")
    )


def calls_other(token: Token, before: list[Token]) -> bool:
    """Whether `token` is the parenthesis behind the name of a function that pg_dump never calls."""
    schema, dot, name = before
    if token.text != b"(" or name.kind not in ("word", "name") or name.word in NO_CALL:
        return False
    is_qualified = schema.word == "pg_catalog" and dot.text == b"."
    return not (is_qualified and CALLED.fullmatch(name.word))
