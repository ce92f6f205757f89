"""Constraints and unique indexes that the backup declares and the restore could not make."""

from __future__ import annotations

import re

from restore_drill.backups.plaindump.statements import LOST_RULE, LOST_UNIQUE_INDEX
from restore_drill.core.names import joined
from restore_drill.facts.asking import ask
from restore_drill.facts.keys import Key, check_unique
from restore_drill.facts.records import Constraint
from restore_drill.facts.session import Connection, open_session
from restore_drill.restore.lost_keys import COLUMN, RELATION, unquoted
from restore_drill.restore.model import Restoration, RestoreError
from restore_drill.servers.model import Target

IS_THERE = """
    SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint
            WHERE conrelid = pg_catalog.to_regclass(%(table)s) AND conname = %(name)s)
        OR EXISTS (SELECT FROM pg_catalog.pg_index i
            JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
            WHERE i.indrelid = pg_catalog.to_regclass(%(table)s) AND c.relname = %(name)s)"""
KINDS = {"EXCLUDE": "exclusion", "CHECK": "check", "NOT NULL": "not null"}
"""By the word that declares it; anything else is unique."""


def lost_rules(restoration: Restoration, target: Target) -> tuple[Constraint, ...]:
    """Constraints and unique indexes whose statement failed, with the rows that break each.

    A key that no row repeats was lost for another reason, which the restore's errors report.
    """
    failed = [(error, rule) for error in restoration.errors if (rule := rule_of(error))]
    if not failed:
        return ()
    with open_session(target) as connection:
        found = [lost_rule(connection, error, rule) for error, rule in failed]
    return tuple(each for each in found if each is not None and each.is_broken)


def rule_of(error: RestoreError) -> re.Match[bytes] | None:
    """What the failed statement of `error` would have made, where that is a constraint."""
    sql = error.sql.strip().encode()
    return LOST_RULE.fullmatch(sql) or LOST_UNIQUE_INDEX.fullmatch(sql)


def lost_rule(
    connection: Connection, error: RestoreError, rule: re.Match[bytes]
) -> Constraint | None:
    """The constraint that a statement of pg_dump declares, where its table is there without it.

    Of a key of plain columns the rows are counted; no other text of a dump becomes part of a query.
    """
    table, name = rule["table"].decode(), unquoted(rule["name"].decode())
    kind = KINDS.get(rule["kind"].decode().upper(), "unique")
    relation = connection.execute(RELATION, [table]).fetchone()
    is_there = connection.execute(IS_THERE, {"table": table, "name": name}).fetchone()
    if relation is None or is_there == (True,):
        return None
    label = joined(*relation[:2])
    if kind != "unique" or rule["columns"] is None:
        return Constraint(label, kind, name, None, error.message, is_lost=True)
    key = Key(
        table=label, name=name, pages=0, source=f"{relation[2]}{table}", predicate="true",
        nulls_are_equal=rule["nulls"] is not None,
        keys=COLUMN.findall(rule["columns"].decode()),
        is_comparable=True, operators=None, oid=0, is_unique=True,
    )  # fmt: skip
    return ask(connection, check_unique(key)).lost()
