"""report.html: one file that needs nothing else, from the verdict down to the single criteria."""

from __future__ import annotations

import functools
import platform
from html import escape
from pathlib import Path

from jinja2 import Template

from restore_drill import __version__
from restore_drill.core.printable import printable
from restore_drill.results.charts import STYLE
from restore_drill.results.meaning import meaning_of
from restore_drill.results.past import Background
from restore_drill.results.result import Result
from restore_drill.results.templates import templates
from restore_drill.results.view import view_of
from restore_drill.results.words import headline_of, short_name

HERE = Path(__file__).parent

COLUMNS = (
    '<th class="sortable" data-column-type="proves">What it proves</th>',
    '<th class="sortable" data-column-type="testId">Criterion</th>',
)
"""Headings of our own columns in the table of pytest-html, which is drawn only with its --html."""


def cells_of(nodeid: str, sentence: str, phase: str) -> tuple[str, str]:
    """Cells below `COLUMNS`; names come from the dump, so every one is escaped."""
    proves = escape(sentence, quote=True)
    nodeid = printable(nodeid)
    full, name = escape(nodeid, quote=True), escape(short_name(nodeid), quote=True)
    return (
        f'<td class="col-proves">{proves}</td>',
        f'<td class="col-testId" title="{full}">{name}{phase}</td>',
    )


def summary_of(result: Result) -> str:
    """The verdict above the table of pytest-html, as HTML."""
    return f"<p><b>{escape(headline_of(result))}</b>. {escape(printable(meaning_of(result)))}</p>"


@functools.cache
def template() -> Template:
    """The template of the page; to compile it takes four times as long as to render it."""
    return templates(HERE, lstrip_blocks=False).get_template("page.jinja2")


def compile_templates() -> None:
    """Compile the page and what it includes now, for all pages of this process and its copies."""
    environment = template().environment
    for name in environment.list_templates(extensions=["jinja2"]):
        environment.get_template(name)


def render(result: Result, background: Background) -> str:
    """The page of `result`, and of what is known beside it."""
    parts = [HERE / "style.css", STYLE]
    return template().render(
        title=headline_of(result),
        style="".join(part.read_text(encoding="utf-8") for part in parts),
        script=(HERE / "page.js").read_text(encoding="utf-8"),
        footer=f"restore-drill {__version__}, Python {platform.python_version()}",
        **view_of(result, background),
    )


def write_page(path: Path, result: Result, background: Background) -> None:
    """Write the page to `path`, whole or not at all; OSError."""
    page = render(result, background)
    try:
        path.write_text(page, encoding="utf-8", errors="backslashreplace")
    except OSError:
        path.unlink(missing_ok=True)
        raise
