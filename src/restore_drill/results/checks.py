"""What became of each criterion: phase by phase folded into checks, and moved into the record."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from restore_drill.checks.stages import whether
from restore_drill.core.errors import NOT_REACHED
from restore_drill.core.printable import printable, printable_lines
from restore_drill.core.record import Record
from restore_drill.core.redact import Redactor
from restore_drill.core.units import show_count
from restore_drill.results.criterion import (
    BAD,
    QUERY,
    SEVERITY,
    Criterion,
    Phase,
    counts_of,
    module_of,
)
from restore_drill.results.selection import Selection


@dataclass(eq=False)
class Checks:
    """Fills `record.checks` and `record.not_checked`.

    `selection` narrowed the drill; `reasons` say why it ended early;
    `collection_broke` is set where a module of criteria could not be collected; `not_picked` are
    the names of criteria that the selection took away.
    """

    record: Record
    redact: Redactor
    selection: Selection
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
        open_ = [f"{name} did not report" for name in self.criteria if name in self.not_run]
        bad = [
            f"{name}: {check['outcome']}"
            for name, check in self.found.items()
            if check["outcome"] in BAD and not self.criteria.get(name, Criterion()).is_beside
        ]
        rows = [] if self.rows_were_read else ["no criterion has read a restored row"]
        return [line.rpartition("::")[2] for line in (*bad, *open_, *rows)]

    @property
    def beside_the_copy(self) -> list[str]:
        """Criteria that failed or could not run and do not concern the restored copy."""
        return [
            name.rpartition("::")[2]
            for name, check in self.found.items()
            if check["outcome"] in BAD and self.criteria.get(name, Criterion()).is_beside
        ]

    @property
    def not_run(self) -> set[str]:
        """Criteria that were selected and have no outcome: the drill ended before."""
        missing = self.criteria.keys() - self.found.keys()
        return {nodeid for nodeid in missing if self.criteria[nodeid].weight}

    @property
    def counts(self) -> dict[str, int]:
        """How many criteria had which outcome."""
        return counts_of(
            self.found.values(),
            not_run=self.weight_of(self.not_run),
            deselected=self.deselected.total(),
        )

    def weight_of(self, nodeids: Iterable[str]) -> int:
        """How many criteria `nodeids` stand for."""
        return sum(self.criteria.get(nodeid, Criterion()).weight for nodeid in nodeids)

    def safe(self, text: str) -> str:
        """`text` without secrets, and without what a terminal would obey."""
        return printable_lines(self.redact(text))

    def safe_line(self, text: str) -> str:
        """The same for `text` that is to be one line."""
        return printable(self.redact(text))

    def take_out(self, nodeid: str, criterion: Criterion, group: str) -> None:
        """Take `nodeid`, which is to be reported by itself, out of those that are `group`."""
        self.criteria[nodeid] = criterion
        left = self.criteria[group].weight - criterion.weight
        self.criteria[group] = replace(self.criteria[group], count=left)

    def fold(self, phase: Phase) -> None:
        """Fold one phase of a criterion into its check; not of one that has no table left."""
        nodeid, outcome, message = phase.nodeid, phase.outcome, phase.message
        if not self.criteria.get(nodeid, Criterion()).weight:
            return
        if outcome == "failed" and phase.when != "call":
            outcome = "error"
        elif phase.waiver is not None:
            outcome = "waived"
        elif outcome == "skipped":
            if phase.known is not None:
                known = phase.known.removeprefix("reason: ")
                message = "known to fail, waived: " + self.safe_line(known)
            is_cause_reported = message.startswith(NOT_REACHED)
            what = "" if is_cause_reported else nodeid.split("[", maxsplit=1)[0]
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
        if criterion.count is not None:
            check["count"] = criterion.count
        check["outcome"] = max(check["outcome"], outcome, key=SEVERITY.index)
        check["message"] = "\n".join(filter(None, (check["message"], message)))
        if found := QUERY.findall(message):
            check.setdefault("queries", []).extend(found)

    def close(self, stopped: str) -> None:
        """Move all that was found into the record; `stopped` says why the drill ended early."""
        for nodeid, check in self.found.items():
            check["seconds"] = round(self.seconds[nodeid], 4)
        self.record.checks[:] = self.found.values()
        for (what, why), names in self.skipped.items():
            self.record.skip(self.in_words(what, names), why)
        self.skip_modules(self.deselected, f"deselected by {self.selection.text}")
        if self.selection.paths:
            self.record.skip(
                "everything else in drill/", f"only {self.selection.text} was asked for"
            )
        unfinished: Counter[str] = Counter()
        for nodeid in self.not_run:
            unfinished[module_of(nodeid)] += self.weight_of([nodeid])
        why = stopped or "".join(self.reasons[:1]) or "the drill ended before"
        self.skip_modules(unfinished, why)

    def in_words(self, what: str, names: Sequence[str]) -> str:
        """What the criteria `names`, all of the function `what`, would have proved."""
        count = self.weight_of(names)
        number = show_count(count, "criterion", "criteria")
        if not what:
            return number
        sentence = self.criteria.get(names[0], Criterion()).sentence
        text = whether(sentence) if sentence else what.rpartition("::")[2]
        about = names[0].partition("[")[2].removesuffix("]")
        if count > 1:
            return f"{text} ({number})"
        return f"{text} ({about})" if about and sentence else text

    def skip_modules(self, modules: Counter[str], why: str) -> None:
        """Note that so many criteria of each of `modules` were not checked."""
        for module, count in sorted(modules.items()):
            what = f"{show_count(count, 'criterion', 'criteria')} of {module}"
            self.record.skip(what, why, criteria=count)
