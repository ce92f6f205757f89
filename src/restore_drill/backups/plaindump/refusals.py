"""Statements that reach beyond the database and that no pg_dump writes: a dump with one is refused.

Only what stands at the top level of a dump is judged here. The bodies of functions and DO blocks
cannot be: whatever they call is held by the walls around the throwaway server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from restore_drill.backups.plaindump.sql_tokens import END, Token, copy_ends, outermost, tokens_of
from restore_drill.backups.plaindump.statements import COPY_IN

REACHING = (
    rb"pg_read_(?:binary_)?file|pg_stat_file|pg_ls_\w+|pg_logdir_ls|pg_file_\w+|lo_(?:im|ex)port"
    rb"|dblink(?:_\w+)?|pg_(?:reload_conf|rotate_logfile|promote)"
    rb"|pg_create_(?:physical|logical)_replication_slot|pg_copy_\w+_replication_slot"
    rb"|pg_(?:start|stop)_backup|pg_backup_(?:start|stop)|http_(?:get|post|put|delete|head)"
)
CALL = re.compile(rb"\b(" + REACHING + rb')"?\s*(?:\(|/\*|--)', re.IGNORECASE)
"""A call, wherever it stands: in a string it may be SQL that another function carries out."""
ESCAPED_NAME = re.compile(rb'\bU&"', re.IGNORECASE)
LIBRARIES = re.compile(
    rb"\b(?:session|local|shared)_preload_libraries\b|\bdynamic_library_path\b", re.IGNORECASE
)
PIECE = re.compile(rb"SELECT pg_catalog\.lowrite\(\d+, '[\\x0-9a-f]*+'\);")
"""A piece of a large object, of which there may be gigabytes."""
OTHER_LANGUAGE = re.compile(rb"\blanguage\b(?!\s++(?:sql|plpgsql)\b)", re.IGNORECASE)

ORDINARY = re.compile(rb"ALTER (?:TABLE|SEQUENCE) |CREATE (?:SEQUENCE|(?:UNIQUE )?INDEX) ")
"""Begins most statements of a dump with many tables: nothing of the kind is ever refused."""

HIDDEN = "a query with a name in Unicode escapes, which hides what it calls"
RUNS = "runs programs on the server"
FILES = "reads or writes files on the server"
LOADS = "makes the server load a library by its path"
CONNECTS = "makes the server connect to another one"
REACHES = "reaches beyond the database"


def refusal(sql: bytes) -> str:
    """What a statement is and does that no dump may do; empty for all that may be restored.

    An INSERT is to be judged where it is one of a query, not of rows.
    """
    if ORDINARY.match(sql):
        return ""
    words = tokens_of(sql)
    first = next(words, END)
    judge = JUDGES.get(first.word)
    return judge(sql, words) if judge else ""


def judge_copy(sql: bytes, words: Iterator[Token]) -> str:
    """COPY: from stdin or to stdout, in the shape whose rows the reader follows."""
    direction, end = copy_ends(words)
    if end.word == "program":
        return f"COPY {direction.upper()} PROGRAM, which {RUNS}"
    if (direction, end.word) not in (("from", "stdin"), ("to", "stdout")):
        return f"COPY {direction.upper() or 'of a query'} other than stdin or stdout, which {FILES}"
    if (direction == "from") != bool(COPY_IN.match(sql)):
        return "COPY in a form whose rows cannot be told from statements"
    return judge_query(sql, words)


def judge_query(sql: bytes, words: Iterator[Token]) -> str:
    """A query, or what carries one out: functions that reach beyond the database are refused."""
    if PIECE.fullmatch(sql):
        return ""
    call = CALL.search(sql)
    if call:
        return f"a call of {call.group(1).decode().lower()}, which {REACHES}"
    if hides_a_name(sql):
        return HIDDEN
    return judge_setting(sql, words)


def hides_a_name(sql: bytes) -> bool:
    """Whether a name stands in Unicode escapes, which pg_dump never writes."""
    if not ESCAPED_NAME.search(sql):
        return False
    escaped = (token.text for token in tokens_of(sql) if token.kind == "escaped")
    return any(text[:3].lower() == b'u&"' for text in escaped)


def judge_block(sql: bytes, words: Iterator[Token]) -> str:
    """DO: its body is a text, in which names may be hidden too."""
    return HIDDEN if ESCAPED_NAME.search(sql) else judge_query(sql, words)


def judge_setting(sql: bytes, _words: Iterator[Token]) -> str:
    """A setting of libraries: by name alone, as the server's own are."""
    setting = LIBRARIES.search(sql)
    if setting and is_path(sql[setting.end() :]):
        return f"{setting.group().decode().lower()} with a path, which {LOADS}"
    return ""


