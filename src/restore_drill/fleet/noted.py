"""The drills of one database among all in a history, found without reading the others each time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from operator import attrgetter

from restore_drill.core.printable import printable
from restore_drill.fleet.model import Database
from restore_drill.selection.groups import short_names
from restore_drill.watch.history import Drill, History
from restore_drill.watch.kept import is_at

ANY = ""
"""Stands for every name."""


class Noted:
    """The drills of a `history`, by where their backups lie and by the names of their series.

    In `drills` these are in full, in `called` also as they may be called for short.
    """

    def __init__(self, history: History) -> None:
        """Those of a history beside the backups have no place."""
        self.history, self.picks = history, set[int]()
        self.drills = defaultdict[tuple[str | None, str], list[Drill]](list)
        self.called = defaultdict[tuple[str | None, str], list[Drill]](list)
        for at, each in enumerate((*history.drills, *history.picks)):
            series, drill = printable(each.series or ANY), of_any(each)
            self.picks |= {id(drill)} if at >= len(history.drills) else set()
            for name in {ANY, series}:
                self.drills[each.place, name].append(drill)
            for name in short_names(series):
                self.called[each.place, name].append(drill)

    def of(
        self, database: Database, place: str | None, series: Iterable[str], file: str | None,
        server: str | None = None,
    ) -> History:  # fmt: skip
        """The history of `database` alone, whose backups lie at `place` of `server`, beside others.

        It goes by the `series` that it has, or by its one `file`. Of a name in full it has the
        drills of that alone: `/db` and `shop/db` are two, and both may be called `db`.
        """
        wanted = printable(database.series)
        full = set(map(printable, series)) if wanted else {ANY}
        keys = {(each, True) for each in full} | {(wanted, "/" in wanted)}
        found = {
            id(drill): drill
            for where in {None, place}
            for name, is_full in keys
            for drill in (self.drills if is_full else self.called).get((where, name), ())
            if (not database.backup or drill.backup == file) and is_at(drill, server)
        }
        mine = sorted(found.values(), key=attrgetter("line"))
        return self.history._replace(
            drills=[each for each in mine if id(each) not in self.picks],
            picks=[each for each in mine if id(each) in self.picks],
        )


def of_any(drill: Drill) -> Drill:
    """`drill`; one that found no backup, and has a name as it was asked for, may be of any series.

    The next one of what is called so makes up for it.
    """
    is_short = drill.series and "/" not in drill.series
    return replace(drill, series=None) if is_short and not drill.backup else drill
