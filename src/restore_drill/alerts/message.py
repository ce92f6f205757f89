"""What people read first: at most ten lines of plain text, without secrets and rows."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from restore_drill.alerts.subject import Subject
from restore_drill.core.printable import printable
from restore_drill.core.units import show_bytes, show_count, show_duration, show_time
from restore_drill.results.banner import promotion_lines, snapshot_lines
from restore_drill.results.meaning import meaning_of
from restore_drill.results.result import Result
from restore_drill.results.words import backup_name, depends, first_line, problems_of, short_name

MOST_LINES = 10
MOST_REMEDIES = 3
MOST_CHARACTERS = 300
TITLES = {
    "failed": "Restore drill FAILED",
    "could-not-run": "Restore drill COULD NOT RUN",
    "recovered": "Restore drill passed again",
    "passed": "Restore drill passed",
    "sample": "Restore drill of the sample, not of your backup",
    "incomplete": "Restore drill of picked criteria",
    "missed": "Restore drill MISSED",
    "settled": "Restore drill in order",
    "back": "Restore drills are running again",
    "unknown": "Restore drill status UNKNOWN",
    "known": "Status of restore drills known again",
    "retired": "Restore drill not expected any more",
    "test": "Restore drill: a test of this channel",
}
REMEDY = re.compile(r"^  \d+\. ", re.MULTILINE)


@dataclass(frozen=True)
class Message:
    """One message: the `event` that it is of, a title, and lines below it."""

    event: str
    title: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """Title and lines."""
        return "\n".join([self.title, *self.lines]) + "\n"

    @property
    def words(self) -> Sequence[str]:
        """The lines, without `links`."""
        return self.lines[: len(self.lines) - len(self.links)]

    @property
    def links(self) -> Sequence[str]:
        """The last line where it is the address of a CI run, which people may follow."""
        return [line for line in self.lines[-1:] if line.startswith("Report: http")]


def written(event: str, subject: Subject, lines: Sequence[str], place: str) -> Message:
    """The message of `event`; of too many `lines` the last are left out, `place` never is."""
    last = [f"Report: {place}"] if place else []
    title = shown(f"{TITLES[event]}: {subject.name}" if subject.name else TITLES[event])
    room = MOST_LINES - 1 - len(last)
    return Message(event, title, tuple(map(shown, [*filter(None, lines)][:room] + last)))


def message_of(result: Result, event: str, subject: Subject, place: str, note: str = "") -> Message:
    """The message about a drill: verdict, backup, the first finding, what to do, the report.

    Where a live database was written to, what it holds now comes first.
    """
    found = finding_lines(result) if event in ("failed", "could-not-run") else []
    about = [meaning_of(result), *live_lines(result), backup_line(result), note]
    return written(event, subject, [*about, *found], place)


def live_lines(result: Result) -> list[str]:
    """What a live database holds now, and the way back; nothing where there was none."""
    if not (result["snapshot"] or result["promotion"]):
        return []
    lines = [text.strip() for _, text in (*snapshot_lines(result, ""), *promotion_lines(result))]
    return [line for line in lines if line.startswith(("The live database", "The way back"))]


def finding_lines(result: Result) -> list[str]:
    """The first finding with its remedy, and how many there are besides."""
    problems = [each for each in problems_of(result) if not depends(each["message"])]
    if not problems:
        return [f"Reason: {reason}" for reason in result["reasons"][:1]]
    first, *others = problems
    text = first["message"]
    lines = [f"{short_name(first['id'])}: {first_line(text)}"]
    remedies = [line.strip() for line in text.split("\n") if REMEDY.match(line)]
    lines += remedies[:MOST_REMEDIES]
    return lines + ([f"and {show_count(len(others), 'more finding')}"] if others else [])


def backup_line(result: Result) -> str:
    """`Backup: shop_2026-11-28.dump of database shop, 1.2 MB, taken 2026-11-28 ... (2 h old)`."""
    backup = result["backup"] or {}
    if not backup.get("path"):
        return ""
    database = backup.get("database")
    facts = [backup_name(backup) + (f" of database {database}" if database else "")]
    if isinstance(size := backup.get("bytes"), int | float):
        facts.append(show_bytes(size))
    if isinstance(taken := backup.get("taken_at"), str):
        age = backup.get("age_seconds")
        old = f" ({show_duration(age)} old)" if isinstance(age, int | float) and age >= 0 else ""
        facts.append(f"taken {time_of(taken)}{old}")
    return f"Backup: {', '.join(facts)}"


def time_of(text: str) -> str:
    """ISO time as people read it; any other text as it is."""
    try:
        return show_time(datetime.fromisoformat(text))
    except ValueError:
        return text


def shown(line: str) -> str:
    """`line` safe to show, and no longer than people read in a chat."""
    line = printable(line)
    return line if len(line) <= MOST_CHARACTERS else line[: MOST_CHARACTERS - 1] + "…"


def place_of(environment: Mapping[str, str], report: Path | None) -> str:
    """Where the report is: the CI run that keeps it, else the machine and the path."""
    get = environment.get
    if (run := get("GITHUB_RUN_ID")) and (repository := get("GITHUB_REPOSITORY")):
        return f"{get('GITHUB_SERVER_URL') or 'https://github.com'}/{repository}/actions/runs/{run}"
    if job := get("CI_JOB_URL"):
        return job
    return f"{socket.gethostname()}:{report.absolute()}" if report else ""
