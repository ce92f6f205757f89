"""Large indexes are taken at the server's word, and no others, and it is reported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.facts import trust
from restore_drill.facts.collect import read_facts
from tests.helpers.cases import change, drop_made, failures, make, read_cases, take
from tests.helpers.drills import run_drill
from tests.helpers.shop import Shops, pg_dump, quiet

PLAIN = """
CREATE TABLE t (id int PRIMARY KEY, note text);
CREATE INDEX t_note ON t (note DESC, id) INCLUDE (id);
INSERT INTO t VALUES (1, 'a'), (2, 'b');
"""
HIDDEN = """
UPDATE pg_index SET indisready = false WHERE indexrelid = 't_pkey'::regclass;
INSERT INTO t VALUES (2, 'c');
UPDATE pg_index SET indisready = true WHERE indexrelid = 't_pkey'::regclass;
"""
"""A row that the index of the primary key does not know."""
LARGE = """
CREATE TABLE t AS SELECT n AS id, n AS other FROM generate_series(1, 700000) n;
ALTER TABLE t ADD PRIMARY KEY (id);
CREATE INDEX t_one ON t (other);
CREATE INDEX t_two ON t (other, id);
CREATE INDEX t_three ON t (id, other);
"""
CASES = read_cases()
OWN = (
    "keys: expression, partial",
    "keys: constraint whose index no longer says that it is unique",
    "keys: exclusion",
    "keys: index whose function is lost",
    "storage: index in another order than its operator class",
)
"""Damages of indexes that are more than bare columns in PostgreSQL's own order."""


@pytest.fixture
def all_are_large(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the smallest index count as a large one."""
    monkeypatch.setattr(trust, "FREE", 0)
    yield
    drop_made()


def told(not_checked: tuple[tuple[str, str], ...]) -> list[str]:
    """What is reported of indexes that were not looked through."""
    return [what for what, why in not_checked if why == trust.WHY]


def test_small_indexes_are_checked_in_full(shops: Shops) -> None:
    """Where it costs next to nothing each row is looked up in each index."""
    target = make(shops, PLAIN)
    change(target, HIDDEN)

    facts = take(target)
    drop_made()

    assert told(facts.not_checked) == []
    assert failures(facts).keys() == {"test_constraints_hold[public.t]", "test_storage_is_sound"}


@pytest.mark.usefixtures("all_are_large")
def test_large_indexes_are_taken_at_the_servers_word(shops: Shops) -> None:
    """What only looking up each row would show is noted as not checked, unless asked for."""
    target = make(shops, PLAIN)
    change(target, HIDDEN)

    facts = take(target)
    in_full = read_facts(target, None, 2, quiet, heapallindexed=True)

    assert told(facts.not_checked) == ["each row in 2 large indexes: public.t_pkey, public.t_note"]
    assert failures(facts) == {}
    assert told(in_full.not_checked) == []
    assert failures(in_full).keys() == {"test_constraints_hold[public.t]", "test_storage_is_sound"}


@pytest.mark.usefixtures("all_are_large")
def test_index_of_another_type_is_no_plain_one(shops: Shops) -> None:
    """A type that a user or an extension has made orders its values by code of its own."""
    target = make(shops, "CREATE TYPE mood AS ENUM ('low'); CREATE TABLE t (m mood PRIMARY KEY)")

    assert told(take(target).not_checked) == []


@pytest.mark.usefixtures("all_are_large")
@pytest.mark.parametrize("name", OWN)
def test_code_of_ones_own_is_never_trusted(name: str, shops: Shops) -> None:
    """An index with an expression, a condition, a type or an order of its own is looked through."""
    case = CASES[name]
    target = make(shops, case.script, case.major, analyzed="analyze" not in case.headers)
    change(target, case.damage, analyzed="analyze" not in case.headers)

    assert failures(take(target)).keys() == case.findings.keys()


@pytest.mark.usefixtures("all_are_large")
def test_live_server_is_not_trusted(shops: Shops) -> None:
    """On a server that is not ours the rows are held to each unique key."""
    target = replace(make(shops, PLAIN), throwaway=False)
    change(target, HIDDEN)

    failed = failures(take(target))

    assert "unique t_pkey: 1 row violates it" in failed["test_constraints_hold[public.t]"]


def test_drill_reports_what_it_took_for_granted(shops: Shops, tmp_path: Path) -> None:
    """A drill of large indexes says which it did not look through; with --heapallindexed it has."""
    path = pg_dump(make(shops, LARGE), tmp_path / "large.sql")
    drop_made()

    usual = run_drill(f"--backup={path}", "-k", "not redis", report_dir=tmp_path / "usual")
    in_full = run_drill(
        f"--backup={path}", "-k", "storage", "--heapallindexed", report_dir=tmp_path / "all"
    )

    assert usual.code == in_full.code == 0, usual.output + in_full.output
    assert "large index" in usual.output and "--heapallindexed" in usual.output
    assert any(each["why"] == trust.WHY for each in usual.result["not_checked"])
    assert "large index" not in in_full.output
