"""Keys of Redis in a temporary table of the database, which ends with its transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, LiteralString

import psycopg
from psycopg import sql

from restore_drill.core.units import show_bytes
from restore_drill.redis.coherence.columns import Columns, Connection
from restore_drill.redis.coherence.found import MISNAMED, Found
from restore_drill.redis.coherence.reading import Limits, Reader, TooMuch, batches
from restore_drill.redis.coherence.template import Template, glob_of, others_of
from restore_drill.redis.coherence.values import Values

if TYPE_CHECKING:
    import redis

MOST_SHOWN = 5
"""So many keys of a kind are shown, where that is asked for."""
WORK_MEMORY = "64MB"
"""Memory of the server for one comparison; what does not fit goes to its disk."""
MOST_KNOWN = 1_000_000
"""So many keys whose name is none of the rule's are remembered, to count each once."""
SHOWN_EVERY = 50_000
"""After so many keys it is said how many there are so far."""
LONGEST = 2**31 - 1
"""Milliseconds that PostgreSQL can wait for a statement: 24 days."""

BEGIN = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE"
MAKE: LiteralString = "CREATE TEMPORARY TABLE drill_keys ({}) ON COMMIT DROP"
READ_ONLY = b"SET TRANSACTION READ ONLY"
"""From here on the server lets nothing be written but temporary tables."""
COPY: LiteralString = "COPY pg_temp.drill_keys ({}) FROM STDIN (ENCODING {})"
ANALYZE = b"ANALYZE pg_temp.drill_keys"


@contextmanager
def temporary_table(connection: Connection, columns: Columns) -> Iterator[None]:
    """A transaction with an empty table of keys, which can write nothing else; it is undone."""
    connection.execute(BEGIN)
    try:
        connection.execute(sql.SQL(MAKE).format(columns.declared))
        connection.execute(READ_ONLY)
        set_local(connection, "work_mem", WORK_MEMORY)
        yield
    except BaseException:
        with suppress(psycopg.Error):  # what was interrupted may still run
            connection.execute(b"ROLLBACK")
        raise
    connection.execute(b"ROLLBACK")


def set_local(connection: Connection, name: str, value: str) -> None:
    """Set a setting of the transaction."""
    connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", [name, value])


def limit_queries(connection: Connection, seconds: float) -> None:
    """Have the server end each statement of the transaction after so long; 0 ends none."""
    set_local(connection, "statement_timeout", str(min(round(seconds * 1000), LONGEST)))


def load_keys(
    found: Found,
    clients: Sequence[redis.Redis],
    connection: Connection,
    columns: Columns,
    limits: Limits,
    progress: Callable[[str], None],
) -> None:
    """Copy the keys of the rule of `found` from Redis; it counts those that are none of it.

    Raises TooMuch, and redis.RedisError. The limit of a statement is set afterwards: the copying
    takes as long as Redis does.
    """
    rule, lines = found.rule, Lines(found, columns)
    limit_queries(connection, 0)
    statement = sql.SQL(COPY).format(columns.copied, sql.Literal(columns.encoding.name))
    size, number = 0, 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for reader, keys in batches(clients, rule.database, glob_of(rule), limits):
            rows = lines.of(keys, reader)
            size += len(rows)
            if size > limits.size:
                raise TooMuch(f"the keys take more than {show_bytes(limits.size)}")
            copy.write(rows)
            number += len(keys)
            if number // SHOWN_EVERY > (number - len(keys)) // SHOWN_EVERY:
                progress(f"{number:,} keys like {rule.keys}")
    limit_queries(connection, limits.query)
    connection.execute(ANALYZE)


class Lines:
    """Lines of COPY for keys of the rule of `found`, which counts those that are none of it."""

    def __init__(self, found: Found, columns: Columns) -> None:
        """For these columns of its table."""
        self.found = found
        self.others = others_of(found.rule)
        self.strangers: set[bytes] = set()
        self.template = Template(found.rule, columns.kinds, columns.encoding)
        self.field = b"" if found.rule.path else found.rule.field.encode()
        self.values: Values | None = None
        if columns.value_kind is not None:
            self.values = Values(columns.value_kind, found.rule.path, columns.encoding)

    def of(self, keys: list[bytes], reader: Reader) -> bytes:
        """Those of a batch of keys; `reader` asks for their values."""
        if self.others is not None:
            keys = [key for key in keys if not self.others.fullmatch(key)]
        cells = self.template.cells(keys)
        if None in cells:
            self.set_apart([key for key, cell in zip(keys, cells, strict=True) if cell is None])
            keys = [key for key, cell in zip(keys, cells, strict=True) if cell is not None]
        named = [cell for cell in cells if cell is not None]
        if self.values is None:
            return b"".join([b"%b\n" % cell for cell in named])
        read, gone = reader.values(keys, self.field)
        rows = zip(keys, named, self.values.cells(read), strict=True)
        return b"".join(
            [b"%b\t%b\n" % (cell, value) for key, cell, value in rows if key not in gone]
        )

    def set_apart(self, strangers: list[bytes]) -> None:
        """Count keys whose name is none of the rule's, and keep the first of them.

        SCAN may name one twice.
        """
        new = [key for key in dict.fromkeys(strangers) if key not in self.strangers]
        self.strangers.update(new[: MOST_KNOWN - len(self.strangers)])
        self.found.misnamed += len(new)
        shown = self.found.examples.setdefault(MISNAMED, [])
        shown += new[: MOST_SHOWN - len(shown)]
