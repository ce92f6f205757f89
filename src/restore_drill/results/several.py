"""Several drills in one run: one verdict for all, in words, as a file and as one junit.xml."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restore_drill.core.errors import (
    EXIT_COULD_NOT_RUN,
    EXIT_INTERNAL,
    EXIT_INTERRUPTED,
    EXIT_NOTHING,
    EXIT_USAGE_ERROR,
)
from restore_drill.core.printable import printable, printable_json, shown_path
from restore_drill.core.units import show_duration
from restore_drill.results.newest import SUMMARY, clear, show
from restore_drill.results.result import write_whole
from restore_drill.results.words import VERDICTS, backup_name, first_line, problems_of, short_name

WORST = (0, EXIT_NOTHING, EXIT_USAGE_ERROR, EXIT_COULD_NOT_RUN, EXIT_INTERNAL, 1, EXIT_INTERRUPTED)
"""Exit codes, the worst last: a backup that failed weighs more than one that was not drilled."""
OF_CODE = {0: "passed", 1: "failed"}
"""Verdict of a drill that has left no result, by its exit code."""
NOT_BEGUN = "the run was interrupted before this drill"


@dataclass(frozen=True)
class Ended:
    """What became of the drill of `series`: its exit code, None where it was not begun.

    `folder` holds its reports, `result` is its result.json; None where it has left none: then
    `reason` says why, if that is known.
    """

    series: str
    code: int | None
    folder: Path | None = None
    result: Mapping[str, Any] | None = None
    reason: str = ""

    @property
    def verdict(self) -> str:
        """Its verdict."""
        if self.result is not None:
            return str(self.result["verdict"])
        return "could-not-run" if self.code is None else OF_CODE.get(self.code, "could-not-run")

    @property
    def badness(self) -> int:
        """Its place in WORST."""
        code = EXIT_INTERRUPTED if self.code is None else self.code
        return WORST.index(code if code in WORST else EXIT_COULD_NOT_RUN)

    @property
    def backup(self) -> str:
        """Name of the backup, empty where none was drilled."""
        backup = (self.result or {}).get("backup") or {}
        return backup_name(backup)

    @property
    def why(self) -> str:
        """The first thing that was found, or why it did not run; empty where it passed."""
        if self.code is None:
            return self.reason or NOT_BEGUN
        if self.verdict in ("passed", "incomplete"):
            return ""
        problems = problems_of(dict(self.result)) if self.result else []
        if problems:
            return f"{short_name(problems[0]['id'])}: {first_line(problems[0]['message'])}"
        said = self.reason or f"it ended with exit code {self.code}"
        reasons = (self.result or {}).get("reasons") or [said]
        return first_line(str(reasons[0]))


def ended(series: str, code: int, note: Path) -> Ended:
    """What became of the drill of `series`, which has left the path of its reports in `note`."""
    try:
        return read_ended(series, code, Path(os.fsdecode(note.read_bytes())))
    except (OSError, ValueError):
        return Ended(series, code)


def read_ended(series: str, code: int, folder: Path | None) -> Ended:
    """What became of the drill of `series` whose reports lie in `folder`, if they still do."""
    try:
        result = json.loads((folder / "result.json").read_bytes()) if folder else None
    except (OSError, ValueError):
        return Ended(series, code)
    return Ended(series, code, folder, result if isinstance(result, dict) else None)


def worst_of(drills: Sequence[Ended]) -> Ended:
    """The first of those that came off worst."""
    return max(drills, key=lambda each: each.badness)


def code_of(drills: Sequence[Ended]) -> int:
    """Exit code of the run: that of the worst."""
    return WORST[worst_of(drills).badness]


def headline(drills: Sequence[Ended]) -> str:
    """`---- ALL 2 SERIES: FAILED ----`."""
    return f"---- ALL {len(drills)} SERIES: {VERDICTS[worst_of(drills).verdict]} ----"


def summary_lines(drills: Sequence[Ended]) -> Iterator[tuple[str, str]]:
    """`good` or `bad`, and a line: the verdict of each, and of all."""
    width = max(len(each.series) for each in drills)
    for each in drills:
        seconds = ((each.result or {}).get("timings") or {}).get("total")
        took = show_duration(seconds) if seconds is not None else ""
        facts = ", ".join(filter(None, (each.backup, took, each.why)))
        kind = "good" if each.badness == 0 else "bad"
        word = VERDICTS.get(each.verdict, each.verdict)
        report = each.folder and each.folder / "report.html"
        where = f" ({shown_path(report)})" if report and report.is_file() else ""
        yield kind, printable(f"{word:<13} {each.series:<{width}}  {facts}{where}")


def write_summary(path: Path, drills: Sequence[Ended]) -> None:
    """Write what became of all to `path`; OSError."""
    plain = {
        "schema": 1,
        "verdict": worst_of(drills).verdict,
        "exit_code": code_of(drills),
        "series": [
            {
                "series": each.series,
                "verdict": each.verdict,
                "exit_code": each.code,
                "backup": each.backup or None,
                "why": each.why or None,
                "reports": str(each.folder) if each.folder else None,
            }
            for each in drills
        ],
    }
    write_whole(path, printable_json(plain, indent=2) + "\n")


def write_junit(path: Path, drills: Iterable[tuple[Ended, Path | None]]) -> None:
    """Write one junit.xml of all, with a suite each named after its series; OSError.

    One that has left no file of its own has a suite with one error.
    """
    root = ET.Element("testsuites", name="restore-drill")
    for each, own in drills:
        suites = suites_in(own) if own else []
        for suite in suites or [suite_of(each)]:
            suite.set("name", f"restore-drill: {printable(each.series)}")
            root.append(suite)
    text = ET.tostring(root, encoding="unicode")
    write_whole(path, f'<?xml version="1.0" encoding="utf-8"?>{text}\n')


def leave(top: Path, drills: Sequence[Ended], own: Path | None, junit: Sequence[Path]) -> None:
    """Leave the files of the whole run in the report directory `top`; OSError.

    It shows the reports of the worst drill, since whoever reads one verdict there is to read that.
    junit.xml holds all, or the file `own` that the user has named: then `junit` are their own.
    """
    worst = worst_of(drills)
    if worst.folder is not None and worst.folder.parent == top.absolute():
        show(worst.folder)
    elif worst.folder is None:
        clear(top)
    write_summary(top / SUMMARY, drills)
    files = junit if own else [each.folder and each.folder / "junit.xml" for each in drills]
    write_junit(own or top / "junit.xml", zip(drills, files, strict=True))


def suites_in(path: Path) -> list[ET.Element]:
    """Suites of the junit.xml at `path`, which this very run has written; none where it has not."""
    try:
        return ET.parse(path).getroot().findall("testsuite")  # noqa: S314
    except (OSError, ET.ParseError):
        return []


def suite_of(drill: Ended) -> ET.Element:
    """The suite of a drill that did not come to its criteria."""
    counts = {"tests": "1", "errors": "1", "failures": "0", "skipped": "0"}
    suite = ET.Element("testsuite", counts)
    case = ET.SubElement(suite, "testcase", classname="drill", name="drill")
    ET.SubElement(case, "error", message=printable(drill.why or "it left no report"))
    return suite
