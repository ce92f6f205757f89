"""The results of a workflow run as a message: plain text that is also valid Markdown.

From the environment: SAMPLE_RESULT and BACKUP_RESULT (results of the drills' jobs), REASON (why
somebody started the run by hand) and GitHub's own variables; from reports/: the drills' reports.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restore_drill.core.printable import printable

DRILLS = ("sample", "backup")
MOST_CHECKS = 10
MOST_LINES = 5
MOST_CHARACTERS = 300


@dataclass(frozen=True)
class Drill:
    """One drill of the run."""

    name: str
    result: str
    """Of its job: success, failure, cancelled (also by its timeout), skipped; or empty."""
    report: dict[str, Any]
    """Its result.json; empty where the job ended before there was one."""


@dataclass(frozen=True)
class Run:
    """A workflow run whose drills have ended."""

    sample: Drill
    backup: Drill
    footer: str
    """Its address, and who started it by hand and why."""

    @property
    def is_good(self) -> bool:
        """Whether every drill passed or was not to run."""
        return self.sample.result == "success" and self.backup.result in ("success", "skipped")

    @property
    def headline(self) -> str:
        """One line for a title or a subject."""
        if self.is_good:
            return "Restore drill passed again"
        verdicts = {
            each.report.get("verdict")
            for each in (self.sample, self.backup)
            if each.result == "failure"
        }
        return "Restore drill failed" if "failed" in verdicts else "Restore drill could not run"

    @property
    def text(self) -> str:
        """The whole message."""
        drills = [*described(self.sample), *described(self.backup)]
        return "\n".join([f"{self.headline}.", "", *drills, "", self.footer]) + "\n"


def from_environment() -> Run:
    """The run whose workflow has called us."""
    sample, backup = (
        Drill(name, os.environ.get(f"{name.upper()}_RESULT", ""), load(name)) for name in DRILLS
    )
    server, repository, number = (
        os.environ.get(f"GITHUB_{key}", "") for key in ("SERVER_URL", "REPOSITORY", "RUN_ID")
    )
    footer = f"Run and report: {server}/{repository}/actions/runs/{number}"
    if reason := " ".join(os.environ.get("REASON", "").replace("`", "'").split()):
        actor = os.environ.get("GITHUB_ACTOR", "?")
        footer += f"\nStarted by hand by {actor}: `{reason[:MOST_CHARACTERS]}`"
    return Run(sample, backup, footer)


def load(name: str) -> dict[str, Any]:
    """The result.json of the drill `name`; empty if there is none that can be read."""
    path = Path("reports") / f"drill-report-{name}" / "result.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def described(drill: Drill) -> list[str]:
    """Lines about one drill: its job's result, its verdict, its backup, the criteria not met."""
    backup = drill.report.get("backup") or {}
    facts = [f"job {drill.result or 'not run'}"]
    if verdict := drill.report.get("verdict"):
        facts.append(f"verdict {verdict}")
    elif drill.result == "failure":
        facts.append("no result.json: it ended before its report, see the run's log")
    if path := backup.get("path"):
        facts.append(f"backup {quoted(Path(str(path)).name)} taken at {backup.get('taken_at')}")
    line = f"- {drill.name}: {'; '.join(facts)}"
    bad = [
        check
        for check in drill.report.get("checks", ())
        if check.get("outcome") not in ("passed", "skipped")
    ]
    if not bad:
        return [line]
    shown = [text for check in bad[:MOST_CHECKS] for text in described_check(check)]
    more = [f"and {len(bad) - MOST_CHECKS} more"] if len(bad) > MOST_CHECKS else []
    return [line, "", "~~~text", *shown, *more, "~~~", ""]


def described_check(check: dict[str, Any]) -> list[str]:
    """Id and message of one criterion, cut to what people read in a chat."""
    message = str(check.get("message") or "").strip().splitlines()[:MOST_LINES]
    lines = [str(check.get("id")), *(f"  {line[:MOST_CHARACTERS]}" for line in message)]
    # Names come from dumps and folders: none may end the fence around them.
    return [re.sub(r"~{3,}", "", printable(line)) for line in lines]


def quoted(name: str) -> str:
    """A file's name, as code where it is more than a word: it may mention people."""
    name = printable(name).replace("`", "'")
    return name if re.fullmatch(r"[\w.+-]+", name) else f"`{name}`"
