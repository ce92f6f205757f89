"""Business facts of the criteria file: the number that the query of each gives."""

from __future__ import annotations

from typing import Any

import psycopg

from restore_drill.checks.names import CriteriaNames
from restore_drill.config.criteria import Fact
from restore_drill.core.server_errors import error_text
from restore_drill.servers.model import Target


def measure_fact(target: Target, fact: Fact, names: CriteriaNames) -> tuple[float | None, str]:
    """As `number_of`; raises `CriteriaError` where `names` tell that the query is wrong."""
    try:
        return ask_number(target, fact)
    except psycopg.Error as trouble:
        where = f"[facts.{fact.name}] of the criteria file"
        names.check_query(trouble, fact.sql, where, target)
        return None, error_text(trouble, own=fact.sql)


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
    try:
        return ask_number(target, fact)
    except psycopg.Error as error:
        return None, error_text(error, own=fact.sql)


def ask_number(target: Target, fact: Fact) -> tuple[float | None, str]:
    """As `number_of`, with an error of the server raised as it is."""
    with target.connect() as connection:
        connection.execute("SET default_transaction_read_only = on")
        row = connection.execute(fact.sql.encode()).fetchone()
    if row is None or row[0] is None:
        return None, "the query gave no value"
    try:
        return float(row[0]), ""
    except (TypeError, ValueError):
        return None, "the query gave something that is no number"
