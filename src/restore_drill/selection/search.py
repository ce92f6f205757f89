"""Search for the newest backup that passes, among those of a series."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Found:
    """What a search came to: places in the series, 0 for the newest backup.

    `good` is the newest that passes, None where none does; `bad` the one right after it, which does
    not, None where the newest passes. `judged` says of each that was drilled whether it passes.
    """

    good: int | None
    bad: int | None
    judged: dict[int, bool]

    @property
    def bad_before(self) -> list[int]:
        """Those that fail though they are older than the good one: damage that came and went."""
        good = self.good
        return [at for at, is_good in self.judged.items() if good is not None and at > good
                and not is_good]  # fmt: skip


def search(count: int, passes: Callable[[int], bool], *, linear: bool) -> Found:
    """The newest of `count` backups that `passes`, by as few drills as it takes, or by all.

    It goes back in doubling steps until one passes, and then halves what lies between. That finds
    the newest good one where damage stays once it has come; otherwise a good one with a bad one
    right after it, of which there may be newer: where it is `linear` each one is judged.
    """
    judged: dict[int, bool] = {}

    def judge(at: int) -> bool:
        judged[at] = passes(at)
        return judged[at]

    if linear:
        good = min((at for at in range(count) if judge(at)), default=None)
        return Found(good, bad_after(good, count), judged)
    if judge(0):
        return Found(0, None, judged)
    bad, step = 0, 1
    while bad < count - 1:
        at = min(bad + step, count - 1)
        if judge(at):
            good = halved(bad, at, judge)
            return Found(good, good - 1, judged)
        bad, step = at, step * 2
    return Found(None, count - 1, judged)


def bad_after(good: int | None, count: int) -> int | None:
    """The bad one right after the `good` one, where each was judged."""
    return count - 1 if good is None else good - 1 if good else None


def halved(bad: int, good: int, judge: Callable[[int], bool]) -> int:
    """The newest that is good between a `bad` and an older `good` one."""
    while good - bad > 1:
        middle = (good + bad) // 2
        if judge(middle):
            good = middle
        else:
            bad = middle
    return good
