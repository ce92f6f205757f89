"""Primary keys of the rows that findings are about: row data, for the terminal alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from restore_drill.core.names import split_name
from restore_drill.core.printable import printable
from restore_drill.facts.answers import HEAP_ONLY, answer, time_limit
from restore_drill.facts.model import Facts
from restore_drill.facts.session import Connection, open_session
from restore_drill.servers.model import Target

MOST = 10
"""So many keys of one finding are shown."""

LONGEST = 60
"""Characters of one value that are shown."""

PRIMARY_KEY = """
    SELECT array_agg(a.attname::text ORDER BY k.place)
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k (num, place)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.num
    WHERE i.indisprimary AND n.nspname = %s AND c.relname = %s AND k.place <= i.indnkeyatts"""


class Found(NamedTuple):
    """A finding: the table whose rows it is about, what it is, and the query for them."""

    table: str
    what: str
    query: str


def found_in(facts: Facts) -> list[Found]:
    """All findings of `facts` that have a query for their rows."""
    keys = [(key.table, f"{key.kind} {key.name}", key) for key in broken_keys(facts)]
    every = (*facts.lost_rules, *facts.constraints)
    rules = [(each.table, f"{each.kind} {each.name}".rstrip(), each) for each in every]
    behind = [each for each in facts.sequences if not each.is_ahead]
    counters = [(each.table, f"sequence {each.name}", each) for each in behind]
    found = [*keys, *rules, *counters]
    return [Found(table, what, each.query) for table, what, each in found if each.query]


def broken_keys(facts: Facts) -> Iterator[Any]:
    """Foreign keys that rows break, restored or not."""
    yield from facts.lost_keys
    yield from (key for key in facts.foreign_keys if key.is_broken)


def key_lines(target: Target, facts: Facts) -> list[str]:
    """A line for each finding of `facts`: `public.cards: check x: id 3, 5, 8`.

    The rows are read in `target`, in a session that cannot write.
    """
    found = found_in(facts)
    if not found:
        return []
    with open_session(target) as connection:
        return [f"{each.table}: {each.what}: {keys_of(connection, each)}" for each in found]


def keys_of(connection: Connection, found: Found) -> str:
    """Primary keys of the rows of one finding, or why they cannot be shown."""
    row = connection.execute(PRIMARY_KEY, split_name(found.table)).fetchone()
    columns: list[str] = (row and row[0]) or []
    if not columns:
        return "no keys to show: the restored table has no primary key"
    quoted = ['"' + name.replace('"', '""') + '"' for name in columns]
    values = ", ".join(f"found.{each}::text" for each in quoted)
    query = (  # the finding's own query, made of names and expressions of the catalog
        f"SELECT array_agg(ARRAY[{values}]) FROM (SELECT {', '.join(quoted)}"
        f" FROM ({found.query}) found ORDER BY {', '.join(quoted)} LIMIT {MOST + 1}) found"
    )
    before = (*HEAP_ONLY, time_limit())
    outcome = answer(connection, query, before)
    if outcome.row is None:  # a function in a check may need the usual search_path
        outcome = answer(connection, query, (*before, "SET LOCAL search_path TO DEFAULT"))
    if outcome.row is None:
        return f"the keys cannot be read: {outcome.error}"
    keys: list[Sequence[Any]] = outcome.row[0] or []
    shown = [shown_key(each) for each in keys[:MOST]]
    more = ["and more"] if keys[MOST:] else []
    return f"{shown_key(columns)} {', '.join([*shown, *more])}"


def shown_key(values: Sequence[Any]) -> str:
    """`3`, and `(3, eu)` of several columns."""
    texts = [shown_value(each) for each in values]
    return texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def shown_value(value: Any) -> str:
    """One value on one line, cut where it is long; a server without an encoding gives bytes."""
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    text = "null" if value is None else printable(text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
