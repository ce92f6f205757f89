"""What became of the drill before: a pass after a red one is a recovery."""

from __future__ import annotations

from operator import attrgetter

from restore_drill.config.settings import Settings
from restore_drill.results.result import Result
from restore_drill.watch.entry import drill_of
from restore_drill.watch.groups import group_of
from restore_drill.watch.history import History


def verdict_before(history: History, result: Result, settings: Settings) -> str:
    """Verdict of the drill before that of `result` in its series, by the `history`.

    Empty where there is none.
    """
    now = drill_of(result, settings)
    if now.pick:  # what became of another backup says nothing of this one
        every = sorted((*history.drills, *history.picks), key=attrgetter("line"))
        one = attrgetter("backup", "series", "place")
        of_it = [each for each in every if one(each) == one(now) and each.at != now.at]
    else:
        _, of_it = group_of([each for each in history.drills if each.at != now.at], now)
    return of_it[-1].verdict if of_it else ""
