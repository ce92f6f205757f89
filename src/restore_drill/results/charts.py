"""Charts as inline SVG: plain numbers in, markup out; each says in words what it shows.

Lines and bars stretch with the page; their strokes do not. Verdicts differ by shape as well as by
colour: a pass is round or full, everything else is square or crossed. Colours are those of
`charts.css`, which a page includes once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from restore_drill.core.printable import printable

STYLE = Path(__file__).with_name("charts.css")

WIDTH, HEIGHT, EDGE = 100.0, 40.0, 4.0
"""Size of a line's drawing, and what stays free above and below; in its own units."""
CELL, GAP = 10, 2
"""Side of a day in the calendar and what lies between two, in pixels."""
SVG = Markup('<svg class="{}" role="img" aria-label="{}" viewBox="0 0 {:g} {:g}" {}>{}</svg>')
BAR = Markup(
    '<svg class="meter" role="img" aria-label="{}">'
    '<rect class="plain" width="{:.3g}%" height="100%"/></svg>'
)
"""One of thousands in a page, so in few words."""
STRETCHED = Markup('preserveAspectRatio="none"')


class Dot(NamedTuple):
    """A drill in a line: `x` and `y` in any unit, `y` None where it did not get so far."""

    x: float
    y: float | None
    is_bad: bool = False


def line(dots: Sequence[Dot], sentence: str, *, budget: float | None = None) -> Markup:
    """Line through `dots`, with `budget` dashed; `sentence` says what it shows.

    The vertical axis begins at zero. Empty where fewer than two have a value.
    """
    known = [dot for dot in dots if dot.y is not None]
    if len(known) < 2:
        return Markup()
    top = max([dot.y or 0 for dot in known] + [budget or 0]) or 1
    left = min(dot.x for dot in known)
    span = max(dot.x for dot in known) - left or 1

    def place(dot: Dot) -> str:
        x = EDGE + (WIDTH - 2 * EDGE) * (dot.x - left) / span
        return f"{x:.2f} {level(dot.y or 0, top):.2f}"

    parts = [Markup('<path class="line" d="M{}"/>').format("L".join(map(place, known)))]
    if budget is not None:
        y = f"{level(budget, top):.2f}"
        parts.insert(0, Markup('<path class="budget" d="M0 {}H{:g}"/>').format(y, WIDTH))
    for kind, is_bad in (("good", False), ("bad", True)):
        ends = "".join(f"M{place(dot)}h0" for dot in known if dot.is_bad == is_bad)
        parts += [Markup('<path class="dots {}" d="{}"/>').format(kind, ends)] if ends else []
    return SVG.format("chart", printable(sentence), WIDTH, HEIGHT, STRETCHED, Markup().join(parts))


def level(value: float, top: float) -> float:
    """Height of `value` in a drawing whose upper end is `top`, from above."""
    return HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * max(value, 0) / top


def meter(measured: float, budget: float | None, sentence: str, *, is_bad: bool = False) -> Markup:
    """Bar of `measured`, with a mark at `budget`; as long as it goes where there is none.

    With `is_bad` it is drawn as over its budget, whatever that is.
    """
    top = max(measured, (budget or 0) * 1.25, 1e-9)
    kind = "good" if budget is not None else "plain"
    kind = "bad" if is_bad or (budget is not None and measured > budget) else kind
    width = WIDTH * max(measured, 0) / top
    parts = [Markup('<rect class="{}" width="{:.2f}" height="10"/>').format(kind, width)]
    if budget is not None:
        x = f"{WIDTH * budget / top:.2f}"
        parts.append(Markup('<path class="limit" d="M{} 0V10"/>').format(x))
    return SVG.format("meter", printable(sentence), WIDTH, 10, STRETCHED, Markup().join(parts))


def bar(share: float, sentence: str) -> Markup:
    """Bar of `share` (0 to 1) of the width."""
    return BAR.format(printable(sentence), WIDTH * min(max(share, 0), 1))


def calendar(days: Mapping[date, str], last: date, sentence: str, *, weeks: int = 26) -> Markup:
    """The `weeks` up to `last`, a column each, Monday on top; `days` holds the verdict of a day.

    Verdicts are those of result.json, and `skipped` and `missed`; where a day has several, the
    caller decides.
    """
    first = last - timedelta(days=last.weekday(), weeks=weeks - 1)
    parts, step = [], CELL + GAP
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        place = number // 7 * step, number % 7 * step
        parts.append(cell(day, days.get(day, ""), *place))
    drawn = Markup().join(parts)
    size = Markup('width="{}" height="{}"').format(weeks * step, 7 * step)
    return SVG.format("calendar", printable(sentence), weeks * step, 7 * step, size, drawn)


def cell(day: date, verdict: str, x: int, y: int) -> Markup:
    """One day of the calendar; whoever points at it reads what it was."""
    box = Markup('<rect x="{}" y="{}" width="{}" height="{}" rx="2"/>').format(x, y, CELL, CELL)
    if not verdict:
        return box
    cross = f"M{x + 2} {y + 2}l6 6m0-6l-6 6"
    slash = f"M{x + 2} {y + 8}l6-6"
    sign = {"passed": "", "sample": "", "failed": cross}.get(verdict, slash)
    drawn = Markup('<path d="{}"/>').format(sign) if sign else Markup()
    words = f"{day.isoformat()}: {verdict.replace('-', ' ')}"
    return Markup('<g class="day {}"><title>{}</title>{}{}</g>').format(verdict, words, box, drawn)
