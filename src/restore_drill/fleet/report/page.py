"""fleet.html: one file that needs nothing else, of all databases of a run."""

from __future__ import annotations

import functools
import platform
from pathlib import Path
from typing import Any

from jinja2 import Template

from restore_drill import __version__
from restore_drill.fleet.report.run import Fleet, headline
from restore_drill.fleet.report.view import Histories, view_of
from restore_drill.results import page as single
from restore_drill.results.charts import STYLE
from restore_drill.results.templates import templates

HERE = Path(__file__).parent
HEADS = (
    "Verdict", "Database", "Drills", "Restore trend", "Backup age", "RPO", "Restore", "Rows",
    "First problem", "Report",
)  # fmt: skip
STYLES = (single.HERE / "style.css", STYLE, HERE / "fleet.css")


@functools.cache
def template() -> Template:
    """The template of the page."""
    return templates(HERE).get_template("fleet.jinja2")


def render(fleet: Fleet, histories: Histories, top: Path) -> str:
    """The page of `fleet`, to lie in the folder `top`, from which it links to the reports.

    `histories` has the drills before this run, oldest first, by the names of the databases. Neither
    control characters nor halves of surrogate pairs are in it.
    """
    return page_of(
        title=headline(fleet),
        kind="run",
        heads=HEADS,
        footer=f"restore-drill {__version__}, Python {platform.python_version()}",
        **view_of(fleet, histories, top),
    )


def page_of(**shown: Any) -> str:
    """The page of a run, or of a fleet as it is now, that shows all this."""
    text = template().render(
        style="".join(each.read_text(encoding="utf-8") for each in STYLES),
        script=(HERE / "fleet.js").read_text(encoding="utf-8"),
        **shown,
    )
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
