"""The facts show what is wrong in a restored database, and each criterion names it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import LiteralString, cast

import pytest

from restore_drill.backups.plaindump.switches import Switches
from restore_drill.core.errors import CouldNotRun
from restore_drill.facts import versions
from restore_drill.facts.catalog_reader import CatalogReader, Result
from restore_drill.facts.checks.large_objects import LARGE_OBJECTS
from restore_drill.facts.checks.sizes import SIZES_OF_TABLES
from restore_drill.facts.checks.storage import STORAGE
from restore_drill.servers.lost import explained_when_lost
from tests.helpers.cases import (
    NOTHING,
    Case,
    assert_queries_find_them,
    change,
    contents_of,
    drop_made,
    failures,
    make,
    read_cases,
    take,
)
from tests.helpers.drills import run_drill
from tests.helpers.shop import Shops, pg_dump, require_major

CASES = read_cases()
SOUND = Path(__file__).parent / "cases" / "sound"
HEALTHY = SOUND / "every_feature.sql"
HEALTHY_18 = SOUND / "of_18.sql"


@pytest.fixture(autouse=True)
def few_databases() -> Iterator[None]:
    """Drop the databases of a test at its end."""
    yield
    drop_made()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_damage_is_named_by_its_criterion_alone(case: Case, shops: Shops, tmp_path: Path) -> None:
    """Nothing fails before the damage, and after it the named criteria and no others."""
    if "major" in case.headers:
        require_major(case.major)
    analyzed = "analyze" not in case.headers
    target = make(shops, case.script, case.major, analyzed=analyzed)
    contents = contents_of(target, tmp_path) if "backup" in case.headers else None
    if case.damage:
        assert failures(take(target, contents), contents or NOTHING) == {}
        change(target, case.damage)

    facts = take(target, contents)
    failed = failures(facts, contents or NOTHING)

    assert failed.keys() == case.findings.keys(), failed
    for criterion, words in case.findings.items():
        assert all(each in failed[criterion] for each in words), failed[criterion]
    assert_queries_find_them(target, facts)
    for note in case.headers.get("note", []):
        assert any(note in each for each in facts.notes), facts.notes
    told = [f"{what}: {why}" for what, why in facts.not_checked]
    for line in case.headers.get("not checked", []):
        assert any(line in each for each in told), told


@pytest.mark.parametrize("major", [14, 15, 16, 17, 18])
def test_sound_database_has_no_finding(major: int, shops: Shops, tmp_path: Path) -> None:
    """Every feature that that is read stays green where it is sound, in each major."""
    target = make(shops, HEALTHY.read_text(), major)
    contents = contents_of(target, tmp_path)

    facts = take(target, contents)

    assert failures(facts, contents) == {}
    assert facts.rows["public.orders"] == 60
    assert facts.rows["public.base"] == 2
    assert contents.large_objects == facts.of(LARGE_OBJECTS) == 1
    assert contents.switched_off == {
        "TRIGGER public.customers.sleeping",
        "TRIGGER public.orders_rest.Stamp it",
        "RULE public.empty_table.keep",
        "EVENT TRIGGER asleep",
    }
    unchecked = {what for what, _ in facts.not_checked}
    assert "names inside the statements of plpgsql bodies" in unchecked
    assert any("btree_gist" in note and "citext" in note for note in facts.notes)
    assert any("collation" in note for note in facts.notes)


@pytest.mark.parametrize(("major", "script"), [(15, HEALTHY), (18, HEALTHY_18)])
def test_sound_database_passes_a_drill(
    major: int, script: Path, shops: Shops, tmp_path: Path, report_dir: Path
) -> None:
    """The dump of a sound database passes, and what was not checked is reported."""
    path = pg_dump(make(shops, script.read_text(), major), tmp_path / "sound.dump", "-Fc")

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    assert drill.code == 0, drill.output
    assert "test_storage_is_sound" in drill.ran
    assert any(each["why"].startswith("amcheck of") for each in drill.result["not_checked"])


def test_reading_facts_leaves_nothing_behind(shops: Shops) -> None:
    """The functions of amcheck are gone with the session, and no extension is installed."""
    target = make(shops, "CREATE TABLE t (id int PRIMARY KEY)")

    facts = take(target)

    assert facts.of(STORAGE).unexamined == ""
    others = b"SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"
    with target.connect() as connection:
        deadline = time.monotonic() + 30
        while connection.execute(others, [connection.info.backend_pid]).fetchall():
            assert time.monotonic() < deadline, "a session is left open"
            time.sleep(0.02)  # a session that has ended drops its temporary functions by itself
        left = connection.execute(
            "SELECT proname FROM pg_proc WHERE proname LIKE 'drill%'"
            " UNION SELECT extname FROM pg_extension WHERE extname = 'amcheck'"
        ).fetchall()
    assert left == []


def test_storage_of_a_live_database_is_not_examined(shops: Shops) -> None:
    """On a server that is not ours nothing is made: the criterion is skipped with the reason."""
    target = replace(make(shops, "CREATE TABLE t (id int PRIMARY KEY)"), throwaway=False)

    failed = failures(take(target))

    why = "amcheck's functions are created only in a database of the drill's own"
    assert failed == {"test_storage_is_sound": why}


def test_tables_that_cannot_be_read_fail(shops: Shops) -> None:
    """What the drill's role may not read is never taken for equal."""
    script = """
        CREATE TABLE parent (id int PRIMARY KEY);
        CREATE TABLE child (id serial PRIMARY KEY, parent_id int NOT NULL REFERENCES parent);
        CREATE VIEW children AS SELECT * FROM child;
        CREATE ROLE facts_reader LOGIN;
    """
    target = make(shops, script)
    poor = replace(target, conninfo={**target.conninfo, "user": "facts_reader"}, throwaway=False)

    facts = take(poor, NOTHING)
    failed = failures(facts)

    assert facts.unreadable["public.child"].startswith("permission denied for table child (")
    assert "permission denied" in failed["test_foreign_keys_hold[public.child]"]
    assert "cannot be checked: permission denied" in failed["test_constraints_hold[public.child]"]
    assert "cannot be read: permission denied" in failed["test_sequences_are_ahead"]
    assert "permission denied" in failed["test_every_object_came_back"]
    why = dict(facts.not_checked)["view public.children"]
    assert "it could not be planned: permission denied for view children" in why


