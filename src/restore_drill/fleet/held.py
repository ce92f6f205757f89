"""Which drills were held to the criteria and limits that a database has now."""

from __future__ import annotations

from collections.abc import Sequence

from restore_drill.watch.history import Drill


def held_to(drills: Sequence[Drill], terms: str) -> list[Drill]:
    """Those of `drills` that were held to these `terms`; one that does not say so is of any."""
    return [each for each in drills if not (terms and each.terms) or each.terms == terms]


def last_held(drills: Sequence[Drill], terms: str) -> Drill | None:
    """The last of `drills` that was held to these `terms`; None where they have changed.

    Others, by hand or of another fleet, may be held to their own in between.
    """
    held = held_to(drills, terms)
    is_known = drills[-1] in held[-1:] or any(each.terms == terms for each in held)
    return held[-1] if is_known else None
