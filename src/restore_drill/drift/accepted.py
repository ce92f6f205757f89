"""What people have accepted: which findings an acceptance covers, and how that reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from restore_drill.drift.findings import Finding
from restore_drill.drift.tolerance import Tolerance


class Acceptances:
    """Acceptances of one series.

    Each covers what was found against one measure, in the state in which it was found: what is
    lost later, or lost again, is not covered.
    """

    def __init__(self, lines: Iterable[dict[str, Any]], tolerance: Tolerance) -> None:
        """Know what the `lines` of the record accept."""
        self.tolerance = tolerance
        self.lines: dict[tuple[str, str], list[tuple[dict[str, Any], dict[str, Any]]]] = {}
        for line in lines:
            for each in line["objects"] if isinstance(line["objects"], list) else ():
                if not isinstance(each, dict) or not isinstance(each.get("marks"), list):
                    continue
                for mark in each["marks"]:
                    key = (str(mark), str(each.get("object")))
                    self.lines.setdefault(key, []).append((line, each))

    def reason(self, finding: Finding) -> str:
        """`accepted by ana on 2026-11-28: we no longer need it`; empty where it is not."""
        for line, each in reversed(self.lines.get((finding.marks[0], finding.title), [])):
            if self.covers(each, finding):
                return f"accepted by {line['by']} on {str(line['at'])[:10]}: {line['reason']}"
        return ""

    def covers(self, accepted: dict[str, Any], finding: Finding) -> bool:
        """Whether `finding` is what was accepted, and no more."""
        if accepted.get("what") != finding.what or accepted.get("now") != finding.now:
            return False
        with_it = accepted.get("with_it", [])
        if not isinstance(with_it, list) or not {*finding.with_it} <= {*with_it}:
            return False
        rows = accepted.get("rows")
        if finding.rows is None or not isinstance(rows, int):
            return finding.rows is None and rows is None
        return self.tolerance.holds(finding.name, rows, finding.rows)