def is_path(library: bytes) -> bool:
    """Whether `library`, or one of several, is not named as one of the server's own."""
    own = library.replace(b"$libdir/plugins/", b"").replace(b"$libdir/", b"")
    return b"/" in own or b".." in own or b"\\" in own


def judge_load(_sql: bytes, words: Iterator[Token]) -> str:
    """LOAD: a library of the server's own by its name."""
    library = next(words, END)
    is_own = library.kind in ("text", "dollar") and not is_path(library.inside)
    return "" if is_own else f"LOAD, which {LOADS}"


def judge_alter(sql: bytes, words: Iterator[Token]) -> str:
    """ALTER: not of the whole server's settings, and no subscription that connects."""
    kind = next(words, END).word
    if kind == "system":
        return "ALTER SYSTEM, which changes the settings of the whole server"
    if kind == "subscription":
        _name, action, more = (next(words, END) for _ in range(3))
        is_set = action.word == "set" and more.text == b"("
        if action.word not in ("owner", "rename", "disable", "skip") and not is_set:
            return f"ALTER SUBSCRIPTION, which {CONNECTS}"
    if kind in ("role", "user", "database"):
        return judge_setting(sql, words)
    return ""


def judge_create(sql: bytes, words: Iterator[Token]) -> str:
    """CREATE: no subscription that connects, no foreign library, no such query."""
    kind = next(words, END).word
    while kind in ("or", "replace", "temp", "temporary", "unlogged", "global", "local"):
        kind = next(words, END).word
    if kind == "subscription":
        return judge_subscription(words)
    if kind in ("function", "procedure") and OTHER_LANGUAGE.search(sql):
        return judge_function(words)
    if kind == "table" and CALL.search(sql):
        is_query = any(token.word == "as" for token in outermost(words))
        return judge_query(sql, words) if is_query else ""
    return ""


def judge_subscription(words: Iterator[Token]) -> str:
    """CREATE SUBSCRIPTION: pg_dump writes it with `connect = false`."""
    for token in words:
        is_named = token.word == "connect" or token.text == b'"connect"'
        if is_named and next(words, END).text == b"=":
            value = next(words, END)
            if value.word == "false" or value.inside.lower() == b"false":
                return ""
    return f"CREATE SUBSCRIPTION without `connect = false`, which {CONNECTS}"


def judge_function(words: Iterator[Token]) -> str:
    """CREATE FUNCTION: one in C lies in a library of the server's own."""
    language = library = END
    for token in outermost(words):
        if token.word == "language":
            language = next(words, END)
        elif token.word == "as" and library is END:
            library = next(words, END)
    is_own = library.kind in ("text", "dollar", "end") and not is_path(library.inside)
    is_c = language.kind == "escaped" or language.inside.strip(b'"').lower() == b"c"
    if is_c and not is_own:
        return f"a function in C outside of $libdir, which {LOADS}"
    return ""


def judge_import(_sql: bytes, _words: Iterator[Token]) -> str:
    """IMPORT FOREIGN SCHEMA asks another server for its tables."""
    return f"IMPORT FOREIGN SCHEMA, which {CONNECTS}"


Judge = Callable[[bytes, Iterator[Token]], str]
QUERIES = ("select", "with", "values", "table", "explain", "prepare", "execute", "declare", "call",
           "do", "insert", "update", "delete", "merge", "")  # fmt: skip
"""First words of what carries out a query; it may stand in parentheses, behind no word."""
JUDGES: dict[str, Judge] = dict.fromkeys(QUERIES, judge_query) | {
    "copy": judge_copy,
    "do": judge_block,
    "set": judge_setting,
    "load": judge_load,
    "alter": judge_alter,
    "create": judge_create,
    "import": judge_import,
}
