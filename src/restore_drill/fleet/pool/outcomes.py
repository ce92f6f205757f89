"""How one try of a drill ended, from what Dask says of its task."""

from __future__ import annotations

from restore_drill.core.errors import EXIT_INTERNAL
from restore_drill.fleet.model import Done
from restore_drill.fleet.pool.book import Flight
from restore_drill.fleet.pool.cluster import ANSWER


def outcome(flight: Flight) -> Done | None:
    """How the task of `flight` ended, by its Dask status; None where that is not to be had yet.

    Its worker may have died before it gave the result away: then the drill is done again.
    """
    try:
        if flight.future.status == "finished":
            done: Done = flight.future.result(timeout=ANSWER)
            return done
        error = flight.future.exception(timeout=ANSWER)
    except Exception:  # noqa: BLE001 - TimeoutError, CancelledError, OSError: the next look tells
        return None
    if type(error).__name__ == "KilledWorker":
        return lost(flight)
    why = f"the worker could not begin: {type(error).__name__}"
    return Done("", EXIT_INTERNAL, flight.machine.name, flight.seconds, why=why)


def lost(flight: Flight) -> Done:
    """The end of a try whose worker has gone."""
    why = f"worker {flight.machine.name} was lost while it drilled"
    return Done("", None, flight.machine.name, flight.seconds, why=why)
