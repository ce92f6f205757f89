"""Keys of Redis in a temporary table of the database, which ends with its transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, LiteralString

from psycopg import sql

from restore_drill.core.units import show_bytes
from restore_drill.redis.coherence.columns import Columns, Connection
from restore_drill.redis.coherence.found import MISNAMED, Found
from restore_drill.redis.coherence.reading import Limits, Reader, TooMuch, batches
from restore_drill.redis.coherence.template import Template, glob_of
from restore_drill.redis.coherence.values import Values

if TYPE_CHECKING:
    import redis

MOST_SHOWN = 5
"""So many keys of a kind are shown, where that is asked for."""
WORK_MEMORY = "64MB"
"""Memory of the server for one comparison; what does not fit goes to its disk."""
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
    finally:
        if not connection.closed:
            connection.execute(b"ROLLBACK")


def set_local(connection: Connection, name: str, value: str) -> None:
    """Set a setting of the transaction."""
    connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", [name, value])


def limit_queries(connection: Connection, seconds: float) -> None:
    """Have the server end each statement of the transaction after so long; 0 ends none."""
    set_local(connection, "statement_timeout", str(min(round(seconds * 1000), LONGEST)))


def load_keys(
    found: Found, client: redis.Redis, connection: Connection, columns: Columns, limits: Limits
) -> None:
    """Copy the keys of the rule of `found` from Redis; it counts those that are none of it.

    Raises TooMuch, and redis.RedisError. The limit of a statement is set afterwards: the copying
    takes as long as Redis does.
    """
    rule = found.rule
    template = Template(rule, columns.kinds, columns.encoding)
    values = None
    if columns.value_kind is not None:
        values = Values(columns.value_kind, rule.path, columns.encoding)
    field = b"" if rule.path else rule.field.encode()
    limit_queries(connection, 0)
    statement = sql.SQL(COPY).format(columns.copied, sql.Literal(columns.encoding.name))
    size = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for reader, keys in batches(client, rule.database, glob_of(rule), limits):
            rows = rows_of(keys, reader, template, values, field, found)
            size += len(rows)
            if size > limits.size:
                raise TooMuch(f"the keys take more than {show_bytes(limits.size)}")
            copy.write(rows)
    limit_queries(connection, limits.query)
    connection.execute(ANALYZE)


def rows_of(
    keys: list[bytes],
    reader: Reader,
    template: Template,
    values: Values | None,
    field: bytes,
    found: Found,
) -> bytes:
    """Lines of COPY for a batch of keys."""
    cells = template.cells(keys)
    if None in cells:
        strangers = [key for key, cell in zip(keys, cells, strict=True) if cell is None]
        found.misnamed += len(strangers)
        shown = found.examples.setdefault(MISNAMED, [])
        shown += strangers[: MOST_SHOWN - len(shown)]
        keys = [key for key, cell in zip(keys, cells, strict=True) if cell is not None]
    named = [cell for cell in cells if cell is not None]
    if values is None:
        return b"".join(b"%b\n" % cell for cell in named)
    cell_of = dict(zip(keys, named, strict=True))
    read = reader.values(keys, field)
    return b"".join(b"%b\t%b\n" % (cell_of[key], values.cells(value)) for key, value in read)
