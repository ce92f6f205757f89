"""Healthy servers of odd shapes: nothing is a finding, and what is to be known is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from restore_drill.facts.checks.constraints import UNVALIDATED
from restore_drill.facts.checks.states import INVALID_INDEXES, SWITCHED_OFF, WITHOUT_STATISTICS
from restore_drill.facts.checks.storage import STORAGE, Storage
from restore_drill.facts.checks.views import UNPOPULATED
from restore_drill.facts.model import Facts
from restore_drill.facts.physical.examination import Examination
from restore_drill.facts.physical.facts import read_all_facts
from tests.helpers.physical import Source, majors
from tests.helpers.recovered import recovered
from tests.helpers.shapes_of_files import files_of
from tests.helpers.shop import quiet

ODD = """
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touching BEFORE UPDATE ON hot FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE hot DISABLE TRIGGER touching;
ALTER TABLE hot ADD CONSTRAINT late CHECK (n > 0) NOT VALID;
CREATE MATERIALIZED VIEW unseen AS SELECT 1 AS one WITH NO DATA;
ALTER DATABASE shop SET session_preload_libraries = 'no_such_library';
ALTER DATABASE shop SET default_transaction_read_only = on
"""
LONG = """
CREATE TABLE growing (a int, b text);
CREATE TABLE growing_keyed (a int PRIMARY KEY, b text)
"""


@pytest.fixture(scope="module", params=majors(18, 15))
def crashed(request: pytest.FixtureRequest) -> Iterator[Source]:
    """Server that was killed while tables grew, rows changed and an index was built."""
    with files_of(request.param, checksums=True, prepared=5) as files:
        server = files.server
        with server.connect() as connection:
            for statement in filter(str.strip, f"{LONG};{ODD}".split(";\n")):
                connection.execute(statement.encode())
        options = "-c session_preload_libraries= -c default_transaction_read_only=off"
        with psycopg.connect(
            host=str(server.folder), user="postgres", dbname="shop", options=options
        ) as connection:
            connection.execute("UPDATE few_values SET n = n + 1 WHERE n < 50")
            connection.execute("INSERT INTO parted VALUES (900000, '2026-02-02')")
            connection.execute("PREPARE TRANSACTION 'left over'")
        crash_while_busy(server)
        yield server


def crash_while_busy(server: Source) -> None:
    """Let sessions write, and stop the server without a checkpoint in the middle."""

    def write(query: str) -> None:
        try:
            with psycopg.connect(
                host=str(server.folder), user="postgres", dbname="billing", autocommit=True
            ) as connection:
                connection.execute(query.encode())
        except psycopg.Error:
            return

    with server.connect("billing") as connection:
        for statement in LONG.split(";\n"):
            connection.execute(statement.encode())
        connection.execute("CHECKPOINT")
    rows = "SELECT n, repeat('b', 500) FROM generate_series(1, 3000000) n"
    threads = [
        threading.Thread(target=write, args=[query])
        for query in (
            "COPY growing (a) FROM PROGRAM 'seq 1 90000000'",
            "COPY growing_keyed (a) FROM PROGRAM 'seq 1 90000000'",
            f"CREATE TABLE made AS {rows}",
            "UPDATE invoices SET sum = sum + 1",
        )
    ]
    for thread in threads:
        thread.start()
    threads[0].join(2.0)
    server.stop("immediate")
    for thread in threads:
        thread.join()


@pytest.fixture(scope="module")
def found(crashed: Source) -> tuple[Examination, Facts]:
    """What is found of it, and its facts."""
    folder = crashed.folder / "it"
    with recovered(crashed.data, crashed.binaries, folder) as server:
        examined = server.examine()
        facts = read_all_facts(examined, 2, quiet)
    return examined, facts


def test_a_server_that_crashed_is_sound(found: tuple[Examination, Facts]) -> None:
    """Half-written transactions and zeroed pages are no damage."""
    examined, _ = found

    assert list(examined.pages.problems) == []
    assert examined.pages.dangling == []
    assert examined.storage == []
    assert examined.unopened == {}
    assert examined.is_sound
    assert examined.examined > 900


def test_zeroed_pages_of_a_crash_are_told_where_no_index_knows_better(
    found: tuple[Examination, Facts], crashed: Source
) -> None:
    """PostgreSQL 16 and newer grow a table by many at a time."""
    examined, _ = found
    decided = {each.title: each.decided for each in examined.pages.zero}

    if crashed.binaries.major >= 16:
        # Whether a kill finds such pages is a matter of its moment.
        assert decided.get("table billing.public.growing", False) is False
        assert decided.get("table billing.public.growing_keyed", True) is True
    told = [each for each in examined.warnings if each.startswith("all zero: ")]
    assert len(told) == list(decided.values()).count(False)
    assert all("table billing.public.growing:" in each for each in told)


def test_what_the_crash_has_left_is_told(found: tuple[Examination, Facts]) -> None:
    """A prepared transaction, files of a table that was being made, an unlogged table."""
    examined, facts = found

    assert "prepared transaction left over in shop" in dict(facts.not_checked)
    assert examined.unlogged == ["public.cache"]
    (strays,) = [each for each in examined.warnings if each.startswith("no relation owns ")]
    assert " base/" in strays


def test_what_the_source_had_so_too_is_noted_and_no_finding(
    found: tuple[Examination, Facts],
) -> None:
    """A trigger that is switched off, a view without data, a constraint that is not valid."""
    _, facts = found

    assert facts.unreadable == {}
    assert facts.rows["public.hot"] == 3000
    assert facts.rows["public.cache"] == 0
    assert facts.rows["billing.public.growing"] == 0
    assert [each.label for each in facts.constraints if each.is_broken] == []
    for check in (INVALID_INDEXES, SWITCHED_OFF, WITHOUT_STATISTICS, UNPOPULATED, UNVALIDATED):
        assert facts.of(check) == (), check.part
    assert facts.of(STORAGE) == Storage()
    notes = " ".join(facts.notes)
    assert "switched off, as in the source: trigger touching on public.hot is disabled" in notes
    assert "view public.unseen was not populated in the source" in notes
    assert "every row meets them: public.hot: late" in notes
    assert "restored" not in notes
    assert "sort differently" not in notes
