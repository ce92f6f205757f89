"""What an earlier drill in place has left: found by its journal, and by its mark on the database.

The mark comes and goes with the settings, and names the snapshot from the reset on. So it is right
where journals of several machines are not: the database may have been opened, or reset, elsewhere.
"""

from __future__ import annotations

import platform
from dataclasses import replace
from pathlib import Path

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.live.in_place import journal as journals
from restore_drill.live.in_place.door import is_shut
from restore_drill.live.in_place.journal import RESET, ResetJournal
from restore_drill.live.in_place.mark import Mark, mark_on, opening_of
from restore_drill.live.in_place.place import InPlace
from restore_drill.live.in_place.refusals import Undecided, refuse_undecided, way_back
from restore_drill.live.in_place.source import read_source


def settle(place: InPlace) -> list[str]:
    """Open what an earlier drill has left shut; a line on each.

    CouldNotRun where one was stopped between the reset and its verdict.
    """
    found = journals.resets_of(place.folder, place.server)
    mark = mark_on(place.target)
    refuse_undecided(place.folder, found, is_marked=mark is not None)
    if mark and mark.snapshot and not any(each.has_verdict_on(mark) for each in found):
        raise reset_elsewhere(place, mark)
    lines = []
    if mark is not None and not found:
        place.begin(mark.former)
        assert place.journal is not None
        lines.append(open_left(place, f"database {place.server.database} was shut"))
    for each in found:
        place.journal = by_mark(each, mark)
        lines.append(open_left(place, f"database {each.name} was {each.step}"))
    return lines


def open_left(place: InPlace, when: str) -> str:
    """Open the database, which a drill has left; a line on that.

    Where it was opened by hand, or from another machine, its settings are left alone.
    """
    place.lock.check()
    with place.target.connect() as connection:
        is_left = is_shut(connection)
    if is_left:
        place.open()
        return f"an earlier drill was stopped when {when}: others may write into it again"
    place.remove_journal()
    return f"an earlier drill was stopped when {when}, and it is open"


def by_mark(journal: ResetJournal, mark: Mark | None) -> ResetJournal:
    """`journal` with the settings that `mark` holds: another machine may have shut it since."""
    return journal if mark is None else replace(journal, **mark.former._asdict())


def reset_elsewhere(place: InPlace, mark: Mark) -> CouldNotRun:
    """The error that a drill whose journal is not here has reset the database."""
    name = place.server.database
    path = place.folder / mark.snapshot
    rollback, opening = way_back(path, name), opening_of(name, mark.former)
    source = read_source(path)
    if source is not None and source.server.database != name:
        old = source.server.database
        remedy = remedy_for("rollback", "renamed", now=name, name=old, rollback=way_back(path, old))
    elif path.is_file():
        remedy = remedy_for("in_place", "reset_here", rollback=rollback, opening=opening)
    elif mark.machine == platform.node():
        moved = way_back(Path("FOLDER") / path.name, name)
        remedy = remedy_for("in_place", "reset_moved", rollback=moved, opening=opening)
    else:
        remedy = remedy_for(
            "in_place", "reset_elsewhere", snapshot=path.name, rollback=rollback, opening=opening
        )
    what = f"the comment on the database: snapshot {mark.snapshot}, machine {mark.machine}"
    return Undecided(
        f"an earlier drill was stopped after it had reset database {name}, before its verdict, "
        f"and its journal is not in {place.folder}",
        checked=[what] if path.is_file() else [what, f"there is no {path}"],
        remedy=remedy,
    )


def adopt(place: InPlace) -> None:
    """Go on with what an earlier run has left, if there is anything, before a rollback."""
    found = journals.resets_of(place.folder, place.server)
    mark = mark_on(place.target)
    place.journal = by_mark(found[0], mark) if found else None
    if mark is None:
        return
    if place.journal is None:
        place.begin(mark.former)
    assert place.journal is not None
    if mark.snapshot and not (place.is_undecided or place.journal.has_verdict_on(mark)):
        place.advance(RESET, place.folder / mark.snapshot)
