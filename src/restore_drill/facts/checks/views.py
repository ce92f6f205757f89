"""Views: whether what they name is there, and whether materialised ones are filled.

Their queries are planned, not run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import LiteralString, NamedTuple

from restore_drill.core.names import joined
from restore_drill.core.server_errors import code_of
from restore_drill.facts.answers import TIMED_OUT, Outcome, answer, time_limit, took_too_long
from restore_drill.facts.catalog import FAR, USER_SCHEMA
from restore_drill.facts.check import Check
from restore_drill.facts.model import Facts
from restore_drill.facts.resolving import NO_PRIVILEGE, USUAL_PATH, Resolved, needs_path
from restore_drill.facts.session import Connection
from restore_drill.facts.survey import ELSEWHERE, Survey

VIEWS: LiteralString = (
    """
    SELECT n.nspname || '.' || c.relname, c.oid, c.relkind = 'm', c.oid::regclass::text,
        c.relkind = 'm' AND c.relispopulated
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't' AND"""
    + USER_SCHEMA
    + "ORDER BY 1"
)

NOT_FILLED: LiteralString = (
    """
    SELECT n.nspname, c.relname, c.oid IN ("""
    + FAR
    + """)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'm' AND NOT c.relispopulated AND"""
    + USER_SCHEMA
    + "ORDER BY 1, 2"
)

FILLED = "MATERIALIZED VIEW DATA"
"""Entry by which pg_dump refreshes a view, only where it was populated in the source."""

UNDEFINED_OBJECT = "42704"
RECURSION = "42P17"
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


def check_view(connection: Connection, view: View, schemas: str) -> Resolved:
    """Plan a view's query, or that which would refresh a materialised view; it is not run.

    A function in it may rely on the search_path that users have by default, or on a wide one
    through all `schemas` that the application sets.
    """
    query = f"SELECT * FROM {view.quoted}"
    if view.is_materialised:
        defined = answer(connection, f"SELECT pg_get_viewdef({view.oid})")
        if defined.row is None:
            return Resolved(defined)
        query = str(defined.row[0])
    explain = f"EXPLAIN (COSTS off) {query}"
    outcome = plan_view(connection, view, explain)
    if view.is_filled or not is_unresolved(outcome):
        return Resolved(outcome)
    outcome = plan_view(connection, view, explain, USUAL_PATH)
    if not is_unresolved(outcome):
        return Resolved(outcome)
    wide = plan_view(connection, view, explain, f"SET LOCAL search_path = {schemas}")
    return Resolved(outcome) if is_unresolved(wide) else Resolved(wide, by_path=True)


def plan_view(connection: Connection, view: View, explain: str, *before: str) -> Outcome:
    """Answer to `explain`, behind the commands `before`; an error may name what views and code do.

    A definition is read only where there is an error.
    """
    outcome = answer(connection, explain, (time_limit(), *before))
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


def plan_unresolved(survey: Survey) -> Callable[[Facts], dict[str, str]]:
    """Plan to resolve each view; gives the message of each that names what is not there."""
    jobs = []
    for view in (View(*row) for row in survey.near_rows(UNRESOLVED_VIEWS.part, VIEWS)):
        if survey.is_far(view.oid):
            survey.not_checked.append((f"view {view.name}", ELSEWHERE))
        else:
            work = partial(check_view, view=view, schemas=survey.schemas)
            jobs.append((view.name, survey.plan.add(f"view {view.name}", work)))

    def finish(_: Facts) -> dict[str, str]:
        found = [(name, job.result()) for name, job in jobs]
        survey.notes += needs_path("view", [name for name, each in found if each.by_path])
        unresolved = {}
        for name, each in found:
            error = each.outcome.error
            if is_unresolved(each.outcome):
                unresolved[name] = error
            elif TIMED_OUT in error:
                survey.not_checked.append((f"view {name}", f"planning it {took_too_long()}"))
            elif error:
                survey.not_checked.append((f"view {name}", f"it could not be planned: {error}"))
        return unresolved

    return finish


def plan_unpopulated(survey: Survey) -> Callable[[Facts], tuple[str, ...]]:
    """Materialised views that a restore should have filled; the others are noted."""
    entries = survey.contents.entries if survey.contents else ()
    filled = {(each.schema, each.name) for each in entries if each.kind == FILLED}
    found = []
    for schema, name, is_far in survey.rows(UNPOPULATED.part, NOT_FILLED):
        full_name = joined(schema, name)
        if is_far:
            survey.notes.append(
                f"materialised view {full_name} is not populated: its rows come from "
                "another server, which a drill does not contact"
            )
        elif survey.copied is None and (not entries or (schema, name) in filled):
            found.append(full_name)
        else:
            survey.notes.append(f"materialised view {full_name} was not populated in the source")
    return lambda _: tuple(found)


UNRESOLVED_VIEWS = Check("views", plan_unresolved)
UNPOPULATED = Check("materialised views", plan_unpopulated)
