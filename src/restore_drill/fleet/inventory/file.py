"""The model of the fleet file, from which it is checked and its JSON Schema is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from restore_drill.config.criteria.patterns import Patterns
from restore_drill.config.criteria.place import Place
from restore_drill.config.criteria.rule_kinds import Shown
from restore_drill.config.criteria.sections import Entries, Key, Section, Tables
from restore_drill.fleet.inventory.kinds import (
    CriteriaFile,
    Every,
    Inner,
    Label,
    Lasting,
    Limit,
    SeriesName,
    Several,
    Size,
    Target,
)
from restore_drill.fleet.inventory.options import Options
from restore_drill.fleet.inventory.places import FILE, Backups, Source
from restore_drill.fleet.inventory.references import Channels, Variable

KIND = "fleet file"


@dataclass(frozen=True)
class Written:
    """What stands at `place` of a fleet file: the `values` of its keys, as the sections read."""

    place: Place
    values: Mapping[str, Any]


def database_of(place: Place, values: dict[str, Any]) -> Written:
    """One entry of `[databases]`."""
    if not place.name.strip() or not place.name.isprintable():
        raise place.error("the name of a database is empty or has a control character")
    if "backups" in values and "backup" in values:
        raise place.inside("backup").error("give backups or backup, not both")
    if "backup" in values and "series" in values:
        raise place.inside("series").error("series chooses among backups, and backup names one")
    return Written(place, values)


BUDGETS = Section(
    {
        "max_backup_age": Key(Limit(), "maximum age of the backup (default: 26h)"),
        "max_restore_time": Key(Limit(), "maximum time of the restore"),
        "max_verify_time": Key(Limit(), "maximum time of the verification"),
        "max_total_time": Key(Limit(), "maximum time of the whole drill"),
    }
)
TEXT = "a text"
KEYS = {
    "criteria": Key(
        CriteriaFile("the name of a criteria file"),
        "criteria file; its path counts from this file (default: the standard criteria)",
    ),
    "target": Key(
        Target("where to restore", words=("embedded", "container")),
        "where to restore: embedded (the default) or container",
    ),
    "budgets": Key(Inner(BUDGETS, "limits"), "maximum age and maximum times"),
    "options": Key(Options("options"), "options of the drill: --heapallindexed, --pick=random"),
    "environment": Key(
        Inner(Entries(Variable(TEXT), ""), "variables and their values"),
        "variables of the drill's environment; secrets as ${NAME}",
    ),
    "every": Key(Every(), "how old the last pass may become before a drill is due: 7d"),
    "timeout": Key(Lasting(), "time limit of the whole drill: 2h"),
    "owner": Key(Shown(TEXT), "who is responsible: a team, a person"),
    "notify": Key(
        Channels("URLs of channels, or ${NAME}"), "whom a red drill alerts: apprise URLs, ${NAME}"
    ),
    "labels": Key(
        Inner(Entries(Label(TEXT), ""), "names and texts"), "labels to select by: tier = 'gold'"
    ),
    "disk": Key(Size(), "disk that a drill needs: 20 GB (default: estimated from the backup)"),
    "memory": Key(Size(), "memory that it needs (default: estimated)"),
    "cores": Key(Several("cores"), "processor cores that it uses (default: estimated)"),
}
"""What every database may have, also by default."""

MEANT = {"backup_path": "backups"}
"""Keys by other names that they have elsewhere."""


@dataclass(frozen=True)
class NamedTable(Section):
    """One entry of `[databases]`."""

    def read(self, place: Place, value: Any) -> Any:
        """What is in it; a name with a dot makes a table in a table."""
        for key, below in value.items() if isinstance(value, dict) else ():
            if key in MEANT:
                raise place.inside(key).error(f"unknown key {key!r}; did you mean {MEANT[key]!r}?")
            if key not in self.keys and isinstance(below, dict):
                name = json.dumps(f"{place.name}.{key}", ensure_ascii=False)
                what = f"a name with a dot stands in quotes: [databases.{name}]"
                raise place.inside(key).error(f"unknown key {key!r}; {what}")
        return super().read(place, value)


DATABASE = NamedTable(
    {
        "backups": Key(Backups("a folder or a URL"), "where its backups lie: a folder or a URL"),
        "backup": Key(
            Backups("a path or a URL", setting=FILE), "a single backup instead: a path or a URL"
        ),
        "series": Key(
            SeriesName("the name of a series"),
            "which series of backups it is, where there are several",
        ),
        **KEYS,
    },
    build=database_of,
    needs={
        "not": {
            "anyOf": [{"required": ["backups", "backup"]}, {"required": ["backup", "series"]}],
        },
    },
)
DISCOVER = Section(
    {
        "source": Key(
            Source("a folder or a URL"), "where to look: a folder, s3://bucket/folder", "", True
        ),
        "ignore": Key(Patterns("patterns of series"), "series to leave out: names or patterns"),
        **KEYS,
    },
    build=Written,
)
RUN = Section(
    {
        "tries": Key(
            Several("tries"), "how often a drill that could not run is tried (default: 3)"
        ),
        "at_once": Key(
            Several("drills"), "how many drills of one source run at the same time (default: 4)"
        ),
    },
    "[run]",
    build=Written,
)
FLEET = Section(
    {
        "defaults": Key(
            Section(KEYS, "[defaults]", build=Written), "what holds for every database of this file"
        ),
        "databases": Key(Entries(DATABASE, "[databases]", "[databases.{}]"), "databases, by name"),
        "discover": Key(
            Tables(DISCOVER, ""), "places where each series of backups is taken for a database"
        ),
        "run": Key(RUN, "how drills are run"),
    }
)


def schema() -> dict[str, Any]:
    """JSON Schema of the fleet file, by which editors complete and check it."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Fleet of restore drills",
        **FLEET.schema(),
    }
