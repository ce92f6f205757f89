"""What became of each criterion: phase by phase folded into checks, and moved into the record."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import dedent, indent
from typing import Any

from restore_drill.checks.stages import whether
from restore_drill.core.errors import NOT_REACHED
from restore_drill.core.printable import printable, printable_lines
from restore_drill.core.record import Record
from restore_drill.core.redact import Redactor
from restore_drill.core.units import show_count

BAD = ("error", "failed")
SEVERITY = ("passed", "skipped", "waived", "error", "failed")
"""Outcomes of a check; of several phases the worst counts."""


@dataclass(frozen=True)
class Criterion:
    """What a criterion says of itself: its sentence, its stage, whether it reads restored rows.

    `is_beside` says that its failure says nothing about the restored copy: age, times, Redis.
    `budget` is `time` or `age` where it asks for that alone, else empty.
    """

    sentence: str = ""
    stage: str = ""
    reads_rows: bool = False
    is_beside: bool = False
    budget: str = ""


@dataclass(frozen=True)
class Phase:
    """One phase of a criterion, `setup`, `call` or `teardown`, and its `outcome`.

    `known` says why it was known to fail, None where it was not; `waiver` holds the reason and end
    of a waiver that accepts its failure.
    """

    nodeid: str
    when: str
    outcome: str
    message: str
    seconds: float
    known: str | None = None
    waiver: dict[str, str] | None = None


@dataclass(eq=False)
class Checks:
    """Fills `record.checks` and `record.not_checked`.

    `reasons` say why the drill did not come to its normal end; `collection_broke` is set where a
    module of criteria could not be collected; `not_picked` are the names of criteria that a
    selection took away.
    """

    record: Record
    redact: Redactor
    criteria: dict[str, Criterion] = field(default_factory=dict)
    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    deselected: Counter[str] = field(default_factory=Counter)
    not_picked: list[str] = field(default_factory=list)
    skipped: defaultdict[tuple[str, str], list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )
    reasons: list[str] = field(default_factory=list)
    collection_broke: bool = False

    @property
    def selection(self) -> str:
        """What narrowed this run, as on the command line; empty for the whole drill."""
        return ""

    @property
    def asked_for(self) -> list[str]:
        """Paths and ids on the command line, where they do not cover the whole of `drill/`."""
        return []

    @property
    def rows_were_read(self) -> bool:
        """Whether a criterion that reads restored rows has passed."""
        passed = [id_ for id_, check in self.found.items() if check["outcome"] == "passed"]
        return any(self.criteria[id_].reads_rows for id_ in passed if id_ in self.criteria)

    @property
    def unproved(self) -> list[str]:
        """Why the restored copy is not proved; empty only where every criterion has reported.

        A positive proof: nothing that was collected is open, nothing that speaks of the copy has
        failed or could not run, and restored rows were read.
        """
        open_ = [f"{name} has not reported" for name in self.criteria if name not in self.found]
        bad = [
            f"{name}: {check['outcome']}"
            for name, check in self.found.items()
            if check["outcome"] in BAD and not self.criteria.get(name, Criterion()).is_beside
        ]
        rows = [] if self.rows_were_read else ["no criterion has read a restored row"]
        return [line.rpartition("::")[2] for line in (*bad, *open_, *rows)]

    @property
    def beside_the_copy(self) -> list[str]:
        """Criteria that do not hold and say nothing about the restored copy."""
        return [
            name.rpartition("::")[2]
            for name, check in self.found.items()
            if check["outcome"] in BAD and self.criteria.get(name, Criterion()).is_beside
        ]

    def safe(self, text: str) -> str:
        """`text` without secrets, and without what a terminal would obey."""
        return printable_lines(self.redact(text))

    def fold(self, phase: Phase) -> None:
        """Fold one phase of a criterion into its check."""
        nodeid, outcome, message = phase.nodeid, phase.outcome, phase.message
        if outcome == "failed" and phase.when != "call":
            outcome = "error"
        elif phase.waiver is not None:
            outcome = "waived"
        elif outcome == "skipped":
            if phase.known is not None:
                known = phase.known.removeprefix("reason: ")
                message = "known to fail, waived: " + printable(self.redact(known))
            is_cause_told = message.startswith(NOT_REACHED)
            what = "" if is_cause_told else nodeid.split("[", maxsplit=1)[0]
            self.skipped[what, message].append(nodeid)
        self.seconds[nodeid] += phase.seconds
        if phase.when == "call" or outcome != "passed":
            self.note(nodeid, outcome, message)
        if phase.waiver is not None:
            self.found[nodeid]["waiver"] = phase.waiver

    def note(self, nodeid: str, outcome: str, message: str) -> None:
        """Note an outcome of the criterion `nodeid`; the worst one counts, all messages stay."""
        criterion = self.criteria.get(nodeid, Criterion())
        check = self.found.setdefault(
            nodeid,
            {
                "id": nodeid,
                "outcome": "passed",
                "message": "",
                "seconds": 0.0,
                "sentence": criterion.sentence,
                "stage": criterion.stage,
                "budget": criterion.budget,
            },
        )
        check["outcome"] = max(check["outcome"], outcome, key=SEVERITY.index)
        check["message"] = "\n".join(filter(None, (check["message"], message)))

    def close(self, stopped: str) -> None:
        """Move all that was found into the record; `stopped` says why the drill ended early."""
        for nodeid, check in self.found.items():
            check["seconds"] = round(self.seconds[nodeid], 4)
        self.record.checks[:] = self.found.values()
        for (what, why), names in self.skipped.items():
            self.record.skip(self.in_words(what, names), why)
        self.skip_modules(self.deselected, f"deselected by {self.selection}")
        if self.asked_for:
            self.record.skip("everything else in drill/", f"only {self.selection} was asked for")
        unfinished = Counter(map(module_of, self.criteria.keys() - self.found.keys()))
        why = stopped or "".join(self.reasons[:1]) or "the drill ended before"
        self.skip_modules(unfinished, why)

    def in_words(self, what: str, names: Sequence[str]) -> str:
        """What the criteria `names`, all of the function `what`, would have proved."""
        number = show_count(len(names), "criterion", "criteria")
        if not what:
            return number
        sentence = self.criteria.get(names[0], Criterion()).sentence
        told = whether(sentence) if sentence else what.rpartition("::")[2]
        about = names[0].partition("[")[2].removesuffix("]")
        if len(names) > 1:
            return f"{told} ({number})"
        return f"{told} ({about})" if about and sentence else told

    def skip_modules(self, modules: Counter[str], why: str) -> None:
        """Note that so many criteria of each of `modules` were not checked."""
        for module, count in sorted(modules.items()):
            self.record.skip(f"{show_count(count, 'criterion', 'criteria')} of {module}", why)


def module_of(nodeid: str) -> str:
    """Test module of a criterion: `drill/test_tables.py`."""
    return nodeid.split("::", maxsplit=1)[0]


def story_of(text: str) -> str:
    """Message of an assertion without pytest's echo and its deeper indentation."""
    head, _, rest = text.split("\nassert ", maxsplit=1)[0].partition("\n")
    return f"{head}\n{indent(dedent(rest), '  ')}".rstrip()