def test_what_a_function_raises_is_not_shown(shops: Shops) -> None:
    """An exception of a function of the database may quote a row, so its text is left out."""
    script = """
        CREATE FUNCTION fine(text) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
        CREATE TABLE t (n text CHECK (fine(n)));
        INSERT INTO t VALUES ('secret');
        CREATE OR REPLACE FUNCTION fine(text) RETURNS bool LANGUAGE plpgsql AS
            $$BEGIN RAISE EXCEPTION 'bad %', $1 USING ERRCODE = 'check_violation'; END$$;
    """

    told = failures(take(make(shops, script)))["test_constraints_hold[public.t]"]

    assert "check_violation (SQLSTATE 23514): raised in function public.fine" in told
    assert "secret" not in told


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_other_encodings_are_read(encoding: str, shops: Shops) -> None:
    """Names outside ASCII are read in databases of other encodings."""
    shops.database(15, f"first_{encoding}")
    target = shops.servers[15].create_database(f"facts_{encoding}", encoding=encoding)
    change(target, 'CREATE TABLE "größe" ("maß" text PRIMARY KEY CHECK ("maß" <> \'ä\'))')
    change(target, "INSERT INTO \"größe\" VALUES ('ö')")

    facts = take(target)

    assert failures(facts) == {}
    assert facts.rows == {"public.größe": 1}


def test_switches_follow_the_last_statement() -> None:
    """A trigger that is enabled again, or that is disabled only while data is loaded, is on."""
    switches = Switches()
    for statement in (
        b"ALTER TABLE public.t DISABLE TRIGGER ALL;",
        b"ALTER TABLE t DISABLE TRIGGER a;",
        b"ALTER TABLE public.t ENABLE TRIGGER a;",
        b'ALTER TABLE ONLY public."T t" DISABLE TRIGGER "B b";',
        b"ALTER FOREIGN TABLE s.f ENABLE REPLICA TRIGGER c;",
        b"ALTER EVENT TRIGGER e ENABLE ALWAYS;",
    ):
        switches.note(statement)

    assert switches.off == {"TRIGGER public.T t.B b", "TRIGGER s.f.c"}


