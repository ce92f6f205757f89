"""The section `[backup]`: which backups are drilled, and how they are to come."""

from __future__ import annotations

from typing import Any

from restore_drill.config.criteria.due import Due
from restore_drill.config.criteria.kinds import Flag, Names, Number, Text
from restore_drill.config.criteria.pgbackrest import PGBACKREST
from restore_drill.config.criteria.place import Place
from restore_drill.config.criteria.sections import Key, Section
from restore_drill.config.criteria.times import Zone


def backup_of(place: Place, values: dict[str, Any]) -> dict[str, Any]:
    """The section `[backup]`."""
    del place
    return values | {"backup_series": tuple(values.get("backup_series", ()))}


BACKUP = Section(
    {
        "timezone": Key(Zone(), "time zone of the times in backup names: Europe/Berlin"),
        "name": Key(
            Text("a pattern"), "pattern of the names to choose from: shop_*", "backup_name"
        ),
        "series": Key(
            Names("names of series"),
            "series that are drilled, names or patterns (default: all)",
            "backup_series",
        ),
        "every": Key(
            Due(), "how often a backup is taken (1d); a gap is then a finding", "backup_every"
        ),
        "numbered": Key(
            Flag(),
            "numbers and commits in names count the backups of one database: shop-1842.dump",
            "backup_numbered",
        ),
        "database": Key(
            Text("the name of a database"),
            "database of a physical backup that the criteria are about (default: the only one, "
            "or the largest)",
            "backup_database",
        ),
        "atomic_snapshot": Key(
            Flag(),
            "a copied data directory of a running server is one atomic snapshot of its file system",
            "backup_atomic",
        ),
        "pgbackrest": Key(PGBACKREST, "repository of pgBackRest to drill", "backup_pgbackrest"),
        "min_size_ratio": Key(
            Number(), "minimum size, as a share of the median of earlier backups"
        ),
    },
    "[backup]",
    build=backup_of,
)
