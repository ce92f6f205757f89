"""Business facts of the criteria file: the one number that the query of each returns."""

from __future__ import annotations

from typing import Any

import psycopg

from restore_drill.checks.names import CriteriaNames
from restore_drill.checks.run import DECLARE, MOST, asked, reason_of
from restore_drill.config.criteria import Criteria, Fact
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count
from restore_drill.servers.model import Target


class NotOneNumber(Exception):
    """What a query returned is no fact, whatever the database holds: several rows or columns."""


def measure_fact(target: Target, fact: Fact, names: CriteriaNames) -> tuple[float | None, str]:
    """As `number_of`; raises `CriteriaError` where the query is wrong, by `names` or its shape."""
    place = f"[facts.{fact.name}] of the criteria file"
    timeout = names.criteria.sql_timeout
    try:
        return ask_number(target, fact, timeout)
    except NotOneNumber as error:
        remedy = remedy_for("criteria", "not_one_number", place=place)
        what = f"{place} {error}; a fact is a query that returns one number"
        names.refuse(what, "what it returns in the restored database", remedy)
    except psycopg.Error as error:
        names.check_query(error, fact.sql, place, target, len(DECLARE))
        return None, reason_of(error, timeout, fact.sql)


def fact_record(fact: Fact, value: float | None) -> dict[str, Any]:
    """What result.json holds of `fact`, whose query gave `value`."""
    return {
        "value": value,
        "expected": fact.expectation,
        "ok": value is not None and fact.holds(value),
        "description": fact.description,
    }


def number_of(target: Target, fact: Fact) -> tuple[float | None, str]:
    """Number that the query of `fact` gives in a read-only session, or why it gives none."""
    timeout = Criteria.sql_timeout
    try:
        return ask_number(target, fact, timeout)
    except NotOneNumber as error:
        return None, f"its query {error}"
    except psycopg.Error as error:
        return None, reason_of(error, timeout, fact.sql)


def ask_number(target: Target, fact: Fact, timeout: float) -> tuple[float | None, str]:
    """As `number_of`, with an error of the server raised as it is, and `NotOneNumber`."""
    with asked(target, fact.sql, timeout) as found:
        columns = found.description or ()
        if len(columns) != 1:
            raise NotOneNumber(f"returned {show_count(len(columns), 'column')}")
        if found.rowcount > MOST:
            raise NotOneNumber(f"returned more than {MOST} rows")
        if found.rowcount > 1:
            raise NotOneNumber(f"returned {found.rowcount} rows")
        try:
            row = found.fetchone()
            if row is None or row[0] is None:
                return None, "the query returned no value"
            return float(row[0]), ""
        except (TypeError, ValueError, psycopg.DataError):
            raise NotOneNumber(f"returned a value of type {columns[0].type_display}") from None
