"""The storage examined by amcheck: every table and index, and each row against its entry.

amcheck's functions are made in the session's own temporary schema: no extension is installed,
nothing of it can be seen by other sessions or a dump, and it goes with the connection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import LiteralString

import psycopg

from restore_drill.core.server_errors import error_text
from restore_drill.facts.asking import Asking, Question
from restore_drill.facts.check import Check
from restore_drill.facts.model import Facts
from restore_drill.facts.session import Connection
from restore_drill.facts.structures import GIN_SINCE, Structure
from restore_drill.facts.survey import Survey
from restore_drill.facts.trust import read_indexes
from restore_drill.servers.model import Target

FUNCTIONS: tuple[LiteralString, ...] = (
    """CREATE FUNCTION pg_temp.drill_btree(regclass, boolean) RETURNS void
    AS '$libdir/amcheck', 'bt_index_parent_check' LANGUAGE C STRICT""",
    """CREATE FUNCTION pg_temp.drill_heap(relation regclass, on_error_stop boolean,
        check_toast boolean, skip text, startblock bigint, endblock bigint,
        OUT blkno bigint, OUT offnum integer, OUT attnum integer, OUT msg text)
    RETURNS SETOF record AS '$libdir/amcheck', 'verify_heapam' LANGUAGE C""",
)
GIN: LiteralString = """CREATE FUNCTION pg_temp.drill_gin(regclass) RETURNS void
    AS '$libdir/amcheck', 'gin_index_check' LANGUAGE C STRICT"""

QUIET: tuple[LiteralString, ...] = (
    "SET LOCAL session_replication_role = replica",
    "SET LOCAL client_min_messages = error",
)
"""A restored event trigger has no say in what we make."""

CHECKS = {
    "btree": "SELECT pg_temp.drill_btree({}, {})",
    "toast": "SELECT pg_temp.drill_btree({}, false)",
    "gin": "SELECT pg_temp.drill_gin({})",
    "heap": "SELECT string_agg(DISTINCT msg, '; ') FROM"
    " pg_temp.drill_heap({}, true, true, 'none', NULL, NULL)",
}
"""Query for each access method: it raises an error, or gives a message, where it finds damage."""


@dataclass(frozen=True)
class Storage:
    """The `damage` that amcheck has found, or why it was not used: `unexamined`."""

    damage: tuple[str, ...] = ()
    unexamined: str = ""


def why_not(target: Target, connection: Connection) -> str:
    """Why the storage of `target` cannot be examined; empty where it can."""
    if not target.is_expendable:
        return "amcheck's functions are created only in a database of the drill's own"
    try:
        prepare(connection, target.major)
    except psycopg.Error as error:
        reason = error_text(error, " ".join(FUNCTIONS))
        return f"amcheck cannot be used on {target.description}: {reason}"
    return ""


def prepare(connection: Connection, major: int, *more: LiteralString) -> None:
    """Make amcheck's functions in the temporary schema of this session, and `more` of them."""
    connection.execute("BEGIN READ WRITE")
    try:
        for command in QUIET:
            connection.execute(command)
        if major >= 17:
            connection.execute("SET LOCAL event_triggers = off")
        for command in (*FUNCTIONS, *((GIN,) if major >= GIN_SINCE else ()), *more):
            connection.execute(command)
    except psycopg.Error:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def examine(structure: Structure) -> Asking[str]:
    """What is wrong with one table or index: amcheck's message, empty where it is sound."""
    outcome = yield Question(CHECKS[structure.method].format(structure.oid, structure.is_deep))
    found = outcome.error or (outcome.row[0] if outcome.row else None)
    return f"{structure.title}: {found}" if found else ""


def plan_storage(survey: Survey) -> Callable[[Facts], Storage]:
    """Plan that amcheck reads every table and index."""
    structures = survey.once(read_indexes).structures
    if survey.copied:
        damage = survey.copied.damage
        return lambda _: Storage(damage)
    if survey.unexamined:
        return lambda _: Storage(unexamined=survey.unexamined)
    jobs = [
        survey.plan.ask(examine, each, pages=each.pages, effort=each.effort) for each in structures
    ]
    return lambda _: Storage(tuple(found for job in jobs if (found := job.result())))


STORAGE = Check("storage", plan_storage)
