"""Foreign keys of whole numbers, looked up in a bitmap: exactly what a join would find."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from restore_drill.facts import bitmap, references
from restore_drill.facts.answers import HEAP_ONLY, answer
from restore_drill.facts.asking import ask
from restore_drill.facts.session import open_session
from restore_drill.servers.model import Target
from tests.helpers.cases import Case, change, drop_made, failures, make, read_cases, take
from tests.helpers.shop import Shops

CASES = {name: case for name, case in read_cases().items() if name.startswith("references:")}
ENDS = (-(1 << 63), -(1 << 31), -64, 0, 1 << 31, (1 << 63) - 500)
"""Where the numbers of a column may begin: at the ends of its type, and about zero."""


@pytest.fixture(autouse=True)
def tables_count_as_large(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take a bitmap for the smallest tables too; drop the databases of a test at its end."""
    monkeypatch.setattr(bitmap, "FEWEST", 0)
    yield
    drop_made()


def look_up(target: Target) -> list[int | None]:
    """What the bitmap of each foreign key of `target` gives, None where none is made."""
    with open_session(target) as connection:
        rows = connection.execute(references.FOREIGN_KEYS).fetchall()
        found = [ask(connection, references.look_up(references.Key(*row))) for row in rows]
    return [each.row[0] if each.row else None for each in found]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_damage_is_named_as_by_a_join(case: Case, shops: Shops) -> None:
    """Each damage of a foreign key is found with the same words as without a bitmap."""
    target = make(shops, case.script, case.major)
    change(target, case.damage)

    failed = failures(take(target))

    assert failed.keys() == case.findings.keys()
    for criterion, words in case.findings.items():
        assert all(each in failed[criterion] for each in words), failed[criterion]


def test_bitmap_finds_what_a_join_finds(shops: Shops) -> None:
    """Whatever the numbers, a bitmap counts exactly the rows whose number is not there."""
    script = """
        CREATE TABLE parent (id bigint UNIQUE);
        CREATE TABLE child (id bigint REFERENCES parent (id));
        INSERT INTO parent VALUES (1);
    """
    target = make(shops, script)

    @settings(
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(
        base=st.sampled_from(ENDS),
        parents=st.sets(st.integers(0, 400), min_size=1),
        children=st.lists(st.integers(0, 400) | st.none()),
        far=st.lists(st.sampled_from(ENDS)),
    )
    @example(base=0, parents={0, 63}, children=[0, 63], far=[])
    def check(base: int, parents: set[int], children: list[int | None], far: list[int]) -> None:
        there = {base + each for each in parents}
        asked = [None if each is None else base + each for each in children] + far
        with target.connect() as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute("TRUNCATE parent, child")
            connection.execute("INSERT INTO parent SELECT unnest(%s::bigint[])", [list(there)])
            connection.execute("INSERT INTO child SELECT unnest(%s::bigint[])", [asked])
            connection.execute("ANALYZE parent")

        assert look_up(target) == [sum(each is not None and each not in there for each in asked)]

    check()


@pytest.mark.parametrize(
    ("parent", "child"),
    [("smallint", "bigint"), ("bigint", "smallint"), ("integer", "integer"), ("key", "integer")],
)
def test_types_of_numbers_may_differ(parent: str, child: str, shops: Shops) -> None:
    """Every pair of integer types, and a domain over one, is looked up in a bitmap."""
    script = f"""
        CREATE DOMAIN key AS integer CHECK (VALUE > -9);
        CREATE TABLE parent (id {parent} PRIMARY KEY);
        CREATE TABLE child (id {child} REFERENCES parent);
        INSERT INTO parent SELECT generate_series(-5, 150);
        INSERT INTO child SELECT id FROM parent;
    """
    target = make(shops, script)

    assert look_up(target) == [0]
    change(target, "SET session_replication_role = replica; DELETE FROM parent WHERE id = 64")
    assert look_up(target) == [1]


def test_partitions_are_read_together(shops: Shops) -> None:
    """The numbers of a partitioned table are those of all its partitions."""
    script = """
        CREATE TABLE parent (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE low PARTITION OF parent FOR VALUES FROM (0) TO (500);
        CREATE TABLE high PARTITION OF parent FOR VALUES FROM (500) TO (1000);
        CREATE TABLE child (id int REFERENCES parent) PARTITION BY HASH (id);
        CREATE TABLE child_0 PARTITION OF child FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE child_1 PARTITION OF child FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        INSERT INTO parent SELECT generate_series(0, 999);
        INSERT INTO child SELECT id FROM parent;
    """
    target = make(shops, script)

    assert look_up(target) == [0]
    change(target, "SET session_replication_role = replica; DELETE FROM high")
    assert look_up(target) == [500]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("SELECT n * 1000000007::bigint FROM generate_series(0, 99) n", "they lie far apart"),
        ("SELECT 1 WHERE false", "there is none"),
    ],
)
def test_numbers_that_need_no_bitmap_are_joined(rows: str, reason: str, shops: Shops) -> None:
    """No bitmap is made of numbers far apart, or of none at all; their key is checked all the same.

    `reason` is for the reader of a failure.
    """
    script = f"""
        CREATE TABLE parent (id bigint PRIMARY KEY);
        CREATE TABLE child (id bigint REFERENCES parent);
        INSERT INTO parent {rows};
        SET session_replication_role = replica;
        INSERT INTO child SELECT id FROM parent UNION ALL VALUES (3), (5);
    """
    target = make(shops, script)

    assert look_up(target) == [None], reason
    assert [key.orphans for key in take(target).foreign_keys] == [2]


def test_index_that_hides_rows_makes_no_endless_bitmap(shops: Shops) -> None:
    """No bitmap is made of rows that lie further apart than their index shows."""
    script = """
        CREATE TABLE parent (id bigint PRIMARY KEY);
        CREATE TABLE child (id bigint REFERENCES parent);
        INSERT INTO parent VALUES (1), (30000);
        INSERT INTO child SELECT id FROM parent;
    """
    target = make(shops, script)

    with open_session(target) as connection:
        key = references.Key(*connection.execute(references.FOREIGN_KEYS).fetchall()[0])
        outcome = answer(connection, key.bitmap_query(1024), HEAP_ONLY)

        assert outcome.row == (2,)
        assert ask(connection, references.check_key(key)).orphans == 0
