"""The model of the criteria file, from which it is checked and its JSON Schema is made."""

from __future__ import annotations

from typing import Any

from restore_drill.config.criteria.ages import Ages
from restore_drill.config.criteria.backups import BACKUP
from restore_drill.config.criteria.kinds import (
    Count,
    Duration,
    Folder,
    Names,
    Number,
    Remark,
    Share,
    Text,
)
from restore_drill.config.criteria.model import Criteria, Fact, TableCriteria, qualified
from restore_drill.config.criteria.notify import NOTIFY
from restore_drill.config.criteria.place import Place
from restore_drill.config.criteria.redis import REDIS
from restore_drill.config.criteria.sections import Entries, Key, Section, Tables
from restore_drill.config.criteria.waivers import WAIVER
from restore_drill.config.criteria.watching import SCHEDULE, TREND

BOUNDS = ("min", "max", "equals")
FLAT = ("sql", "backup", "tolerance", "drift", "redis", "application", "schedule", "trend")
"""Sections whose keys are fields of `Criteria`."""


def table_of(place: Place, values: dict[str, Any]) -> TableCriteria:
    """One entry of `[tables]`; a name without schema means `public`."""
    high = values.get("max_rows")
    if high is not None and values.get("min_rows", 1) > high:
        raise place.error(f"min_rows is above max_rows ({high})")
    values |= {"references": tuple(map(qualified, values.get("references", ())))}
    return TableCriteria(qualified(place.name), **values)


def fact_of(place: Place, values: dict[str, Any]) -> Fact:
    """One entry of `[facts]`: its SQL and at least one bound."""
    if not any(bound in values for bound in BOUNDS):
        raise place.error("give min, max or equals; otherwise nothing is checked")
    return Fact(name=place.name, **values)


def criteria_of(place: Place, found: dict[str, Any]) -> Criteria:
    """The whole file."""
    fields = {name: value for name, value in found.items() if name not in FLAT}
    for name in FLAT:
        fields |= found.get(name, {})
    return Criteria(path=place.path, **fields)


TABLE = Section(
    {
        "min_rows": Key(Count("rows"), "minimum number of rows (default: 1)"),
        "max_rows": Key(Count("rows"), "maximum number of rows"),
        "references": Key(Names(), "tables that its foreign keys must reference"),
    },
    build=table_of,
)

FACT = Section(
    {
        "sql": Key(Text("a query that returns one number", strips=False), "the query", "", True),
        "description": Key(Remark(), "description of the number"),
        "min": Key(Number(), "minimum of the number"),
        "max": Key(Number(), "maximum of the number"),
        "equals": Key(Number(), "exact value of the number"),
    },
    build=fact_of,
    needs={"anyOf": [{"required": [bound]} for bound in BOUNDS]},
)


BUDGETS = Section(
    {
        "max_backup_age": Key(Duration(), "maximum age of the backup (default: 26h)"),
        "max_restore_time": Key(Duration(), "maximum time of the restore"),
        "max_verify_time": Key(Duration(), "maximum time of the verification"),
        "max_total_time": Key(Duration(), "maximum time of the whole drill"),
    },
    "[budgets]",
)

SQL = Section(
    {
        "folder": Key(
            Folder("the name of a folder"),
            "folder of the SQL criteria, beside this file",
            "sql_folder",
        ),
        "timeout": Key(Duration(), "time limit of each query (default: 30s)", "sql_timeout"),
    },
    "[sql]",
    build=lambda _place, values: {k: v for k, v in values.items() if v},  # 0s is no timeout
)

TOLERANCE = Section(
    {
        "max_shrink": Key(Share(1), "share of a table's rows that may be missing: 0.1"),
        "max_growth": Key(Share(), "share of a table's rows that may be added: 0.5"),
        "tables": Key(
            Entries(
                Share(1),
                "[tolerance.tables]",
                build=lambda found: {qualified(name): share for name, share in found.items()},
            ),
            "max_shrink for single tables",
            "shrinks",
        ),
    },
    "[tolerance]",
)

ROLE = "the role that the application connects as"
HEAD = "a query that returns the applied schema versions"

FILE = Section(
    {
        "tables": Key(
            Entries(TABLE, "[tables]", "[tables] {}", lambda found: named(found.values())),
            "tables that must exist and have rows; a name without schema means public",
        ),
        "facts": Key(
            Entries(FACT, "[facts]", "[facts.{}]"),
            "business facts: a query that returns one number, and its bounds",
        ),
        "freshness": Key(
            Ages(), "maximum age of the newest row when the backup is taken, by table.column"
        ),
        "waivers": Key(
            Tables(WAIVER, "criterion"), "known findings that are accepted until a date"
        ),
        "sql": Key(SQL, "criteria in SQL: each file passes when its query returns no rows"),
        "budgets": Key(BUDGETS, "maximum age and maximum times"),
        "backup": Key(BACKUP, "which backup is drilled, and how small it may be"),
        "tolerance": Key(TOLERANCE, "row counts compared with those of the last passed drill"),
        "drift": Key(
            Section({"head": Key(Text(HEAD), HEAD)}, "[drift]"),
            "losses and changes of the source since the last passed drill",
        ),
        "trend": Key(TREND, "what is compared with earlier drills"),
        "schedule": Key(SCHEDULE, "how often drills run"),
        "application": Key(
            Section(
                {"role": Key(Text(ROLE), ROLE, "application_role")},
                "[application]",
            ),
            "what the application needs of a live database",
        ),
        "redis": Key(REDIS, "Redis"),
        "notify": Key(NOTIFY, "who is told how the drill ended"),
    },
    build=criteria_of,
)


def named(found: Any) -> dict[str, Any]:
    """Each of `found` by its name."""
    return {each.name: each for each in found}


def schema() -> dict[str, Any]:
    """JSON Schema of the criteria file, by which editors complete and check it."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Criteria of a restore drill",
        **FILE.schema(),
    }
