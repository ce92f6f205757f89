"""The repository of pgBackRest that the criteria file names, under `[backup]`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from restore_drill.config.criteria.kinds import Count, Folder, Text
from restore_drill.config.criteria.place import Place
from restore_drill.config.criteria.sections import Key, Section


class PgBackRest(NamedTuple):
    """A repository of pgBackRest: `config` is its configuration file, None for its own default.

    `label` is the backup set that is meant, empty for the newest; `repo` counts from 1.
    """

    stanza: str
    config: Path | None = None
    repo: int = 1
    label: str = ""


def pgbackrest_of(place: Place, values: dict[str, Any]) -> PgBackRest:
    """The repository."""
    if values.get("repo", 1) < 1:
        raise place.error("repo counts from 1")
    return PgBackRest(**values)


PGBACKREST = Section(
    {
        "stanza": Key(Text("the name of a stanza"), "name of the stanza", "", True),
        "config": Key(Folder("a path"), "configuration file (default: pgBackRest's own)"),
        "repo": Key(Count("a repository"), "number of the repository (default: 1)"),
        "set": Key(Text("the label of a backup"), "backup set (default: the newest)", "label"),
    },
    "[backup] pgbackrest",
    build=pgbackrest_of,
)
