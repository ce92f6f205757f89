"""Which backup of a series is drilled: `--pick`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from random import Random, SystemRandom

from restore_drill.backups.choice import Picked
from restore_drill.config.choice import NEWEST, Pick
from restore_drill.core.errors import UsageError
from restore_drill.core.units import show_count, show_time, some
from restore_drill.selection.candidate import Candidate, Series

Proofs = Callable[[Candidate], datetime | None]
"""When a drill has last proved a backup, None for never."""
MOST_NAMED = 3
DAY = 86400.0
SELDOM = 0.01
"""Days that one counts as not proved that was proved just now: it stays possible."""


def unproved(_candidate: Candidate) -> datetime | None:
    """Nothing is known to be proved."""
    return None


def picked(
    series: Series, pick: Pick, zone: tzinfo, proofs: Proofs, chance: Random | None = None
) -> Candidate:
    """The backup of `series` (newest first) that `pick` says; days are those of `zone`.

    Raises UsageError where there is no such backup.
    """
    ways: dict[str, Callable[[], Candidate]] = {
        NEWEST: lambda: series[0],
        "oldest": lambda: series[-1],
        "random": lambda: at_random(series, proofs, chance or SystemRandom()),
        "weekly": lambda: longest_unproved(newest_by_week(series, zone), proofs),
        "number": lambda: at_place(series, pick),
        "day": lambda: of_day(series, pick, zone),
        "name": lambda: called(series, pick),
    }
    return ways[pick.how]()


def at_place(series: Series, pick: Pick) -> Candidate:
    """The one that has that number, counted from the newest."""
    if pick.number > len(series):
        raise not_there(pick, series, f"the series has {show_count(len(series), 'backup')}")
    return series[pick.number - 1]


def at_random(series: Series, proofs: Proofs, chance: Random) -> Candidate:
    """One of `series`, each as likely as the days are many for which no drill has proved it.

    One that was never proved counts as twice the whole time for which backups are kept: it comes
    before long, however many there are.
    """
    now = datetime.now(UTC)
    kept = max((now - series[-1].taken_at).total_seconds() / DAY, 1.0)

    def weight(each: Candidate) -> float:
        last = proofs(each)
        return max((now - last).total_seconds() / DAY, SELDOM) if last else 2 * kept

    return chance.choices(series, [weight(each) for each in series])[0]


def newest_by_week(series: Series, zone: tzinfo) -> Series:
    """The newest backup of each week, from Monday to Sunday: what a weekly retention keeps."""
    weeks: dict[tuple[int, int], Candidate] = {}
    for each in series:
        year, week, _ = each.taken_at.astimezone(zone).isocalendar()
        weeks.setdefault((year, week), each)
    return list(weeks.values())


def longest_unproved(found: Sequence[Candidate], proofs: Proofs) -> Candidate:
    """The one that no drill has proved for the longest time; of those never proved the newest."""
    never = datetime.min.replace(tzinfo=UTC)
    return min(found, key=lambda each: proofs(each) or never)


def of_day(series: Series, pick: Pick, zone: tzinfo) -> Candidate:
    """The newest that was taken on that day; one that is called so goes first."""
    day = pick.day
    assert day is not None
    if named := [each for each in series if each.label == pick.text]:
        return named[0]
    for each in series:
        if each.taken_at.astimezone(zone).date() == day:
            return each

    def distance(each: Candidate) -> int:
        return abs((each.taken_at.astimezone(zone).date() - day).days)

    nearest = min(series, key=distance)
    when = show_time(nearest.taken_at)
    raise not_there(pick, series, f"the nearest is {nearest.label} of {when}")


def called(series: Series, pick: Pick) -> Candidate:
    """The one whose name, or end of its path, was given."""
    named = [each for each in series if pick.text in (each.label, str(each.path))]
    named += [each for each in series if str(each.path).endswith(f"/{pick.text}")]
    if named:
        return named[0]
    names = some([each.label for each in series], MOST_NAMED)
    why = f"a pick is newest, oldest, random, weekly, a number, a day or a name: {names}"
    raise not_there(pick, series, why)


def not_there(pick: Pick, series: Series, why: str) -> UsageError:
    """No backup of `series` is what was asked for."""
    name = series[0].series
    return UsageError(f"--pick (DRILL_PICK) {pick.text}: no such backup in series {name}; {why}")


def words_on(candidate: Candidate, series: Series, pick: Pick, proofs: Proofs) -> str:
    """`picked (--pick random) out of 14 backups, the newest but 3; not yet proved by a drill`."""
    place = series.index(candidate)
    where = {0: "the newest", 1: "the one before the newest"}.get(place, f"number {place + 1}")
    text = f"picked (--pick {pick.text}) out of {show_count(len(series), 'backup')}: {where}"
    if pick.by_proofs:
        last = proofs(candidate)
        text += f"; last proved {show_time(last)}" if last else "; not yet proved by a drill"
    return text


def picked_record(candidate: Candidate, series: Series, pick: Pick) -> Picked | None:
    """That an older backup was picked; None for the newest, which is drilled as always."""
    newest = series[0]
    if candidate is newest:
        return None
    return Picked(pick.text, newest.label, newest.taken_at, newest.time_source)
