"""Views and functions: whether what their text names is there. Their queries are not run."""

from __future__ import annotations

from dataclasses import replace
from typing import LiteralString, NamedTuple

from psycopg import sql

from restore_drill.core.server_errors import code_of
from restore_drill.facts.catalog import USER_SCHEMA
from restore_drill.facts.pool import Connection, Outcome, answer, patiently

VIEWS: LiteralString = (
    """
    SELECT n.nspname || '.' || c.relname, c.oid, c.relkind = 'm', c.oid::regclass::text,
        c.relkind = 'm' AND c.relispopulated
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't' AND"""
    + USER_SCHEMA
    + "ORDER BY 1"
)

FUNCTIONS: LiteralString = (
    """
    SELECT p.oid, n.nspname || '.' || p.proname
            || '(' || pg_get_function_identity_arguments(p.oid) || ')',
        quote_ident(n.nspname), l.lanname,
        ARRAY(SELECT setting FROM unnest(p.proconfig) setting)
    FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
    WHERE p.prokind <> 'a' AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
            AND d.deptype = 'e') AND"""
    + USER_SCHEMA
    + "ORDER BY 2"
)
"""Functions and procedures of the user; those of an extension are its own business."""

SCHEMAS: LiteralString = (
    "SELECT string_agg(quote_ident(n.nspname), ', ' ORDER BY n.nspname) FROM pg_namespace n WHERE"
    + USER_SCHEMA
)

VALIDATORS = {"sql": "fmgr_sql_validator", "plpgsql": "plpgsql_validator"}
"""The server's own check of a body, for the languages whose check runs nothing of it."""

NO_PRIVILEGE = "42501"
UNDEFINED_OBJECT = "42704"
RECURSION = "42P17"
USUAL_PATH = "SET LOCAL search_path TO DEFAULT"
SETTINGS_FILES = ("guc.c", "guc_funcs.c")
"""Files of the server that look settings up."""
NOT_THERE = ("XX000", "3F000", "58P01")
"""SQLSTATEs of a lookup by number, of a schema and of a library that failed; class 42 beside."""


class View(NamedTuple):
    """A view or materialised view; one that `is_filled` was filled without a search_path."""

    name: str
    oid: int
    is_materialised: bool
    quoted: str
    is_filled: bool


class Function(NamedTuple):
    """A function or procedure, with the settings that it brings itself."""

    oid: int
    name: str
    schema: str
    language: str
    settings: list[str]


def check_view(connection: Connection, view: View, schemas: str) -> tuple[Outcome, bool]:
    """Plan a view's query, or that which would refresh a materialised view; it is not run.

    A function in it may rely on the search_path that users have by default, or (True) on a wide one
    through all `schemas` that the application sets.
    """
    query = f"SELECT * FROM {view.quoted}"
    if view.is_materialised:
        defined = answer(connection, f"SELECT pg_get_viewdef({view.oid})")
        if defined.row is None:
            return defined, False
        query = str(defined.row[0])
    explain = f"EXPLAIN (COSTS off) {query}"
    outcome = plan_view(connection, view, explain)
    if view.is_filled or not is_unresolved(outcome):
        return outcome, False
    outcome = plan_view(connection, view, explain, USUAL_PATH)
    if not is_unresolved(outcome):
        return outcome, False
    wide = plan_view(connection, view, explain, f"SET LOCAL search_path = {schemas}")
    return (outcome, False) if is_unresolved(wide) else (wide, True)


def plan_view(connection: Connection, view: View, explain: str, *before: str) -> Outcome:
    """Answer to `explain`, behind the commands `before`; an error may name what views and code do.

    A definition is read only where there is an error to tell.
    """
    outcome = answer(connection, explain, (patiently(), *before))
    if not outcome.error:
        return outcome
    text = answer(connection, f"SELECT pg_get_viewdef({view.oid})").row
    known = f"{explain} {text[0] if text else ''} {code_of(connection)}"
    return replace(outcome, error=outcome.fault.text(known))


def is_unresolved(outcome: Outcome) -> bool:
    """Whether an error says that something named is not there.

    The planner calls functions to estimate, and what they raise says nothing of the view: a
    setting that only the application makes, for one. A view that reads itself names what is there.
    """
    if outcome.sqlstate == UNDEFINED_OBJECT and outcome.fault.source in SETTINGS_FILES:
        return False
    return outcome.sqlstate in NOT_THERE or (
        outcome.sqlstate.startswith("42") and outcome.sqlstate not in (NO_PRIVILEGE, RECURSION)
    )


def check_function(
    connection: Connection, function: Function, schemas: str
) -> tuple[Outcome, bool]:
    """Let the server resolve a function's body; True where only a wide search_path does it.

    A function without a search_path of its own may rely on one that the application sets: where
    the default one does not do, one through all `schemas` is tried.
    """
    query = f"SELECT {VALIDATORS[function.language]}({function.oid})"
    own = [
        sql.SQL("SELECT set_config({}, {}, true)").format(name, value).as_string(connection)
        for name, _, value in (map(sql.Literal, each.partition("=")) for each in function.settings)
    ]
    bodies = "SET LOCAL check_function_bodies = on"
    outcome = answer(connection, query, (bodies, USUAL_PATH, *own))
    has_path = any(each.startswith("search_path=") for each in function.settings)
    if outcome.error:
        # Nothing of a body was run, so all that is said of it is of its text.
        outcome = replace(outcome, error=outcome.fault.in_full)
    if not outcome.error or has_path:
        return outcome, False
    wide = f"SET LOCAL search_path = {function.schema}, {schemas}"
    second = answer(connection, query, (bodies, *own, wide))
    return (outcome, False) if second.error else (second, True)
