"""Statistics after a restore: every table once, partitions not again with their parents."""

from __future__ import annotations

import time
from dataclasses import replace

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


WIDE_TABLE = f"""
CREATE TABLE wide ({", ".join(f"c{n} integer" for n in range(100))});
INSERT INTO wide (c0, c7) SELECT n, n FROM generate_series(1, 5000) n;
INSERT INTO public.single SELECT generate_series(100, 5000);
"""


@pytest.mark.parametrize(
    ("where", "bounds"), [("a drill", 51), ("as in production", 101), ("a live server", 101)]
)
def test_many_columns_have_coarser_statistics(where: str, bounds: int, shops: Shops) -> None:
    """Of all columns, on a server that is thrown away alone; other tables have them in full."""
    target = replace(database(shops, USUAL, WIDE_TABLE), throwaway=where != "a live server")
    assert analyze(target, 1, in_full=where == "as in production") == {}
    with target.connect() as connection:
        found = connection.execute(
            "SELECT tablename, attname, cardinality(histogram_bounds) FROM pg_stats"
            " WHERE histogram_bounds IS NOT NULL AND tablename IN ('wide', 'single')"
        ).fetchall()
    wanted = {("wide", "c0", bounds), ("wide", "c7", bounds), ("single", "id", 101)}
    assert set(found) == wanted


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
    rows = [
        ("r", "r", -1, "", 9), ("a", "a", 50, "r", 9), ("b", "b", 0, "r", 9), ("s", "s", 5, "", 9)
    ]  # fmt: skip

    assert units_of(rows, each_alone=False) == [Unit("r", ["a", "b"], 80), Unit("s", [], 15)]
    assert [unit.name for unit in units_of(rows, each_alone=True)] == ["r", "a", "b", "s"]


def test_shares_cost_about_the_same() -> None:
    """The costliest table has a connection of its own while the others take less."""
    units = [Unit(name, [], cost) for name, cost in {"a": 10, "b": 90, "c": 40, "d": 45}.items()]

    names = [[unit.name for unit in share] for share in shared(units, 2)]

    assert names == [["b"], ["d", "c", "a"]]
    assert shared([], 2) == []
