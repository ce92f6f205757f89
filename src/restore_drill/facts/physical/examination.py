"""What came of examining a recovered server."""

from __future__ import annotations

from dataclasses import dataclass, field

from restore_drill.facts.physical.amcheck import Said
from restore_drill.facts.physical.databases import Cluster, Database
from restore_drill.facts.physical.guard import Guard
from restore_drill.facts.physical.model import Pages


@dataclass
class Examination:
    """What came of it.

    `pages` is what the files hold, with entries of indexes that meet no row; `said` what amcheck
    says of the `examined` relations. `unopened` are databases that cannot be opened, with the
    reason; `unlogged` tables are empty by design. `told` is what could not be checked, `warnings`
    what may be damage. `is_away`: the server has crashed for good, and the rest is not checked.
    """

    databases: list[Database] = field(default_factory=list)
    unopened: dict[str, str] = field(default_factory=dict)
    cluster: Cluster = field(default_factory=Cluster)
    pages: Pages = field(default_factory=Pages)
    said: list[Said] = field(default_factory=list)
    examined: int = 0
    unlogged: list[str] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    guard: Guard = field(default_factory=Guard)
    is_away: bool = False

    @property
    def storage(self) -> list[str]:
        """What amcheck has found to be damaged."""
        return [each.problem for each in self.said if each.is_damage]

    @property
    def crashes(self) -> list[str]:
        """Tables and indexes at which the server crashes."""
        return [each.problem for each in self.said if each.has_crashed]

    @property
    def closed(self) -> list[str]:
        """Databases that cannot be read, with the reason; that the server is gone comes first."""
        gone = ["the server has crashed and does not come back"] if self.is_away else []
        return gone + [f"database {name}: {why}" for name, why in self.unopened.items()]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.storage and not self.unopened and not self.is_away and self.pages.is_sound

    def damaged(self, database: Database) -> dict[int, str]:
        """Why rows of a table of `database` are not read, by its oid."""
        found: dict[int, str] = {}
        for each in self.said:
            table = each.relation
            if each.is_damage and table.has_rows and table.prefix == database.prefix:
                found[table.owner or table.oid] = each.problem if table.owner else each.what
        return found
