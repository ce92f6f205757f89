"""The drills of one database among all in a history, found without reading the others each time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from operator import attrgetter

from restore_drill.fleet.model import Database
from restore_drill.selection.groups import short_names
from restore_drill.watch.history import Drill, History
from restore_drill.watch.kept import is_at

ANY = ""
"""Stands for every name."""


class Noted:
    """The drills of a `history`, by where their backups lie and by what their series are called."""

    def __init__(self, history: History) -> None:
        """Those of a history beside the backups have no place."""
        self.history, self.picks = history, set(map(id, history.picks))
        self.drills = defaultdict[tuple[str | None, str], list[Drill]](list)
        for each in (*history.drills, *history.picks):
            for name in names_of(each):
                self.drills[each.place, name].append(each)

    def of(
        self, database: Database, place: str | None, series: Iterable[str], file: str | None,
        server: str | None = None,
    ) -> History:  # fmt: skip
        """The history of `database` alone, whose backups lie at `place` of `server`, beside others.

        It goes by the `series` that it has, or by its one `file`.
        """
        wanted = database.series.strip("/")
        names = {wanted, *(series if wanted else ())}
        found = {
            id(drill): drill
            for key in {None, place}
            for name in names
            for drill in self.drills.get((key, name), ())
            if (not database.backup or drill.backup == file) and is_at(drill, server)
        }
        mine = sorted(found.values(), key=attrgetter("line"))
        return self.history._replace(
            drills=[each for each in mine if id(each) not in self.picks],
            picks=[each for each in mine if id(each) in self.picks],
        )


def names_of(drill: Drill) -> Iterator[str]:
    """What the series of `drill` may be called by, and ANY."""
    name = (drill.series or "").strip("/")
    yield from {ANY, *((drill.series or ANY, *short_names(name)) if name else ())}
