"""The four numbers at the top of the report, each against its budget and the drills before."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from markupsafe import Markup

from restore_drill.core.units import show_bytes, show_count, show_duration
from restore_drill.results.age import data_age
from restore_drill.results.charts import Dot, line, meter
from restore_drill.results.past import Background, Past
from restore_drill.results.result import Result

Show = Callable[[float], str]


class Tile(NamedTuple):
    """One number: what it is, its value and budget in words, its bar and its trend as SVG."""

    title: str
    value: str
    against: str
    is_bad: bool = False
    bar: Markup = Markup()
    trend: Markup = Markup()


def tiles_of(result: Result, background: Background) -> list[Tile]:
    """Age of the data, time of recovery, rows and size; those that are known.

    The tiles get all `drills`, of which the last is this one: its verdict alone.
    """
    now = Past(datetime.fromisoformat(result["started_at"]), result["verdict"])
    drills, rows = [*background.before(result["started_at"]), now], total_of(result, "rows")
    found = [
        age_tile(result, background, drills),
        time_tile(result, drills),
        plain_tile("Rows", rows, [each.rows for each in drills], drills, count_rows),
        size_tile(result, drills),
    ]
    return [tile for tile in found if tile is not None]


def count_rows(number: float) -> str:
    """`1,583 rows`."""
    return show_count(round(number), "row")


def total_of(result: Result, key: str) -> int | None:
    """`rows` or `bytes` of all restored tables; None where no table's are known.

    Those of a partitioned table are those of its partitions.
    """
    tables = result["tables"].values()
    counts = [each.get(key) for each in tables if not each.get("partitioned")]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def size_tile(result: Result, drills: Sequence[Past]) -> Tile | None:
    """How large the backup is, and what was restored from it."""
    size = (result["backup"] or {}).get("bytes")
    sizes = [each.size for each in drills]
    tile = plain_tile("Size of the backup", size, sizes, drills, show_bytes)
    restored = total_of(result, "bytes")
    if tile is None or restored is None:
        return tile
    parts = [tile.against, f"restored {show_bytes(restored)}"]
    return tile._replace(against="; ".join(filter(None, parts)))


def age_tile(result: Result, background: Background, drills: Sequence[Past]) -> Tile | None:
    """How old the data is: so much is lost if the backup is needed now (RPO)."""
    age = data_age(result)
    if age is None:
        return None
    is_newest = not result["sample"] and not result["backup"].get("picked")
    budget = background.max_age if is_newest else None
    values = [each.age for each in drills]
    return budgeted("Age of the data (RPO)", age, budget, values, drills)


def time_tile(result: Result, drills: Sequence[Past]) -> Tile | None:
    """How long it takes to restore and to verify (RTO)."""
    times, budgets = result["timings"], result["budgets"]
    if times["restore"] is None:
        return None
    both = recovery_budget(budgets)
    known = [name for name in ("restore", "verify") if times[name]]
    over = [name for name in known if times[name] > (budgets.get(name) or math.inf)]
    if times["verify"] is None or (both is None and budgets.get("restore") is not None):
        values = [each.restore for each in drills]
        title, seconds, budget = "Time to restore (RTO)", times["restore"], budgets.get("restore")
    else:
        values = [each.recovery for each in drills]
        title, seconds = "Time to restore and verify (RTO)", times["restore"] + times["verify"]
        budget = both
    tile = budgeted(title, seconds, budget, values, drills, is_over=bool(over))
    parts = [f"{name} {show_duration(times[name])}" + " (over its budget)" * (name in over)
             for name in known]  # fmt: skip
    return tile._replace(against=f"{', '.join(parts)}; {tile.against}")


def recovery_budget(budgets: Mapping[str, float | None]) -> float | None:
    """Seconds that restore and verification may take together; None unless both have a limit."""
    restore, verify = budgets.get("restore"), budgets.get("verify")
    return None if restore is None or verify is None else restore + verify


def budgeted(
    title: str,
    value: float,
    budget: float | None,
    values: Sequence[float | None],
    drills: Sequence[Past],
    *,
    is_over: bool = False,
) -> Tile:
    """A number of seconds with its budget; with `is_over` a part of it has missed its own."""
    is_bad = is_over or (budget is not None and not 0 <= value <= budget)
    against = f"budget {show_duration(budget)}" if budget is not None else "no budget is set"
    sentence = f"{title}: {show_duration(value)}, {against}"
    return Tile(
        title,
        show_duration(value),
        against,
        is_bad,
        meter(value, budget, sentence, is_bad=is_bad),
        trend(title, value, values, drills, show_duration, budget),
    )


def plain_tile(
    title: str,
    value: float | None,
    values: Sequence[float | None],
    drills: Sequence[Past],
    show: Show,
) -> Tile | None:
    """A number without a budget, against that of the last drill that knew it."""
    if value is None:
        return None
    last = next((each for each in reversed(values) if each is not None), None)
    against = "" if last is None else f"{change(value, last)} since the last drill"
    drawn = trend(title, value, values, drills, show)
    return Tile(title, show(value), against, trend=drawn)


def change(value: float, last: float) -> str:
    """`+1.3 %`; how `value` differs from `last`."""
    if value == last:
        return "unchanged"
    return f"{value / last - 1:+.1%}" if last else f"{value:+,}"


def trend(
    title: str,
    value: float,
    values: Sequence[float | None],
    drills: Sequence[Past],
    show: Show,
    budget: float | None = None,
) -> Markup:
    """Line of the last drills and this one, whose own is `value`; empty where there are none."""
    known = [(place, each) for place, each in enumerate(values) if each is not None][-30:]
    if not known:
        return Markup()
    dots = [Dot(place, each, drills[place].is_bad) for place, each in known]
    dots.append(Dot(len(values) - 1, value, drills[-1].is_bad))
    shown = [each for _, each in known]
    words = (
        f"{title} in the last {len(dots)} drills: {show(min(shown))} to {show(max(shown))} before"
    )
    return line(dots, words, budget=budget)