def test_versions_that_cannot_be_read_hide_no_verdict(
    shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that cannot report the version of a collation is noted, and the rest goes on."""
    monkeypatch.setattr(versions, "COLLATIONS", "SELECT 1 / 0, '', ''")
    target = make(shops, "CREATE TABLE t (n int); INSERT INTO t VALUES (1)")

    facts = take(target)

    assert facts.rows == {"public.t": 1}
    assert any("could not be read: division_by_zero" in note for note in facts.notes)


PARTS = {
    "state of indexes": {"test_indexes_are_valid"},
    "constraints that are NOT VALID": {"test_constraints_are_validated"},
    "large objects": {"test_large_objects_came_back"},
    "state of triggers": {"test_triggers_are_enabled"},
    "constraints that are NOT ENFORCED": set(),
    "foreign keys": {"test_foreign_keys_hold", "test_unlisted_tables_hold"},
    "constraints": {"test_constraints_hold", "test_unlisted_tables_hold"},
    "views": {"test_views_resolve"},
    "functions": {"test_functions_resolve"},
    "storage": {"test_storage_is_sound"},
    "sizes of tables": set(),
    "sequences": {"test_sequences_are_ahead"},
    "what lies on other servers": {
        "test_foreign_keys_hold", "test_unlisted_tables_hold", "test_views_resolve",
        "test_sequences_are_ahead",
    },
}  # fmt: skip
"""Parts of the catalog, and the criteria that rest on them."""


def break_part(
    monkeypatch: pytest.MonkeyPatch,
    broken: str,
    wrong: LiteralString = "SELECT drill_has_no_such_column",
) -> None:
    """Let the server be asked something `wrong` for the part `broken` of the catalog."""
    read = CatalogReader.read

    def refuse(
        self: CatalogReader, part: str, work: Callable[[], Result], otherwise: Result
    ) -> Result:
        if part != broken:
            return read(self, part, work, otherwise)
        return read(self, part, lambda: cast("Result", self.connection.execute(wrong)), otherwise)

    monkeypatch.setattr(CatalogReader, "read", refuse)


@pytest.mark.parametrize("part", PARTS)
def test_part_of_the_catalog_that_fails_costs_its_criteria_alone(
    part: str, shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read is not checked, its criteria are skipped with that, the rest goes on."""
    target = make(shops, "CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (1)")
    change(target, "CREATE TABLE u (id int); ALTER TABLE u ADD CHECK (id > 0) NOT VALID")
    break_part(monkeypatch, part)

    facts = take(target)
    failed = failures(facts)

    assert facts.rows["public.t"] == 1
    skipped = {name.split("[")[0] for name, why in failed.items() if "catalog could not" in why}
    assert skipped == PARTS[part]
    assert any("catalog could not be read" in why for _, why in facts.not_checked)
    others = {"test_sequences_are_ahead", "test_constraints_are_validated"} - PARTS[part]
    assert {name.split("[")[0] for name in failed} - skipped == others


def test_tables_that_cannot_be_listed_and_lost_servers_are_no_verdict(
    shops: Shops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be said without the tables, nor by a server that has gone."""
    target = make(shops, "CREATE TABLE t (id int)")
    break_part(monkeypatch, "tables")
    with pytest.raises(CouldNotRun, match="could not be listed"):
        take(target)
    monkeypatch.undo()
    break_part(monkeypatch, "state of indexes", "SELECT pg_terminate_backend(pg_backend_pid())")
    with (
        pytest.raises(CouldNotRun, match="was lost"),
        explained_when_lost(target, "the verification"),
    ):
        take(target)


LARGE_AND_PARTED = """
CREATE TABLE large (id int PRIMARY KEY, v text, w int);
ALTER TABLE large ALTER v SET STORAGE EXTERNAL;
INSERT INTO large SELECT n, repeat('v', 9000), n FROM generate_series(1, 50) n;
CREATE INDEX ON large (w);
CREATE TABLE "with.dot" (id int);
CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE part PARTITION OF parted FOR VALUES FROM (1) TO (9);
INSERT INTO parted VALUES (1);
CREATE MATERIALIZED VIEW seen AS SELECT id FROM large;
"""


def test_sizes_are_of_tables_with_their_indexes_and_toast(shops: Shops) -> None:
    """Each file of rows counts once; a partitioned table has none, its partitions do."""
    target = make(shops, LARGE_AND_PARTED)
    sizes = take(target).of(SIZES_OF_TABLES)

    assert set(sizes) == {"public.large", 'public."with.dot"', "public.part", "public.seen"}
    with target.connect() as connection:
        (wanted,) = connection.execute(
            "SELECT pg_relation_size('large') + pg_indexes_size('large')"
            " + pg_relation_size(reltoastrelid) FROM pg_class WHERE oid = 'large'::regclass"
        ).fetchone() or (0,)
    assert sizes["public.large"] == wanted > 50 * 9000
    assert (sizes['public."with.dot"'], sizes["public.part"]) == (0, 3 * 8192)
