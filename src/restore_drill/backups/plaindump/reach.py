"""How far a definition reaches: beyond the one database of a dump lie roles and other databases."""

from __future__ import annotations

from itertools import islice

from restore_drill.backups.plaindump.sql_tokens import END, Token, outermost, tokens_of

OF_SERVER = {
    "database": "other databases", "group": "roles", "parameter": "settings of the server",
    "role": "roles", "system": "settings of the server", "tablespace": "tablespaces",
    "user": "roles",
}  # fmt: skip
"""Kinds of objects that are the whole server's."""
MADE = ("create", "alter", "drop")
GIVEN = ("grant", "revoke")


def reach(sql: bytes) -> str:
    """What of the whole server a definition is about; empty where it is of one database alone.

    A statement about one database by its name counts as of that one.
    """
    words = outermost(tokens_of(sql))
    first = next(words, END).word
    if first in MADE:
        kind = next(words, END).word
    else:
        is_on = any(token.word == "on" for token in words)
        if not is_on:
            return "roles" if first in GIVEN else ""
        kind = next(words, END).word
    following = list(islice(words, 2))
    if kind == "user" and following and following[0].word == "mapping":
        return ""
    if kind == "database" and not is_list(following):
        return ""
    return OF_SERVER.get(kind, "")


def is_list(tokens: list[Token]) -> bool:
    """Whether there is more behind the first name."""
    return len(tokens) > 1 and tokens[1].text == b","
