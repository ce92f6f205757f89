"""The facts of every database of a recovered server, and all of them as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import psycopg

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.server_errors import error_text
from restore_drill.facts.collect import read_facts
from restore_drill.facts.copied import Copied
from restore_drill.facts.entries import output_of, schema_dump
from restore_drill.facts.model import Facts
from restore_drill.facts.physical.amcheck import NO_LIBRARY
from restore_drill.facts.physical.databases import Database
from restore_drill.facts.physical.examination import Examination
from restore_drill.facts.physical.guard import Away
from restore_drill.facts.physical.merging import merge
from restore_drill.facts.physical.prepared import end_prepared
from restore_drill.facts.physical.surviving import surviving
from restore_drill.facts.schema.reading import Wanted
from restore_drill.facts.session import Connection, open_session
from restore_drill.servers.model import Target

WITHOUT = "it calls a library of an extension that is not here: {}"
USER_TABLES = ("r", "m")
SENSELESS = "its catalogs are damaged: what they say of its tables makes no sense"


def read_all_facts(
    found: Examination,
    jobs: int,
    progress: Callable[[str], None],
    *,
    as_major: int | None = None,
    drifting: Wanted | None = None,
) -> Facts:
    """Facts of all databases that were examined, the first one's with their usual names.

    Fingerprints and definitions (`as_major`, `drifting`, see `read_facts`) are the first one's
    alone. A database that cannot be read at all goes to those that cannot be opened.
    """
    primary = Facts(rows={})
    others: dict[str, Facts] = {}
    told = tuple(end_prepared(found))
    for database in found.databases:
        of_first = {"as_major": as_major, "drifting": drifting} if not database.prefix else {}
        if database.prefix and not has_tables(database):
            continue
        try:
            facts = read_database(found, database, jobs, progress, **of_first)
        except (psycopg.Error, CouldNotRun) as error:
            if ended := database.target.why_ended():
                raise ended from None
            found.unopened[database.name] = why_unread(error)
            found.is_away = found.is_away or isinstance(error, Away)
            continue
        except (TypeError, ValueError, LookupError, AttributeError):
            if found.is_sound:
                raise
            found.unopened[database.name] = SENSELESS
            continue
        if database.prefix:
            others[database.name] = facts
        else:
            primary = facts
    facts = merge(primary, others)
    return replace(facts, not_checked=(*facts.not_checked, *told))


def why_unread(error: psycopg.Error | CouldNotRun) -> str:
    """Why a database could not be read, in one line."""
    if isinstance(error, psycopg.Error):
        return error_text(error)
    return ": ".join([error.what, *error.checked[:1]])


def has_tables(database: Database) -> bool:
    """Whether there is anything of a user in it."""
    return any(each.kind in USER_TABLES and not each.is_catalog for each in database.relations)


def read_database(
    found: Examination,
    database: Database,
    jobs: int,
    progress: Callable[[str], None],
    **options: Any,
) -> Facts:
    """Facts of one database: what is damaged is not read, and no crash ends the reading."""

    def opened(target: Target) -> Connection:
        return surviving(lambda: open_session(target), found.guard)

    copied = Copied(
        opened,
        found.damaged(database),
        tuple(
            each.problem
            for each in found.said
            if each.is_damage and each.relation.prefix == database.prefix
        ),
    )
    facts = read_facts(database.target, None, jobs, progress, copied=copied, **options)
    with schema_dump(database.target) as dump:
        _, why_not = output_of(dump)
    return without_libraries(replace(facts, undumpable=why_not))


def without_libraries(facts: Facts) -> Facts:
    """`facts` in which nothing is a finding that only lacks an extension's library here."""
    not_checked = list(facts.not_checked)

    def is_ours(what: str, error: str) -> bool:
        if NO_LIBRARY in error:
            not_checked.append((what, WITHOUT.format(error)))
            return True
        return False

    values: Mapping[Any, Any] = {
        check: {name: why for name, why in value.items() if not is_ours(name, str(why))}
        if isinstance(value, dict)
        else value
        for check, value in facts.values.items()
    }
    return replace(
        facts,
        foreign_keys=tuple(e for e in facts.foreign_keys if not is_ours(e.label, e.error)),
        constraints=tuple(e for e in facts.constraints if not is_ours(e.label, e.error)),
        unreadable={n: why for n, why in facts.unreadable.items() if not is_ours(n, why)},
        values=values,
        not_checked=tuple(not_checked),
    )
