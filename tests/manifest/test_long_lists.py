"""A long list of findings: the terminal shows its beginning, every report the whole of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from restore_drill.core.errors import MOST_CHECKED, message
from restore_drill.results.findings import MOST_DETAILS, shortened
from restore_drill.servers.model import Target
from tests.helpers.drills import run_drill
from tests.helpers.manifests import take

VIEWS = [f"rate_{number:02}" for number in range(45)]


def test_every_difference_is_in_the_reports(
    shop: Callable[..., Target], tmp_path: Path, report_dir: Path
) -> None:
    """45 changed views: 45 names in result.json, JUnit and HTML, the first ones on the terminal."""
    source = shop(15, "".join(f"CREATE VIEW {name} AS SELECT 17 AS rate;" for name in VIEWS))
    path = take(source, tmp_path, "--format=plain")
    whole = path.read_text()
    path.write_text(whole.replace("SELECT 17 AS rate", "SELECT 71 AS rate"))

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    found = drill.failed["test_schema_is_what_it_was"]
    assert found.startswith("the schema has 45 differences from the source's: ")
    junit, page = ((report_dir / name).read_text() for name in ("junit.xml", "report.html"))
    for place in (found, junit, page):
        assert [name for name in VIEWS if f"public.{name} " not in place] == []
    shown = [name for name in VIEWS if f"public.{name} " in drill.output]
    assert len(shown) == MOST_DETAILS + 1
    assert f"and {44 - MOST_DETAILS} lines more, in the reports" in drill.output
    assert "  1. read the restore errors, and check the options of the dump" in drill.output


def test_a_message_is_bounded_and_says_by_how_much() -> None:
    """Its lines share one label; beyond the bound their number alone is there."""
    text = message("broken", [f"view v{n}" for n in range(MOST_CHECKED + 7)], ["drop them"])

    lines = text.splitlines()
    assert lines[:3] == ["broken", "  checked: view v0", "           view v1"]
    assert lines[-2:] == ["           and 7 more", "  1. drop them"]
    assert len(lines) == MOST_CHECKED + 3


def test_a_short_message_is_shown_as_it_is() -> None:
    """What fits is not shortened, nor is what has no such lines."""
    for text in (message("broken", ["a", "  b", "c"], ["fix it"]), "broken", ""):
        assert shortened(text) == text
