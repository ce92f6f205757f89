"""The pages of the site, by their paths in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from restore_drill.core.printable import printable_json
from restore_drill.core.units import show_count, show_time
from restore_drill.results import charts
from restore_drill.results.templates import templates
from restore_drill.watch.judgement import Rules
from restore_drill.watch.look import Look, titles_of
from restore_drill.watch.site.badge import badge
from restore_drill.watch.site.view import view_of
from restore_drill.watch.status_json import for_machines

HERE = Path(__file__).parent


def pages_of(looks: Sequence[Look], rules: Rules, now: datetime, folder: Path) -> dict[str, str]:
    """Text of each file of the site that is to lie in `folder`, by its path there."""
    views = views_of(looks, rules, now, folder)
    common = common_of(now) | {"summary": summary_of(views)}
    index = templates(HERE).get_template("index.jinja2")
    pages = {"index.html": index.render(**common, all=views, notes=notes_of(looks))}
    pages |= pages_of_series(views, now)
    pages["status.json"] = printable_json(for_machines(looks), indent=1) + "\n"
    return pages


def common_of(now: datetime) -> dict[str, Any]:
    """What all pages show."""
    files = (HERE / "site.css", charts.STYLE)
    style = "".join(each.read_text(encoding="utf-8") for each in files)
    return {"style": style, "made": show_time(now)}


def pages_of_series(
    views: Sequence[dict[str, Any]], now: datetime, back: str = "Restore drills"
) -> dict[str, str]:
    """Page and badge of each series, by their paths; `back` is the text that leads to the index."""
    pages, common = {}, common_of(now)
    template = templates(HERE).get_template("series.jinja2")
    for view in views:
        pages[f"series/{view['slug']}.html"] = template.render(**common, **view, back=back)
        pages[f"badges/{view['slug']}.svg"] = badge(view["badge"], view["state"])
    return pages


def views_of(
    looks: Sequence[Look], rules: Rules, now: datetime, folder: Path
) -> list[dict[str, Any]]:
    """What the pages show of each series, those with a problem first."""
    found = [
        view_of(series, title, rules, now, folder / "series")
        for _, series, title in titles_of(looks)
    ]
    order = ("bad", "note", "good")
    return sorted(found, key=lambda view: (order.index(view["state"]), view["title"]))


def summary_of(views: Sequence[dict[str, Any]]) -> dict[str, str]:
    """The state of all, and a sentence on it; several problems stand in the cards below it."""
    bad = [view for view in views if view["state"] == "bad"]
    counted = show_count(len(views), "series", "series")
    if not bad:
        every = "The one series is" if len(views) == 1 else f"All {len(views)} series are"
        return {"state": "good", "text": f"{every} in order"}
    which = f": {bad[0]['title']}: {bad[0]['problem']}" if len(bad) == 1 else ""
    return {"state": "bad", "text": f"{len(bad)} of {counted} with a problem{which}"}


def notes_of(looks: Sequence[Look]) -> list[str]:
    """What is said of whole histories: kept backups, lines that cannot be read, where they lie."""
    notes = []
    for look in looks:
        place = look.history.name
        if look.kept:
            notes.append(f"{place}: {look.kept.line}")
        if look.history.damaged:
            count = show_count(look.history.damaged, "line")
            notes.append(f"{place}: {count} ignored: incomplete, changed or dated in the future")
    return notes
