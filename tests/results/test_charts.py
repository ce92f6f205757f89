"""Charts: numbers become marks at the right places, and words for who cannot see them."""

from __future__ import annotations

import re
from datetime import date
from xml.etree import ElementTree as ET

import pytest
from markupsafe import Markup

from restore_drill.results.charts import Dot, bar, calendar, line, meter


def marks(drawn: Markup, kind: str) -> list[str]:
    """What the marks of `kind` are drawn by; the whole is well-formed XML."""
    root = ET.fromstring(drawn)  # noqa: S314 - our own
    assert root.get("role") == "img" and root.get("aria-label")
    found = [each for each in root.iter() if kind in (each.get("class") or "").split()]
    return [each.get("d") or each.get("width") or "" for each in found]


def test_a_line_goes_through_its_dots_below_the_budget() -> None:
    """The highest value or the budget is the upper end, zero the lower; bad drills stand out."""
    dots = [Dot(0, 10), Dot(1, None), Dot(2, 5, is_bad=True), Dot(4, 0)]

    drawn = line(dots, "Restore", budget=20)

    assert marks(drawn, "line") == ["M4.00 20.00L50.00 28.00L96.00 36.00"]
    assert marks(drawn, "budget") == ["M0 4.00H100"]
    assert marks(drawn, "bad") == ["M50.00 28.00h0"]
    assert marks(drawn, "good") == ["M4.00 20.00h0M96.00 36.00h0"]


@pytest.mark.parametrize("dots", [[], [Dot(1, 3)], [Dot(1, 3), Dot(2, None)]])
def test_one_value_is_no_trend(dots: list[Dot]) -> None:
    """Nothing is drawn where there is nothing to compare."""
    assert line(dots, "Restore") == ""


@pytest.mark.parametrize("values", [(0, 0), (5, 5), (1e12, 1)])
def test_any_values_stay_within_the_drawing(values: tuple[float, float]) -> None:
    """Equal, zero and huge values, all of one moment."""
    drawn = line([Dot(7, values[0]), Dot(7, values[1])], "Rows")

    (path,) = marks(drawn, "line")
    assert all(0 <= float(each) <= 100 for each in re.findall(r"[\d.]+", path))


def test_a_meter_shows_what_is_over_its_budget() -> None:
    """Within the budget the mark stands behind the bar, over it within the bar."""
    assert marks(meter(50, 100, "age"), "good") == ["40.00"]
    assert marks(meter(50, 100, "age"), "limit") == ["M80.00 0V10"]
    assert marks(meter(200, 100, "age"), "bad") == ["100.00"]
    assert marks(meter(200, 100, "age"), "limit") == ["M50.00 0V10"]
    assert marks(meter(3, None, "age"), "plain") == ["100.00"]
    assert marks(bar(0.25, "a table"), "plain") == ["25%"]


def test_a_calendar_has_a_column_a_week() -> None:
    """The last day is in the last column; each verdict has its words."""
    days = {date(2026, 11, 28): "failed", date(2026, 11, 16): "passed"}

    drawn = calendar(days, date(2026, 11, 28), "Drills", weeks=2)

    root = ET.fromstring(drawn)  # noqa: S314 - our own
    assert [each.text for each in root.iter("title")] == [
        "2026-11-16: passed",
        "2026-11-28: failed",
    ]
    boxes = [(each.get("x"), each.get("y")) for each in root.iter("rect")]
    assert len(boxes) == 13
    assert (boxes[0], boxes[-1]) == (("0", "0"), ("12", "60"))


def test_words_are_text() -> None:
    """A name from a dump cannot leave its attribute."""
    drawn = meter(1, 2, 'a"><script>alert(1)</script>')

    assert "<script" not in drawn
    root = ET.fromstring(drawn)  # noqa: S314 - our own
    assert root.get("aria-label") == 'a"><script>alert(1)</script>'
