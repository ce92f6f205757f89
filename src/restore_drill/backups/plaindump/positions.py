"""INSERTs without column names, where the columns may stand in another order than in the source.

pg_dump writes them so with --inserts. Through the root of a partition (--load-via-partition-root)
the values stand in the order of the partition's columns, and go into those of the root: an error,
or, where the types allow it, values in each other's columns without one. Seen with 15 and 18. A
table that inherits has its columns in a new order too where one was added to its parent later: the
dump does not say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from restore_drill.backups.plaindump.names import full_name
from restore_drill.backups.plaindump.sql_tokens import Token, tokens_of
from restore_drill.backups.plaindump.statements import CREATE_TABLE

INHERITS = re.compile(rb"\)\s*+INHERITS\s*+\(")
NO_COLUMN = frozenset({"constraint", "like", "primary", "unique", "check", "exclude", "foreign"})
"""Words that begin what stands among the columns of a table and is none."""


class Positions:
    """Knows the tables of one dump, by name in UTF-8; `faults` says which rows come back wrong.

    `unsure` are tables of which nobody can say, in the order of the dump.
    """

    def __init__(self) -> None:
        """Know none."""
        self.created: dict[str, bytes] = {}
        self.inheriting: set[str] = set()
        self.faults: dict[str, str] = {}
        self.unsure: dict[str, None] = {}

    def note(self, sql: bytes, default: str) -> None:
        """Take in a definition; a table is in the schema `default` unless it names one."""
        created = CREATE_TABLE.match(sql)
        if created and not created["parent"]:  # one has the columns of its parent
            name = full_name(created["table"], default)
            self.created[name] = sql
            if INHERITS.search(sql) and columns_of(sql):
                self.inheriting.add(name)

    def rows(self, line: int, of: str, table: str, *, through_root: bool) -> None:
        """Rows that belong to the table `of` are inserted into `table` without column names."""
        if through_root and of != table:
            self.of_partition(line, of, table)
        elif table in self.inheriting:
            self.unsure[table] = None

    def of_partition(self, line: int, partition: str, root: str) -> None:
        """Rows of a `partition` go through its `root`."""
        if partition in self.faults:
            return
        there, here = (columns_of(self.created.get(each, b"")) for each in (root, partition))
        self.faults[partition] = ""
        if there and here and there != here:
            self.faults[partition] = (
                f"line {line:,}: the rows of {partition} are inserted into {root} without column "
                "names, though its columns stand in another order: values come back in the wrong "
                "columns, or not at all; dump with --column-inserts, or without "
                "--load-via-partition-root"
            )


def columns_of(sql: bytes) -> list[bytes]:
    """Names of the columns in a CREATE TABLE, in their order; none where it has no list of them."""
    return [first.text for first in firsts(tokens_of(sql)) if first.word not in NO_COLUMN]


def firsts(tokens: Iterator[Token]) -> Iterator[Token]:
    """The first token of each member of the first list in parentheses."""
    depth, is_first = 0, False
    for token in tokens:
        if is_first and token.text != b")":
            yield token
        depth += (token.text == b"(") - (token.text == b")")
        if depth == 0 and token.text == b")":
            return
        is_first = depth == 1 and token.text in (b"(", b",")
