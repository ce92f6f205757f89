"""The whole numbers of a column as a bitmap, in plain SQL: one query looks up millions in it.

A number takes a bit, where a hash table takes fifty bytes and misses the cache at each look. It is
exact: each word of 64 bits is the bitwise or of what the rows themselves hold. It pays where the
numbers lie close together, as those of a sequence do.
"""

from __future__ import annotations

from restore_drill.facts.asking import Asking, Question

FEWEST = 1000
"""Pages of a table below which a bitmap does not pay."""
DENSITY = 1024
"""Numbers that may be spanned for each page of the table: 128 bytes of bitmap."""
MOST = 1 << 29
"""Numbers that may be spanned at all: 64 MB of bitmap."""


def width_for(column: str, rows: str, pages: int) -> Asking[int]:
    """How many numbers a bitmap of `column` in `rows` may span; 0 where it would not pay.

    `rows` is the end of a query on a table of `pages`. An index gives the first and last number,
    so that this is a guess: only the bitmap's own query can say that it may be made.
    """
    width = min(DENSITY * pages, MOST)
    if pages < FEWEST:
        return 0
    span = yield Question(f"SELECT max({column})::numeric - min({column}) {rows}")
    return width if span.row and span.row[0] is not None and span.row[0] < width else 0


def held(column: str, rows: str, width: int) -> str:
    """WITH clause that makes `held`, the bitmap of `column` in `rows`, which have no null in it.

    It is empty where there is no number, or where they span much more than `width`.
    """
    # int8send writes the first byte first, and get_bit counts the bits of a byte from its last.
    bit = f"1::bigint << (({column}::bigint & 63) # 56)::int"
    return (
        "WITH words AS MATERIALIZED ("
        f"SELECT {column}::bigint >> 6 AS word, bit_or({bit}) AS bits {rows} GROUP BY 1"
        "), ends AS MATERIALIZED ("
        "SELECT min(word) AS low, max(word) AS high FROM words"
        f" HAVING max(word) - min(word) <= {width >> 6}"
        "), held AS MATERIALIZED ("
        "SELECT low << 6 AS first, (high << 6) + 63 AS last, ("
        "SELECT string_agg(int8send(coalesce(bits, 0)), '' ORDER BY place)"
        " FROM generate_series(low, high) place LEFT JOIN words ON word = place"
        ") AS bits FROM ends)"
    )


def is_held(column: str) -> str:
    """Condition for a row's value of `column` to be null or in the bitmap `held`."""
    first, last, bits = (f"(SELECT {part} FROM held)" for part in ("first", "last", "bits"))
    return (
        f"CASE WHEN {column} BETWEEN {first} AND {last}"
        f" THEN get_bit({bits}, {column}::bigint - {first}) = 1 ELSE {column} IS NULL END"
    )
