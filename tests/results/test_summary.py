"""The summary in Markdown."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from restore_drill.results.summary import escape, table
from restore_drill.results.words import describe
from tests.helpers.mini_drill import (
    drill,
)


def test_summary_is_appended_as_markdown(project: Path) -> None:
    """The summary keeps what is there, and shows verdict, findings, backup and what was skipped."""
    summary = project / "summary.md"
    summary.write_text("before\n")

    drill(project, mode="wrong,evil", GITHUB_STEP_SUMMARY=str(summary))

    text = summary.read_text("utf-8")
    assert text.startswith("before\n## Restore drill: FAILED\n")
    assert "| failed | drill/test\\_small.py::test\\_table\\_has\\_rows\\[public.cards\\] |" in text
    assert "| size | 26.2 MB |" in text
    assert "| a &lt;b&gt;thing&lt;/b&gt; | because of \\`that\\` \\| and \\*this\\* |" in text
    assert "<img" not in text


def test_summary_that_cannot_be_written_does_not_hide_the_verdict(project: Path) -> None:
    """A missing summary file is reported and leaves the exit code as it is."""
    done = drill(project, GITHUB_STEP_SUMMARY=str(project / "no" / "where.md"))

    assert done.code == 0
    assert "GITHUB_STEP_SUMMARY cannot be written" in done.out


def test_summary_of_many_failures_stays_small(project: Path) -> None:
    """What 300 criteria wait for is reported once; the result has each of them."""
    summary = project / "summary.md"

    done = drill(project, mode="many,noserver", GITHUB_STEP_SUMMARY=str(summary))

    why = "not reached: no server could be had"
    assert f"| 302 criteria | {why} |" in summary.read_text("utf-8")
    assert len(done.out.splitlines()) < 60
    assert Counter(done.outcomes.values()) == {"error": 1, "skipped": 302, "passed": 3}
    assert {"what": "302 criteria", "why": why} in done.result["not_checked"]
    assert "and 250 rows more: see the report" in list(table(("A",), [("x",)] * 300))


def test_markdown_is_escaped() -> None:
    """Nothing in a cell is markup, and a cell is one line of bounded length."""
    assert escape("a|b\n<i>&`x`") == "a\\|b &lt;i&gt;&amp;\\`x\\`"
    assert len(escape("x" * 10_000)) < 600


def test_facts_are_reported_in_their_units() -> None:
    """Keys of result.json become labels, values carry the unit that the key names."""
    facts = {
        "bytes": 1_500_000,
        "age_seconds": 7200,
        "taken_at": "2026-11-23T05:00:01+00:00",
        "server_version": 160004,
        "latency_median": 0.00034,
        "keys": 12345,
        "own": False,
        "database": "",
        "rolled_back": None,
    }

    assert describe(facts) == [
        ("size", "1.5 MB"),
        ("age", "2 h"),
        ("taken", "2026-11-23 05:00:01 UTC"),
        ("server", "16.4"),
        ("latency (median)", "0.34 ms"),
        ("keys", "12,345"),
        ("yours (REDIS_URL)", "no"),
    ]
