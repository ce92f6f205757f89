"""What a statement sets for the session, in the forms that the server takes.

Not what the code sets that a statement runs, nor what holds within a transaction alone: the restore
sees from the server that it has changed, in `restore/same_reading.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from restore_drill.backups.plaindump.names import parts
from restore_drill.backups.plaindump.sql_tokens import END, Token, tokens_of

MAY_SET = b"SsRrDd/"
"""What a statement begins with that sets anything, or a comment before it."""
VERBS = (b"set", b"res", b"dis", b"sel", b"/")
NO_SETTING = (b"SELECT pg_catalog.setval(", b"SELECT pg_catalog.lo")
"""What most queries of a dump begin with; they may be long."""
ALL = "all"
SYNONYMS = {"names": "client_encoding", "schema": "search_path"}
BOOLEANS = {"true": True, "yes": True, "on": True, "1": True,
            "false": False, "no": False, "off": False, "0": False}  # fmt: skip


class Setting(NamedTuple):
    """A setting by its name in small letters, ALL for all there are, and its new values.

    Without any it is as it was when the session began.
    """

    name: str
    values: tuple[bytes, ...] = ()


def settings_in(sql: bytes) -> Iterator[Setting]:
    """What the statement `sql` sets."""
    if not sql[:3].lower().startswith(VERBS) or sql.startswith(NO_SETTING):
        return
    words = [token for token in tokens_of(sql) if token.text != b";"]
    first = words.pop(0) if words else END
    if first.word == "set":
        yield from set_by(words)
    elif first.word == "reset" and len(words) == 1:
        yield Setting(inside(words[0]).decode("ascii", "replace").lower())
    elif first.word == "discard" and [each.word for each in words] == ["all"]:
        yield Setting(ALL)
    elif first.word == "select":
        yield from set_by_call(words)


def set_by(words: list[Token]) -> Iterator[Setting]:
    """What a SET sets, behind its first word."""
    if words[:1] and words[0].word == "session":
        words = words[1:]
    name, sign, *values = (*words, END, END)[: max(len(words), 2)]
    if name.word in SYNONYMS:
        setting, values = SYNONYMS[name.word], words[1:]
    elif sign.text == b"=" or sign.word == "to":
        setting = inside(name).decode("ascii", "replace").lower()
    else:
        return
    if [each.word for each in values] == ["default"]:
        yield Setting(setting)
    elif not any(each.kind == "escaped" for each in values):
        yield Setting(setting, tuple(inside(each) for each in values if each.text != b","))


def set_by_call(words: list[Token]) -> Iterator[Setting]:
    """What a query sets that is one call of set_config with plain texts, and nothing else."""
    if [each.text.lower() for each in words[:2]] == [b"pg_catalog", b"."]:
        words = words[2:]
    name, value = (*words, *[END] * 5)[2:5:2]
    call = b"".join(each.text for each in words if each not in (name, value)).lower()
    if call == b"set_config(,,false)" and name.kind == value.kind == "text":
        setting = name.inside.decode("ascii", "replace").lower()
        is_list = setting == "search_path"
        yield Setting(setting, parts(value.inside) if is_list else (value.inside,))


def inside(token: Token) -> bytes:
    """A name or a value without its quotes, small where it has none."""
    if token.kind == "name":
        return token.text[1:-1].replace(b'""', b'"')
    return token.text.lower() if token.kind == "word" else token.inside


def boolean(text: bytes) -> bool | None:
    """The boolean that a setting takes `text` for: a word, or the beginning of one alone."""
    word = text.decode("ascii", "replace").lower()
    meant = {BOOLEANS[each] for each in BOOLEANS if word and each.startswith(word)}
    return meant.pop() if len(meant) == 1 else None
