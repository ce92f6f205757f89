"""Functions: whether what their bodies name is there. Nothing of a body is run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import LiteralString, NamedTuple

from psycopg import sql

from restore_drill.core.units import show_count
from restore_drill.facts.answers import answer
from restore_drill.facts.catalog import USER_SCHEMA
from restore_drill.facts.check import Check
from restore_drill.facts.model import Facts
from restore_drill.facts.resolving import NO_PRIVILEGE, USUAL_PATH, Resolved, needs_path
from restore_drill.facts.session import Connection
from restore_drill.facts.survey import Survey, some

FUNCTIONS: LiteralString = (
    r"""
    SELECT p.oid, n.nspname || '.' || p.proname
            || '(' || pg_get_function_identity_arguments(p.oid) || ')',
        quote_ident(n.nspname), l.lanname,
        ARRAY(SELECT setting FROM unnest(p.proconfig) setting),
        ARRAY(SELECT lower(btrim(found[1], '"')) FROM regexp_matches(p.prosrc,
            '\mtemp(?:orary)?\s+(?:table\s+)?(?:if\s+not\s+exists\s+)?("[^"]+"|[\w$]+)', 'gi')
            found)
    FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
    WHERE p.prokind <> 'a' AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
            AND d.deptype = 'e') AND"""
    + USER_SCHEMA
    + "ORDER BY 2"
)
"""Functions and procedures of the user; those of an extension are its own business."""

NO_RELATION, NO_TYPE = "42P01", "42704"
ABSENT = re.compile(r'(?:relation|type) "([^"]+)"')

VALIDATORS = {"sql": "fmgr_sql_validator", "plpgsql": "plpgsql_validator"}
"""The server's own check of a body, for the languages whose check runs nothing of it."""


class Function(NamedTuple):
    """A function or procedure, with the settings that it brings itself."""

    oid: int
    name: str
    schema: str
    language: str
    settings: list[str]
    temporary: list[str]
    """What its body may make for its session alone: CREATE TEMP TABLE, SELECT INTO TEMP."""


def check_function(connection: Connection, function: Function, schemas: str) -> Resolved:
    """Let the server resolve a function's body, which runs nothing of it.

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
        # Nothing of a body was run, so all that is known of it is its text.
        outcome = replace(outcome, error=outcome.fault.in_full)
    if not outcome.error or has_path:
        return Resolved(outcome)
    wide = f"SET LOCAL search_path = {function.schema}, {schemas}"
    second = answer(connection, query, (bodies, *own, wide))
    return Resolved(outcome) if second.error else Resolved(second, by_path=True)


def plan_unresolved(survey: Survey) -> Callable[[Facts], dict[str, str]]:
    """Plan to resolve each body; gives the message of each that does not."""
    found = [Function(*row) for row in survey.rows(UNRESOLVED_FUNCTIONS.part, FUNCTIONS)]
    note_languages(found, survey)
    jobs = []
    for function in found:
        if function.language in VALIDATORS:
            work = partial(check_function, function=function, schemas=survey.schemas)
            jobs.append((function.name, survey.plan.add(f"function {function.name}", work)))

    temporary = {name for function in found for name in function.temporary}

    def finish(_: Facts) -> dict[str, str]:
        unresolved, by_path, of_session = {}, [], []
        for name, each in ((name, job.result()) for name, job in jobs):
            if each.outcome.sqlstate == NO_PRIVILEGE:
                survey.not_checked.append((f"body of {name}", each.outcome.error))
            elif lacks(each) in temporary:
                of_session.append(name)
            elif each.outcome.error:
                unresolved[name] = each.outcome.error
            elif each.by_path:
                by_path.append(name)
        survey.notes += needs_path("function", by_path)
        if of_session:
            what = f"bodies of {show_count(len(of_session), 'function')}: {some(of_session)}"
            why = "they name temporary tables that a function of this database makes"
            survey.not_checked.append((what, why))
        return unresolved

    return finish


def lacks(resolved: Resolved) -> str:
    """The table or type without a schema that a body names and that is not there."""
    if resolved.outcome.sqlstate not in (NO_RELATION, NO_TYPE):
        return ""
    found = ABSENT.search(resolved.outcome.error)
    return found[1].lower() if found else ""


def same_in_source(unresolved: Mapping[str, str]) -> str:
    """Why functions that do not resolve are nothing that the backup has lost."""
    which = f"{show_count(len(unresolved), 'function')} would fail when called, as in the source"
    return f"{which}: the manifest shows that nothing is missing. {some(list(unresolved))}"


def note_languages(found: list[Function], survey: Survey) -> None:
    """Note what cannot be resolved because of the language of its body."""
    others: dict[str, list[str]] = {}
    for each in found:
        if each.language not in VALIDATORS:
            others.setdefault(each.language, []).append(each.name)
    for language, names in others.items():
        what = f"bodies of {show_count(len(names), 'function')} in {language}: {some(names)}"
        survey.not_checked.append((what, "only sql and plpgsql bodies are resolved"))
    if any(each.language == "plpgsql" for each in found):
        survey.not_checked.append(
            (
                "names inside the statements of plpgsql bodies",
                "plpgsql looks them up when a statement runs; syntax and declarations were checked",
            )
        )


UNRESOLVED_FUNCTIONS = Check("functions", plan_unresolved)
