"""Statistics after a restore: every table once, partitions not again with their parents."""

from __future__ import annotations

import time

import pytest

from restore_drill.restore.statistics import Unit, analyze, shared, units_of
from restore_drill.servers.model import Target
from tests.helpers.restoring import new_database
from tests.helpers.shop import USUAL, Shops

TREE = """
CREATE TABLE public.p (id integer, n integer) PARTITION BY RANGE (id);
CREATE TABLE public.p1 PARTITION OF public.p FOR VALUES FROM (0) TO (100);
CREATE TABLE public.p2 PARTITION OF public.p FOR VALUES FROM (100) TO (200)
    PARTITION BY RANGE (id);
CREATE TABLE public.p21 PARTITION OF public.p2 FOR VALUES FROM (100) TO (150);
CREATE TABLE public.p22 PARTITION OF public.p2 FOR VALUES FROM (150) TO (200);
CREATE TABLE public.parent (id integer);
CREATE TABLE public.child () INHERITS (public.parent);
CREATE TABLE public.single (id integer);
INSERT INTO public.p SELECT n, n % 7 FROM generate_series(0, 199) n;
INSERT INTO public.parent SELECT generate_series(1, 50);
INSERT INTO public.child SELECT generate_series(1, 50);
INSERT INTO public.single SELECT generate_series(1, 50);
"""
TABLES = {"p1", "p21", "p22", "parent", "child", "single"}
INHERITED = {"p", "p2", "parent"}
MAJORS = sorted({USUAL, 18})


def database(shops: Shops, major: int, *statements: str) -> Target:
    """Database with TREE in it, and more."""
    target = new_database(shops, major, None, "UTF8")
    with target.connect() as connection:
        for each in (TREE, *statements):
            connection.execute(each.encode())
    return target


def described(target: Target, *, inherited: bool) -> set[str]:
    """Tables that have statistics of their own rows, or with those of all below."""
    with target.connect() as connection:
        rows = connection.execute(
            "SELECT DISTINCT tablename FROM pg_stats"
            " WHERE schemaname = 'public' AND inherited = %s",
            [inherited],
        ).fetchall()
    return {name for (name,) in rows}


def counts(target: Target) -> dict[str, int]:
    """How often each table with rows was analyzed, as soon as the server has noted it."""
    for _ in range(100):
        with target.connect() as connection:
            rows = connection.execute(
                "SELECT relname, analyze_count FROM pg_stat_user_tables"
            ).fetchall()
        found = {name: count for name, count in rows if name in TABLES}
        if all(found.values()):
            break
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("major", MAJORS)
def test_each_table_is_analyzed_once(major: int, shops: Shops) -> None:
    """Partitions and heirs once, and their parents with the statistics of all that is below."""
    target = database(shops, major)

    assert analyze(target, 2) == {}

    assert described(target, inherited=False) == TABLES
    assert described(target, inherited=True) == INHERITED
    assert counts(target) == dict.fromkeys(TABLES, 1)


@pytest.mark.parametrize("major", MAJORS)
def test_one_that_fails_keeps_no_other_from_its_statistics(major: int, shops: Shops) -> None:
    """A partition that cannot be analyzed is named; those behind it are analyzed all the same."""
    target = database(
        shops,
        major,
        "CREATE FUNCTION public.bad(n integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS"
        " $$ BEGIN IF current_setting('shop.bad', true) = 'on' THEN"
        " RAISE 'no'; END IF; RETURN n; END $$",
        "CREATE INDEX ON public.p1 (public.bad(n))",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET shop.bad = on', current_database());"
        " END $$",
    )

    failed = analyze(target, 2)

    assert "raised in function public.bad" in failed["public.p1"]
    assert set(failed) <= {"public.p1", "public.p"}
    assert described(target, inherited=False) >= TABLES - {"p1"}
    assert "p2" in described(target, inherited=True)


def test_a_database_without_tables_has_nothing_to_analyze(shops: Shops) -> None:
    """Then there is no connection either."""
    assert analyze(new_database(shops, USUAL, None, "UTF8"), 2) == {}


def test_partitions_go_with_their_root() -> None:
    """Before PostgreSQL 18 the root stands for all below it, with their cost."""
    rows = [("r", "r", -1, ""), ("a", "a", 50, "r"), ("b", "b", 0, "r"), ("s", "s", 5, "")]

    assert units_of(rows, each_alone=False) == [Unit("r", ["a", "b"], 80), Unit("s", [], 15)]
    assert [unit.name for unit in units_of(rows, each_alone=True)] == ["r", "a", "b", "s"]


def test_shares_cost_about_the_same() -> None:
    """The costliest table has a connection of its own while the others take less."""
    units = [Unit(name, [], cost) for name, cost in {"a": 10, "b": 90, "c": 40, "d": 45}.items()]

    names = [[unit.name for unit in share] for share in shared(units, 2)]

    assert names == [["b"], ["d", "c", "a"]]
    assert shared([], 2) == []
