"""Business facts: a query returns one number, in time, or it is no fact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.checks.facts import measure_fact, number_of
from restore_drill.checks.names import CriteriaNames
from restore_drill.config.criteria import Criteria, Fact
from restore_drill.core.errors import CriteriaError
from restore_drill.servers.model import Target
from tests.helpers.drills import run_drill
from tests.helpers.shop import Shops

USUAL = 15


@pytest.fixture(scope="module")
def source(shops: Shops) -> Target:
    """The shop."""
    return shops.source(USUAL)


def names(timeout: float = 10.0) -> CriteriaNames:
    """Names of a criteria file that names nothing."""
    return CriteriaNames(replace(Criteria(Path("criteria.toml")), sql_timeout=timeout))


def fact(query: str) -> Fact:
    """The fact `revenue` of this query."""
    return Fact("revenue", query, min=0)


NOT_ONE_NUMBER = {
    "SELECT amount FROM purchases": "returned 60 rows",
    "SELECT id FROM cards": "returned more than 100 rows",
    "SELECT count(*), sum(amount) FROM purchases": "returned 2 columns",
    "SELECT id, amount FROM purchases": "returned 2 columns",
    "SELECT FROM purchases": "returned 0 columns",
    "SELECT 1; SELECT 2;": "holds more than one statement",
    "SELECT 1; SET default_transaction_read_only = off": "holds more than one statement",
    "SELECT title FROM cards LIMIT 1": "returned a value of type text",
    "SELECT max(bought_at) FROM purchases": "returned a value of type timestamptz",
    "SELECT 'infinity'::date": "returned a value of type date",
    "UPDATE purchases SET amount = 1": "is not valid SQL here",
}


@pytest.mark.parametrize("query", NOT_ONE_NUMBER)
def test_a_query_that_returns_no_single_number_is_an_error_of_the_criteria(
    source: Target, query: str
) -> None:
    """Several rows, columns or statements, and other types are refused, and no value is shown."""
    with pytest.raises(CriteriaError) as told:
        measure_fact(source, fact(query), names())

    assert "[facts.revenue] of the criteria file" in str(told.value)
    assert NOT_ONE_NUMBER[query] in str(told.value)
    assert "Card" not in str(told.value)
    assert number_of(source, fact(query))[0] is None


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("SELECT count(*) FROM cards", 200),
        ("SELECT sum(amount) FROM purchases; -- all", 2745),
        ("WITH x AS (SELECT 1.5 AS a) SELECT a FROM x", 1.5),
        ("SELECT '12'::text", 12),
        ("SELECT count(*) > 0 FROM cards", 1),
        ("SELECT sum(amount) FROM purchases WHERE false", None),
        ("SELECT amount FROM purchases WHERE false", None),
    ],
)
def test_a_number_is_a_fact(source: Target, query: str, value: float | None) -> None:
    """One number is taken as it is; no row and NULL are no number, which is not the criteria's."""
    assert measure_fact(source, fact(query), names())[0] == value


def test_a_fact_has_the_time_limit_of_sql_criteria(source: Target) -> None:
    """A query that takes too long is ended, and the setting of the limit is named."""
    value, error = measure_fact(source, fact("SELECT 1 FROM pg_sleep(60)"), names(0.2))

    assert value is None
    assert "it took longer than 0.20 s ([sql] timeout" in error


def test_the_same_error_grows_no_traceback(source: Target) -> None:
    """An error that many criteria meet is one exception, whose traceback stays as short."""
    known, depths = names(), []
    for _ in range(3):
        with pytest.raises(CriteriaError) as told:
            measure_fact(source, fact("SELECT 1, 2"), known)
        depths.append(len(told.traceback))

    assert len(set(depths)) == 1


def test_facts_that_are_none_are_no_green(shops: Shops, tmp_path: Path, report_dir: Path) -> None:
    """A drill with such a fact could not run; slow ones are named where the budget is missed."""
    criteria = tmp_path / "criteria.toml"
    criteria.write_text(
        '[facts.revenue]\nsql = "SELECT amount FROM purchases"\nmin = 1\n'
        '[facts.slow]\nsql = "SELECT 1 FROM pg_sleep(1.1)"\nmin = 1\n'
        '[budgets]\nmax_verify_time = "1ms"\n'
    )
    drill = run_drill(
        f"--criteria={criteria}", f"--backup={shops.dump(USUAL, 'plain.sql')}", "-k",
        "fact or verify_time", report_dir=report_dir,
    )  # fmt: skip
    late = drill.failed["test_verify_time_is_within_budget"]

    assert drill.code == 1, drill.output
    assert "returned 60 rows; a fact is a query that returns one number" in drill.output
    assert "over its budget of 1 ms" in late
    assert "checked: [facts.slow]: 1." in late
