"""Fingerprints of rows: what is hashed as it is, as text, and in tables of many columns."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from restore_drill.facts.fingerprint import TableFacts
from restore_drill.facts.snapshot import read_fingerprint
from restore_drill.servers.model import Target
from tests.helpers.cases import change, drop_made, make
from tests.helpers.shop import Shops, quiet

MANY = 1600
"""The most columns that a table can have."""


@pytest.fixture(autouse=True)
def few_databases() -> Iterator[None]:
    """Drop the databases of a test at its end."""
    yield
    drop_made()


def facts(target: Target) -> TableFacts:
    """Fingerprints of the table t."""
    return read_fingerprint(target, 2, quiet).tables["public.t"]


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("smallint", "1", "-1"),
        ("integer", "0", "NULL"),
        ("bigint", "1", "4294967296"),
        ("bigint", "-1", "4294967296"),
        ("bigint", "0", "-9223372036854775808"),
        ("uuid", "'00000000-0000-0000-0000-000000000000'", "NULL"),
        ("uuid", f"'{'0' * 31}1'", f"'1{'0' * 31}'"),
        ('"char"', "'a'", "'b'"),
        ("numeric", "1.0", "1.00"),
        ("text", "''", "NULL"),
    ],
)
def test_values_that_differ_hash_otherwise(kind: str, one: str, other: str, shops: Shops) -> None:
    """Two values that differ in any bit, or in their text, have fingerprints that differ."""
    target = make(shops, f"CREATE TABLE t (v {kind}); INSERT INTO t VALUES ({one})")
    before = facts(target)
    change(target, f"UPDATE t SET v = {other}")
    after = facts(target)

    assert before.columns != after.columns
    assert before.content != after.content
    change(target, f"UPDATE t SET v = {one}")
    assert facts(target) == before


@pytest.mark.parametrize("columns", [2, 16, 17, 40, MANY])
def test_values_that_change_places_are_noticed(columns: int, shops: Shops) -> None:
    """Where two rows exchange the value of one column only the rows' fingerprint is another.

    The first and the last column are tried: they are hashed by calls within calls, up to a limit.
    """
    names = [f"c{number:04}" for number in range(columns)]
    script = f"CREATE TABLE t ({', '.join(f'{name} smallint' for name in names)});" + "".join(
        f"INSERT INTO t SELECT {', '.join([str(row)] * columns)};" for row in (1, 2)
    )
    target = make(shops, script, analyzed=False)
    before = facts(target)
    seen = {before.content}

    for name in (names[0], names[-1]):
        change(target, f"UPDATE t SET {name} = 3 - {name}", analyzed=False)
        after = facts(target)
        assert after.columns == before.columns
        seen.add(after.content)
        change(target, f"UPDATE t SET {name} = 3 - {name}", analyzed=False)

    assert len(seen) == (2 if columns == 2 else 3)
    assert facts(target) == before
