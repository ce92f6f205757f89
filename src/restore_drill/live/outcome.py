"""What becomes of a promotion at the end of a drill, and its part of result.json."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.record import Record
from restore_drill.core.steps import Steps
from restore_drill.core.units import show_count
from restore_drill.live.promotion import Promotion
from restore_drill.live.settle import NotSettled


def not_promoted(promotion: Promotion, why: str, lost: Sequence[str]) -> dict[str, Any]:
    """Part `promotion` of result.json while, or where, the live database is what it was."""
    return {
        "promoted": False,
        "database": promotion.name,
        "kept": None,
        "why": why,
        "lost": list(lost),
        "live_database": f"{promotion.name} is what it was before the drill",
    }


class Outcome(NamedTuple):
    """What the drill has come to.

    `unproved` lists why the restored database is not proved; `beside` names criteria that failed
    and do not concern it; `lost` is the loss that was accepted at the start. `lost_meanwhile` gives
    what the promotion loses now, and raises CouldNotRun where that was not accepted.
    """

    unproved: Sequence[str]
    beside: Sequence[str]
    lost: Sequence[str]
    lost_meanwhile: Callable[[], list[str]]


def conclude(promotion: Promotion, outcome: Outcome, steps: Steps, record: Record) -> None:
    """Promote where the whole drill has proved the restored database; report why not.

    CouldNotRun where the swap did not come about.
    """
    unproved, beside, lost, lost_meanwhile = outcome
    steps.line()
    if unproved:
        more = f", and {show_count(len(unproved) - 1, 'more reason')}" if unproved[1:] else ""
        why = f"the restored copy was not proved good: {unproved[0]}{more}"
        record.promotion = not_promoted(promotion, why, lost)
        steps.warn(f"Not promoted: {why}")
        return
    with record.stage("promote"):
        try:
            lost = [*lost, *(line for line in lost_meanwhile() if line not in lost)]
            for line in promotion.check():
                steps.note(line)
            done = promotion.carry_out()
        except CouldNotRun as error:
            record.promotion = not_promoted(promotion, error.what, lost)
            if isinstance(error, NotSettled):
                record.promotion |= {"promoted": None, "live_database": error.what}
            steps.bad(str(error))
            raise
    record.promotion = done | {
        "lost": list(lost),
        "live_database": f"{promotion.name} is the restored backup; what it held before is "
        f"whole, in {done['kept']}",
    }
    steps.ok(f"Promoted: {record.promotion['live_database']}")
    steps.note(f"The way back: {done['way_back']}")
    if beside:
        steps.warn(f"What failed does not concern the database: {', '.join(beside)}")
