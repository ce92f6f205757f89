"""Statements that no pg_dump writes and that may run any code: not for a server without walls.

They may be a person's, so that a throwaway server takes them. Refusing them shuts nobody in: code
of a dump also runs where an index or a materialised view is made, which every dump does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from restore_drill.backups.plaindump.filling import RUNS, judge_filling
from restore_drill.backups.plaindump.own_queries import is_of_dump
from restore_drill.backups.plaindump.reach import reach
from restore_drill.backups.plaindump.refusals import hides_a_name
from restore_drill.backups.plaindump.sql_tokens import END, Token, outermost, tokens_of

SYSTEM_MODS = re.compile(rb"allow_system_table_mods", re.IGNORECASE)
ADDED = ("check", "constraint", "exclude", "foreign", "generated", "primary", "unique")
"""What an ALTER TABLE adds in a dump, to a table or to a column."""
DEFINING = frozenset({
    "alter", "analyze", "begin", "comment", "commit", "create", "discard", "drop", "end", "grant",
    "refresh", "release", "reset", "revoke", "rollback", "savepoint", "security", "set", "start",
    "truncate", "vacuum",
})  # fmt: skip
"""First words of statements that define, grant, frame or count."""


def unusual(sql: bytes) -> str:
    """What a statement is that no pg_dump writes and that may run code; empty for all others.

    What pg_dump writes about roles and other databases is not to come here: it is left out before.
    """
    words = tokens_of(sql)
    first = next(words, END)
    if first.word in ("insert", "copy"):
        return judge_filling(sql)
    if first.word == "select":
        return "" if is_of_dump(sql, words) else f"SELECT of other functions than its own, {RUNS}"
    if first.word not in DEFINING:
        return f"{first.word.upper() or 'a statement'}, {RUNS}" if first is not END else ""
    if SYSTEM_MODS.search(sql):
        return "allow_system_table_mods, which pg_dump never writes and which opens system catalogs"
    return judge_reach(sql) or judge_definition(first.word, words)


def judge_reach(sql: bytes) -> str:
    """A definition of more than the one database, or one that hides of what it is."""
    if hides_a_name(sql):
        return "a name in Unicode escapes, which pg_dump never writes and which hides what it is"
    what = reach(sql)
    return f"a statement about {what}, in a form that pg_dump never writes" if what else ""


def judge_definition(first: str, words: Iterator[Token]) -> str:
    """Of definitions those that run a query, or reach beyond what the dump has made."""
    second = next(words, END).word
    while first == "create" and second in ("temp", "temporary", "unlogged", "global", "local"):
        second = next(words, END).word
    if (first, second) == ("create", "table"):
        is_made_of_query = any(token.word in ("as", "execute") for token in outermost(words))
        return f"CREATE TABLE AS, {RUNS}" if is_made_of_query else ""
    if (first, second) == ("alter", "table"):
        return f"ALTER TABLE that rewrites its rows, {RUNS}" if rewrites(words) else ""
    if (first, second) == ("create", "schema") and any(t.word == "create" for t in words):
        return f"CREATE SCHEMA with more in it, {RUNS}"
    if (first, second) == ("drop", "owned"):
        return "DROP OWNED, which pg_dump never writes and which reaches beyond the database"
    if (first, second) in (("commit", "prepared"), ("rollback", "prepared")):
        return f"{first.upper()} PREPARED, which pg_dump never writes"
    return ""


def rewrites(words: Iterator[Token]) -> bool:
    """Whether an ALTER TABLE, without these two words, adds a column or changes one's type."""
    token = next(words, END)
    while token.word in ("if", "exists", "only"):
        token = next(words, END)
    action = [token for token in outermost(words) if token.text != b"*"]
    while action and action[0].text == b".":
        del action[:2]
    return any(adds_or_changes(each) for each in divided(action))


def divided(tokens: list[Token]) -> Iterator[list[Token]]:
    """Actions of one statement, without the commas between them."""
    action: list[Token] = []
    for token in tokens:
        if token.text == b",":
            yield action
            action = []
        else:
            action.append(token)
    yield action


def adds_or_changes(action: list[Token]) -> bool:
    """Whether one action of an ALTER TABLE evaluates an expression for each row."""
    first, *more = [token.word for token in action] or [""]
    if first == "add":
        return not more or more[0] not in ADDED
    if first != "alter":
        return False
    _column, *change = more[1:] if more[:1] == ["column"] and len(more) > 2 else more
    return change[:1] == ["type"] or change[:2] == ["set", "data"]
