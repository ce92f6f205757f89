"""What becomes of a promotion at the end of a drill, and its part of result.json."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from restore_drill.core.errors import CouldNotRun
from restore_drill.core.record import Record
from restore_drill.core.steps import Steps
from restore_drill.core.units import show_count
from restore_drill.live.promote.promotion import Promotion
from restore_drill.live.promote.settle import NotSettled
from restore_drill.redis.cached import lines_on_cached
from restore_drill.redis.coherence.stale import lines_on_coherence


def not_promoted(promotion: Promotion, why: str, lost: Sequence[str]) -> dict[str, Any]:
    """Part `promotion` of result.json while, or where, the live database is what it was."""
    return {
        "promoted": False,
        "database": promotion.name,
        "kept": None,
        "why": why,
        "lost": list(lost),
        "live_database": promotion.as_before,
    }


class Outcome(NamedTuple):
    """What the drill has come to.

    `unproved` lists why the restored database is not proved; `beside` names criteria that failed
    and do not concern it; `lost` is the loss that was accepted at the start. `find_loss` gives what
    the promotion loses, and raises CouldNotRun where that was not accepted; `last_check` refuses
    what was written since. Signals are held back by `hold_back` from then on.
    """

    unproved: Sequence[str]
    beside: Sequence[str]
    lost: Sequence[str]
    find_loss: Callable[[], list[str]]
    last_check: Callable[[], None]
    hold_back: Callable[[], None]


def exchange(
    promotion: Promotion, outcome: Outcome, lost: Sequence[str], steps: Steps, record: Record
) -> None:
    """Swap the two databases, and report it as soon as it is done."""

    def announce(done: dict[str, Any]) -> None:
        record.promotion = done | {"lost": list(lost)}
        record.warnings += lines_on_cached(record.redis)
        record.warnings += lines_on_coherence(record.coherence)
        steps.ok(f"Promoted: {done['live_database']}")
        steps.note(f"The way back: {done['way_back']}")

    steps.clear_progress()
    for line in promotion.check():
        steps.note(line)
    promotion.carry_out(outcome.last_check, announce)


def conclude(promotion: Promotion, outcome: Outcome, steps: Steps, record: Record) -> None:
    """Promote where the whole drill has proved the restored database; report why not.

    CouldNotRun where the swap did not come about.
    """
    unproved, beside, lost = outcome.unproved, outcome.beside, outcome.lost
    steps.line()
    if unproved:
        more = f", and {show_count(len(unproved) - 1, 'more reason')}" if unproved[1:] else ""
        why = f"the restored copy was not proved good: {unproved[0]}{more}"
        record.promotion = not_promoted(promotion, why, lost)
        steps.warn(f"Not promoted: {why}")
        return
    with record.stage("promote"):
        try:
            lost = [*lost, *(line for line in outcome.find_loss() if line not in lost)]
            outcome.hold_back()
            exchange(promotion, outcome, lost, steps, record)
        except CouldNotRun as error:
            record.promotion = not_promoted(promotion, error.what, lost) | {"next": error.remedy}
            if isinstance(error, NotSettled):
                record.promotion |= {"promoted": None, "live_database": error.what}
            raise
        except KeyboardInterrupt:
            # Raised further it would keep pytest from dropping the restored database.
            outcome.hold_back()
            why = "interrupted while the two were compared"
            record.promotion = not_promoted(promotion, why, lost)
            raise CouldNotRun(f"database {promotion.name} was not touched: {why}") from None
    if beside:
        steps.warn(f"What failed does not concern the database: {', '.join(beside)}")
