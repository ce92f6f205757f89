"""Around a reset in place: first the lock on the name, then the database is shut for others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.remedies import remedy_for
from restore_drill.core.server_errors import error_text
from restore_drill.live.in_place.door import for_reset
from restore_drill.live.in_place.others import Watch
from restore_drill.live.in_place.place import InPlace, StillShut
from restore_drill.live.server.identity import identity_of_server
from restore_drill.live.server.maintenance import maintenance_target
from restore_drill.live.server.name_lock import NameLock
from restore_drill.servers.model import Target


@contextmanager
def in_place(target: Target, folder: Path, max_wait: float, jobs: int = 1) -> Iterator[InPlace]:
    """The live database of `target` under the lock on its name, which is taken first.

    The lock is held in the database postgres where that lets the role in, else in the live one.
    CouldNotRun where another drill has it.
    """
    server = maintenance_target(for_reset(target), ["postgres"])
    with ExitStack() as stack:
        try:
            lock = stack.enter_context(NameLock(server, target.conninfo["dbname"]))
            identity = identity_of_server(for_reset(target))
        except psycopg.Error as error:
            raise CouldNotRun(
                f"{target.description} was not touched: it could not be examined",
                checked=[error_text(error)],
                remedy=remedy_for("in_place", "not_read"),
            ) from None
        watch = Watch(server, identity.oid)
        yield InPlace(for_reset(target), lock, folder, identity, max_wait, watch, jobs)


@contextmanager
def kept_shut(place: InPlace) -> Iterator[list[str]]:
    """The database shut for others while this lasts; lines on the sessions that were ended.

    It stays shut where it was reset and has no verdict: with its journal, for the next run.
    """
    why: CouldNotRun | None = None
    try:
        lines = place.shut()
        with place.watch:
            yield lines
    except CouldNotRun as error:
        why = error
        raise
    finally:
        if place.is_untouched:
            open_again(place, why)


def open_again(place: InPlace, why: CouldNotRun | None) -> None:
    """Open the database, which nothing was done to for the reason `why`; StillShut names both."""
    try:
        place.open()
    except StillShut as shut:
        if why is None:
            raise
        both = f"{why.what}; {shut.what}"
        raise StillShut(both, checked=[*why.checked, *shut.checked], remedy=shut.remedy) from None
