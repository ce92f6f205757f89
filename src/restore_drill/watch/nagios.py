"""One line for a monitor, by the convention of Nagios plugins: state, text, performance data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from restore_drill.core.printable import printable
from restore_drill.core.units import show_count, show_duration
from restore_drill.watch.judgement import Rules, Series, seconds_since
from restore_drill.watch.look import Look, titles_of

OK, WARNING, CRITICAL, UNKNOWN = range(4)
STATES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")


def state_of(series: Series) -> int:
    """OK, or WARNING where drills are unsteady or skipped with approval, or CRITICAL."""
    if series.problem is None:
        return WARNING if series.skip and series.skip.until else OK
    return WARNING if series.problem.cause == "unsteady" else CRITICAL


def plugin_line(state: int, text: str, data: str = "") -> str:
    """`RESTORE DRILL OK - text | data`, on one line; `|` parts the two, and stands in neither."""
    line = f"RESTORE DRILL {STATES[state]} - {text.replace('|', '/')}"
    return printable(f"{line} | {data.replace('|', '/')}" if data else line)


def report_line(looks: Sequence[Look], rules: Rules, now: datetime) -> tuple[int, str]:
    """State of all series, the worst one, and its line."""
    found = titles_of(looks)
    several = len(found) > 1
    state = max(state_of(each) for _, each, _ in found)
    worst = [(each, title) for _, each, title in found if state_of(each) == state]
    if state == OK:
        texts = [good_text(each, now) for each, _ in worst]
        text = f"{show_count(len(texts), 'series', 'series')}: {texts[0]}" if several else texts[0]
        text = f"all of {text}" if several else text
    else:
        texts = [(f"{title}: " if several else "") + bad_text(each) for each, title in worst]
        text = "; ".join(texts)
    data = [
        item
        for _, each, title in found
        for item in data_of(each, f"{title} " if several else "", rules, now)
    ]
    return state, plugin_line(state, text, " ".join(data))


def good_text(series: Series, now: datetime) -> str:
    """`last pass 1 d ago`."""
    last = series.last_pass
    age = show_duration(seconds_since(last, now)) if last else ""
    return f"last pass {age} ago" if last else "no drill is expected"


def bad_text(series: Series) -> str:
    """The problem, or what is skipped."""
    return series.what or (series.skip.words if series.skip else "")


def data_of(series: Series, prefix: str, rules: Rules, now: datetime) -> Iterator[str]:
    """Performance data: `'age'=86400s;;691200;0 'passed'=80%;;25:;0;100 'restore'=10.5s`."""
    prefix = prefix.replace("'", "''").replace("=", "-")
    last, share = series.last_pass, series.share
    if last:
        age = seconds_since(last, now)
        yield f"'{prefix}age'={age:.0f}s;;{rules.limit:.0f};0"
    if share is not None:
        yield f"'{prefix}passed'={share * 100:.0f}%;;25:;0;100"
    if last and last.restore is not None:
        limit = last.budgets.get("restore")
        yield f"'{prefix}restore'={last.restore:.3f}s;;{'' if limit is None else f'{limit:.0f}'};0"
    if last and last.rows is not None:
        yield f"'{prefix}rows'={last.rows};;;0"
    if last and last.size is not None:
        yield f"'{prefix}size'={last.size}B;;;0"
