"""A table and its partitions are one item of a criterion; each of them still goes by its name."""

from __future__ import annotations

from datetime import UTC
from io import BytesIO
from pathlib import Path

import pytest

from restore_drill.backups.plaindump.contents import Reader
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.backups.read import read_head
from restore_drill.selection.candidate import as_backup, look_at
from tests.helpers.drills import run_drill
from tests.helpers.mini_drill import drill, make_project_of_tables
from tests.helpers.shop import FORMATS, USUAL, Shops, fill_shop, pg_dump

MADE = """
    CREATE SCHEMA "a.b";
    CREATE TABLE readings (id integer) PARTITION BY RANGE (id);
    CREATE TABLE early PARTITION OF readings FOR VALUES FROM (1) TO (9) PARTITION BY RANGE (id);
    CREATE TABLE "a.b"."Of May" PARTITION OF early FOR VALUES FROM (1) TO (5);
    CREATE TABLE readings_rest PARTITION OF readings DEFAULT;
    CREATE TABLE alone (id integer PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE parent (id integer);
    CREATE TABLE child () INHERITS (parent);
    INSERT INTO readings VALUES (1), (2), (10);
    ALTER TABLE readings_rest ADD CONSTRAINT orphaned FOREIGN KEY (id) REFERENCES alone NOT VALID;
"""
PARTITIONS = ("public.early", '"a.b".Of May', "public.readings_rest")
ROOTS = dict.fromkeys(("public.readings", *PARTITIONS), "public.readings")
OLD = b"""SET search_path = public, pg_catalog;
CREATE TABLE readings (id integer) PARTITION BY RANGE (id);
CREATE TABLE readings_1 PARTITION OF readings
FOR VALUES FROM (1) TO (9);
SET search_path = billing, pg_catalog;
CREATE TABLE readings_2 PARTITION OF public.readings DEFAULT PARTITION BY RANGE (id);
CREATE TABLE rest PARTITION OF readings_2 (id WITH OPTIONS NOT NULL) DEFAULT;
CREATE TABLE child () INHERITS (public.readings);
"""
CRITERIA = '''
"""A criterion over a table, its partitions and another."""

from fixtures.together import give

ROOT = "public.readings"
ROOTS = dict.fromkeys((ROOT, "public.r_1", "public.r_2", "public.r_3", "public.elsewhere"), ROOT)
TABLES = ("public.cards", *sorted(ROOTS))


def pytest_generate_tests(metafunc):
    give(metafunc, "name", {each: each for each in TABLES}, ROOTS)


def test_holds(name):
    """A table holds."""
    assert name not in ("public.readings", "public.r_2")
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A drill in small with a criterion over partitions."""
    return make_project_of_tables(tmp_path / "project", CRITERIA)


def test_head_of_every_format_names_the_roots(shops: Shops, tmp_path: Path) -> None:
    """Those of partitions at every depth, and no parent that others inherit from."""
    source = shops.database(USUAL, "roots")
    fill_shop(source, MADE)

    for form, options in FORMATS.items():
        path = pg_dump(source, tmp_path / form, *options)
        assert read_head(as_backup(look_at(path, UTC))).roots == ROOTS, form


def test_old_dumps_create_partitions_as_such() -> None:
    """As pg_dump 10 writes them, with names that the search_path completes."""
    reader = Reader()
    reader.read(PlainReader(BytesIO(OLD)).events())

    names = ("public.readings", "public.readings_1", "billing.readings_2", "billing.rest")
    assert reader.make_head().roots == dict.fromkeys(names, "public.readings")


def test_tables_that_go_round_have_some_root() -> None:
    """No server takes such SQL, and it must not hold the drill."""
    pairs = [(b"a", b"b"), (b"b", b"c"), (b"c", b"a"), (b"c", b"d")]
    sql = b"".join(b"ALTER TABLE %s ATTACH PARTITION %s DEFAULT;\n" % pair for pair in pairs)
    reader = Reader()
    reader.read(PlainReader(BytesIO(sql)).events())

    roots = reader.make_head().roots
    assert set(roots) == {f"public.{each}" for each in "abcd"}
    assert set(roots.values()) <= set(roots)


def test_partitions_that_fail_are_reported_by_themselves(project: Path) -> None:
    """As is the root; the others are counted."""
    done = drill(project, "drill")

    assert {check["id"].rpartition("::")[2]: (check["outcome"], check.get("count", 1))
            for check in done.result["checks"]} == {
        "test_holds[public.cards]": ("passed", 1),
        "test_holds[* public.readings]": ("passed", 3),
        "test_holds[public.r_2]": ("failed", 1),
        "test_holds[public.readings]": ("failed", 1),
    }  # fmt: skip
    assert done.result["counts"]["criteria"] == 6


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["drill"], ["public.cards", "* public.readings"]),
        (["drill", "-k", "r_2"], ["public.r_2"]),
        (["drill", "-k", "r_"], ["public.r_1", "public.r_2", "public.r_3"]),
        (["drill", "-k", "public"], ["public.cards", "* public.readings"]),
        (["drill", "-k", "readings"], ["public.readings"]),
        (["drill", "-k", "not r_2"], ["public.cards", "* public.readings"]),
        (["drill/test_small.py::test_holds[public.r_2]"], ["public.r_2"]),
        (["drill/test_small.py::test_holds[public.readings]"], ["public.readings"]),
        (["drill/test_small.py::test_holds[* public.readings]"], ["* public.readings"]),
        (["drill", "--deselect", "drill/test_small.py::test_holds[public.readings]"],
         ["public.cards", "public.elsewhere", "public.r_1", "public.r_2", "public.r_3"]),
        (["drill", "--deselect", "drill/test_small.py::test_holds[public.r_2]"],
         ["public.cards", "* public.readings"]),
    ],
)  # fmt: skip
def test_what_the_command_line_names_is_an_item(
    project: Path, arguments: list[str], expected: list[str]
) -> None:
    """Partitions that it picks are items of their own, where it does not pick the root alike."""
    done = drill(project, "--collect-only", "-q", *arguments)

    found = [line for line in done.out.splitlines() if "::test_holds" in line]
    assert found == [f"drill/test_small.py::test_holds[{each}]" for each in expected]


def test_a_drill_asks_about_partitions_in_one_item(shops: Shops, tmp_path: Path) -> None:
    """A partition that fails is picked by `--lf`."""
    source = shops.database(USUAL, "lost")
    fill_shop(source, MADE)
    path = pg_dump(source, tmp_path / "lost.dump", "--format=custom")
    usual = (f"--backup={path}", "-p", "cacheprovider", "-o", f"cache_dir={tmp_path / 'cache'}")

    done = run_drill(*usual, "-k", "not redis", report_dir=tmp_path / "report")
    again = run_drill(*usual, "--lf", "--collect-only", "-q", report_dir=tmp_path / "again")

    checks = {check["id"].rpartition("::")[2]: check for check in done.result["checks"]}
    assert set(done.failed) == {"test_foreign_keys_hold[public.readings_rest]"}, done.output
    assert {name: check["count"] for name, check in checks.items() if "count" in check} == {
        "test_foreign_keys_hold[* public.readings]": 3,
        "test_constraints_hold[* public.readings]": 4,
        "test_table_has_every_row[* public.readings]": 4,
    }
    assert checks["test_table_has_every_row[public.child]"]["outcome"] == "passed"
    found = [line for line in again.output.splitlines() if "::" in line]
    assert found == ["drill/test_relations.py::test_foreign_keys_hold[public.readings_rest]"]
