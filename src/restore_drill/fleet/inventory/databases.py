"""Databases of a fleet: what is written of each, completed from the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from restore_drill.config.accounts import account_of
from restore_drill.config.alerts import split_urls
from restore_drill.config.criteria import Criteria
from restore_drill.core.errors import UsageError
from restore_drill.fleet.inventory.file import Written
from restore_drill.fleet.inventory.files import FleetFile
from restore_drill.fleet.inventory.places import FILE, FOLDER, in_full
from restore_drill.fleet.inventory.templates import Template
from restore_drill.fleet.model import Database, Needs

MERGED = ("budgets", "environment", "labels")
"""Tables that are completed key by key; of all else the database's own counts as a whole."""
NEEDS = ("disk", "memory", "cores")
PLAIN = (
    "criteria",
    "target",
    "options",
    "every",
    "timeout",
    "owner",
    "series",
    "budgets",
    "labels",
)
"""Keys whose values a database has as they are."""


def completed(file: FleetFile, written: Written) -> dict[str, Any]:
    """The values of `written`, completed from the defaults of its file and of its folder."""
    found: dict[str, Any] = {}
    for layer in (file.shared, file.defaults, written):
        values = layer.values if layer else {}
        merged = {name: found.get(name, {}) | values[name] for name in MERGED if name in values}
        found |= {**values, **merged}
    return found


def named_databases(file: FleetFile, environment: Mapping[str, str]) -> list[Database]:
    """The databases that `file` names, with the values of `environment`; UsageError."""
    found = []
    for name, written in file.databases.items():
        values = completed(file, written)
        refuse_placeless(written, values)
        found.append(database_of(name, file.where(name), values, environment))
    return found


def refuse_placeless(written: Written, values: Mapping[str, Any]) -> None:
    """Refuse a database of which nothing says where its backups lie; `values` are complete."""
    if "backups" in values or "backup" in values:
        return
    criteria: Criteria | None = values.get("criteria")
    if criteria is None or criteria.backup_pgbackrest is None:
        none = f"; {criteria.path} names none" if criteria else ""
        raise written.place.error(
            "give backups, where its backups lie, or backup, a single one, or criteria that name "
            f"a repository (pgbackrest under [backup]){none}"
        )
    if "series" in values:
        what = "series chooses among backups, and the criteria file names one repository"
        raise written.place.inside("series").error(what)


def database_of(
    name: str, where: str, values: Mapping[str, Any], environment: Mapping[str, str]
) -> Database:
    """The database `name`, which `where` names, of completed `values`; UsageError."""
    places: dict[str, Any] = {
        key: place_of(values[key], setting, environment)
        for key, setting in (("backups", FOLDER), ("backup", FILE))
        if key in values
    }
    variables = variables_of(values, environment)
    url = places.get("backups") or places.get("backup") or ""
    return Database(
        name=name,
        where=where,
        account=account_of(url, {**environment, **variables}),
        environment=variables,
        notify=tuple(
            url
            for each in values.get("notify", ())
            for url in split_urls(each.resolved(environment))
        ),
        needs=Needs(**{key: values[key] for key in NEEDS if key in values}),
        **{key: values[key] for key in PLAIN if key in values},
        **places,
    )


def variables_of(values: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    """Variables of the drill, with the values of `environment`; UsageError for one that lacks."""
    found: Mapping[str, Template] = values.get("environment", {})
    return {name: each.resolved(environment) for name, each in found.items()}


def place_of(template: Template, setting: str, environment: Mapping[str, str]) -> str:
    """Where backups lie, in full."""
    return in_full(template.place, template.resolved(environment), setting)


def refuse_same_backups(written: Mapping[str, Written], databases: list[Database]) -> None:
    """Refuse two of the `databases` that are of the very same backups; by name what is `written`.

    Each would be drilled twice, and be red or green twice.
    """
    seen: dict[tuple[str, str], Database] = {}
    for each in databases:
        key = each.place, each.series.strip("/")
        if other := seen.get(key):
            raise twice(written[each.name], other)
        seen[key] = each


def twice(written: Written, other: Database) -> UsageError:
    """What is `written` is of the very backups of the `other` database."""
    what = f"{other.name!r} ({other.where}) has the very same backups and series"
    return written.place.error(f"{what}; give each its own series, or leave one out")
