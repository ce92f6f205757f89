"""How a physical backup is recovered, as far as settings say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from restore_drill.config.criteria import Criteria
from restore_drill.config.criteria.pgbackrest import PgBackRest
from restore_drill.config.options import OPTIONS
from restore_drill.config.values import path_of

LATEST = "latest"


@dataclass(frozen=True)
class Recovery:
    """Where recovery ends (`to`, as given), on which `timeline`, of which `label` of a repository.

    `wal` is where archived WAL lies, None where nobody has said; `database` is the one that the
    criteria file is about, empty where nobody has said; `pgbackrest` is None unless it is named.
    """

    to: str = LATEST
    timeline: str = LATEST
    label: str = ""
    wal: Path | None = None
    database: str = ""
    is_atomic: bool = False
    pgbackrest: PgBackRest | None = None

    @property
    def is_to_latest(self) -> bool:
        """Whether recovery is to end with the newest WAL."""
        return self.to.lower() == LATEST


def recovery_of(given: dict[str, str | None], criteria: Criteria, here: Path) -> Recovery:
    """What is `given`, and what the criteria file says."""
    named = criteria.backup_pgbackrest
    return Recovery(
        to=(given["recover_to"] or OPTIONS["recover_to"].default or "").strip(),
        timeline=(given["timeline"] or OPTIONS["timeline"].default or "").strip().lower(),
        label=(given["set"] or (named.label if named else "")).strip(),
        wal=path_of(given, "wal", here, must_exist=True),
        database=criteria.backup_database,
        is_atomic=criteria.backup_atomic,
        pgbackrest=named,
    )
