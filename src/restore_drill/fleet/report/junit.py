"""junit.xml of a run: one suite for each database."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from restore_drill.core.printable import printable
from restore_drill.fleet.report.outcome import Outcome
from restore_drill.fleet.report.run import Fleet
from restore_drill.results.result import write_whole
from restore_drill.results.several import Ended, suite_of, suites_in


def write_fleet_junit(path: Path, fleet: Fleet) -> None:
    """Write the suites of all drills to `path`, the worst first; OSError.

    A database that is not in order never has green suites alone: where its drill has left none, or
    none with a failure, there is a suite with one error. One that was not due is skipped, but where
    its last drill has failed.
    """
    root = ET.Element("testsuites", name="restore-drill fleet")
    for each in fleet.rows:
        for suite in suites_for(each):
            suite.set("name", f"restore-drill: {printable(each.name)}")
            root.append(suite)
    text = ET.tostring(root, encoding="unicode")
    write_whole(path, f'<?xml version="1.0" encoding="utf-8"?>{text}\n')


def suites_for(outcome: Outcome) -> Sequence[ET.Element]:
    """Suites of one database."""
    if outcome.state == "not-due" and not outcome.is_red:
        return [skipped(outcome)]
    # Reports of one that was not due are those of an earlier run.
    folder = None if outcome.is_red else outcome.folder
    own = suites_in(folder / "junit.xml") if folder else []
    if own and (is_red(own) or not outcome.is_bad):
        return own
    return [*own, suite_of(Ended(outcome.name, None, reason=outcome.why))]


def is_red(suites: Sequence[ET.Element]) -> bool:
    """Whether one of `suites` has a failure or an error."""
    return any(suite.find(f".//{kind}") is not None for suite in suites
               for kind in ("failure", "error"))  # fmt: skip


def skipped(outcome: Outcome) -> ET.Element:
    """The suite of a drill that was not due."""
    counts = {"tests": "1", "errors": "0", "failures": "0", "skipped": "1"}
    suite = ET.Element("testsuite", counts)
    case = ET.SubElement(suite, "testcase", classname="drill", name="drill")
    ET.SubElement(case, "skipped", message=printable(f"not due: {outcome.why}".removesuffix(": ")))
    return suite
