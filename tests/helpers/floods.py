"""Dumps of any size that are made to cost a reader more than their bytes; run, it reads them all.

In a process of its own with a limit of its CPU time, since a regular expression that never ends
cannot be interrupted.
"""

from __future__ import annotations

import io
import re
import resource
import sys
import time
from collections.abc import Iterator

from restore_drill.backups.plaindump import statements
from restore_drill.backups.plaindump.contents import Reader
from restore_drill.backups.plaindump.entries import entry_of
from restore_drill.backups.plaindump.events import Comment, Event, Statement
from restore_drill.backups.plaindump.lexer import PlainReader

SMALL, LARGE = 50_000, 200_000
"""Bytes of the two sizes that are compared."""

ROW = b"INSERT INTO t VALUES (" + b"'a\\b', " * 40 + b"1);\n"
COPY = b"COPY t FROM stdin;\n"
FUNCTION = b"CREATE FUNCTION f() "
KEY = b"ALTER TABLE a ADD CONSTRAINT b "

FLOODS: dict[str, tuple[bytes, bytes, bytes]] = {
    "a row of many texts, odd at its end": (b"INSERT INTO t VALUES (", b"'a', ", b"E'\\'');"),
    "a row of many texts without an end": (b"INSERT INTO t VALUES (", b"'a'", b""),
    "rows with backslashes": (b"", ROW, b""),
    "beginnings of rows": (b"", b"INSERT INTO t VALUES (", b""),
    "rows of two tables in turns": (
        b"",
        b"INSERT INTO a VALUES (1);\nINSERT INTO b VALUES (1);\n",
        b"",
    ),
    "rows that call something": (b"", b"INSERT INTO t VALUES (f(1));\n", b""),
    "rows of one statement, odd at its end": (b"INSERT INTO t VALUES\n\t", b"(1),\n\t", b"(f(1));"),
    "rows with comments": (b"", b"INSERT INTO t VALUES (1 -- 'a\n, 2);\n", b""),
    "parts of a table's name": (b"INSERT INTO ", b"a.", b" (;"),
    "quoted parts of a table's name": (b"CREATE TABLE ", b'"a""b".', b";"),
    "columns in quotes": (b"COPY t (", b'"a"', b" FROM stdin;\n\\.\n"),
    "parentheses": (b"SELECT ", b"(", b""),
    "quotes": (b"SELECT 'a", b"'", b""),
    "quotes of names": (b"CREATE TABLE ", b'"', b";"),
    "backslashes in a text": (b"SELECT E'", b"\\\\", b""),
    "nested comments": (b"SELECT ", b"/*", b""),
    "comments": (b"SELECT ", b"/* */", b""),
    "headings within a heading": (b"-- Name: ", b"; Type: ; Schema: ", b""),
    "owners within a heading": (b"-- Name: ", b"; Type: x; Schema: y; Owner: ", b""),
    "blocks of a routine": (FUNCTION + b" " * (SMALL // 2), b"begin\n", b""),
    "words behind blanks": (b"CREATE" + b" " * (SMALL // 2), b"end ", b""),
    "tags of dollar quotes": (b"SELECT ", b"$a", b""),
    "tags within a word": (b"SELECT ", b"x$a$b", b""),
    "one tag": (b"SELECT x$", b"a", b"$"),
    "meta-commands": (b"", b"\\x\n", b""),
    "grants within a statement": (b"", b"GRANT " + b"a TO b FROM " * 1000 + b";\n", b""),
    "policies within a statement": (b"", b"CREATE POLICY " * 1000 + b";\n", b""),
    "roles of a policy": (b"", b"CREATE POLICY a TO " + b"a" * 20_000 + b"-;\n", b""),
    "words of a COPY": (b"COPY ", b" from" + b" " * 100, b";"),
    "blanks": (b"", b" ", b""),
    "a setting without an end": (b"SET standard_conforming_strings = ", b"a", b"!;"),
    "columns of a key": (KEY + b"PRIMARY KEY (", b'"a"', b";"),
    "clauses of a key": (KEY + b"FOREIGN KEY (a) REFERENCES b (c)", b" ON DELETE SET NULL", b" x;"),
    "a sequence's name": (b"SELECT pg_catalog.setval('", b"''", b";"),
    "a row without an end": (COPY, b"1\t", b""),
    "rows that end in a backslash": (COPY, b"\\\n", b""),
    "empty tables": (b"", COPY + b"\\.\n", b""),
}
"""How each begins, what is repeated in it, and how it ends."""

PATTERNS = [each for each in vars(statements).values() if isinstance(each, re.Pattern)]
"""What the statements of a dump are held against when it is restored."""


def flood(name: str, size: int) -> bytes:
    """Dump of the family `name`, of `size` bytes or one repetition more."""
    opening, piece, closing = FLOODS[name]
    return opening + piece * (1 + max(0, size - len(opening)) // len(piece)) + closing


def look_at(events: Iterator[Event]) -> Iterator[Event]:
    """Hold each of `events` against what the restore looks for."""
    for event in events:
        yield event
        if isinstance(event, Statement):
            for pattern in PATTERNS:
                pattern.fullmatch(event.sql)
        elif isinstance(event, Comment):
            entry_of(event.text)


def cpu_seconds(name: str, size: int) -> float:
    """CPU time that it takes to read the flood `name` of `size` bytes, singly and in runs."""
    dump = flood(name, size)
    began = time.process_time()
    for in_runs in (False, True):
        reader = Reader()
        reader.read(look_at(PlainReader(io.BytesIO(dump), in_runs=in_runs).events()))
        reader.check_end()
    return time.process_time() - began


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    for each in FLOODS:
        sys.stdout.write(f"{each}: ")
        sys.stdout.flush()
        sys.stdout.write(f"{cpu_seconds(each, SMALL):.4f} {cpu_seconds(each, LARGE):.4f}\n")
        sys.stdout.flush()
