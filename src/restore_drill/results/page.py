"""report.html: the verdict and the facts of the drill above the table that pytest-html draws."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from restore_drill.core.printable import printable
from restore_drill.results.result import Result
from restore_drill.results.view import view_of
from restore_drill.results.words import short_name

HERE = Path(__file__).parent

HEAD = """<meta charset="utf-8"/>
    <meta name="viewport" content="width=device-width, initial-scale=1"/>
    <meta name="color-scheme" content="light dark"/>
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:;
      style-src 'unsafe-inline'; script-src 'unsafe-inline'"/>"""
"""What pytest-html's page lacks: a width for phones, and that it loads nothing from anywhere."""

COLUMNS = (
    '<th class="sortable" data-column-type="proves">What it proves</th>',
    '<th class="sortable" data-column-type="testId">Criterion</th>',
)
"""Headings of the columns of our own: what a criterion proves stands beside its result."""


def cells_of(nodeid: str, sentence: str, phase: str) -> tuple[str, str]:
    """Cells below `COLUMNS`; names come from the dump, so every one is escaped."""
    proves = escape(sentence, quote=True)
    nodeid = printable(nodeid)
    full, name = escape(nodeid, quote=True), escape(short_name(nodeid), quote=True)
    return (
        f'<td class="col-proves">{proves}</td>',
        f'<td class="col-testId" title="{full}">{name}{phase}</td>',
    )


def completed(page: str) -> str:
    """The page that pytest-html has written, with what it lacks."""
    page = page.replace("<html>", '<html lang="en">', 1)
    page = page.replace('<meta charset="utf-8"/>', HEAD, 1)
    return re.sub(r'(<span class="\w+">\d+ [A-Za-z ]+),</span>', r"\1</span>", page)


def render(result: Result) -> str:
    """Static, escaped HTML of `result` but for its single criteria."""
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=shown,
    )
    page = environment.get_template("page.jinja2")
    return page.render(style=(HERE / "style.css").read_text(encoding="utf-8"), **view_of(result))


def shown(value: Any) -> Any:
    """`value` on one line, as the page may show it; what is HTML already stays as it is."""
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return printable(value) if is_text else value
