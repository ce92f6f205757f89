"""What became of one database in a run of the fleet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from restore_drill.core.errors import EXIT_COULD_NOT_RUN
from restore_drill.core.printable import printable
from restore_drill.core.remedies import remedy_for
from restore_drill.fleet.keys import in_keys
from restore_drill.fleet.model import CANCELLED, UNKNOWN, Database, Done
from restore_drill.fleet.report.measured import (
    Measured,
    measured_before,
    measured_in,
    redactor_of,
)
from restore_drill.results.several import NOT_BEGUN, Ended
from restore_drill.results.words import VERDICTS
from restore_drill.watch.history import Drill

STATES = (
    "failed", "could-not-run", "not-begun", "incomplete", "warnings", "passed", "not-due",
)  # fmt: skip
"""What may become of a database, the worst first; `warnings`: it passed, and there is a warning."""
WORDS = VERDICTS | {"not-begun": "NOT BEGUN", "warnings": "PASSED", "not-due": "NOT DUE"}
"""The word for each state."""
STILL_FAILED = "STILL FAILED"
"""The word for a backup that has failed before, and is not yet drilled again."""
GREEN = ("passed", "warnings")
"""States that prove a backup."""
OF_BACKUP = ("failed", "incomplete", *GREEN)
"""States that say something of the backup: no later try takes them back."""
CODES = {"failed": 1, "could-not-run": EXIT_COULD_NOT_RUN, "not-begun": EXIT_COULD_NOT_RUN}
"""Exit code of each state; 0 of others."""
LONGEST = 300
"""Characters of a reason."""
SAMPLE = "the sample shop was drilled, and no backup of this database"
BROKEN = (KeyError, TypeError, ValueError, AttributeError, IndexError)
"""What reading a result raises that is none."""


@dataclass(frozen=True)
class Outcome:
    """What became of `database`: `state` is one of STATES.

    `code` is the exit code of its last try, None where there was none; `seconds` that try's time.
    `folder` holds its reports. `why` is the first problem or warning, or why it was not begun;
    empty where there is nothing to say. `is_red`: it was not due, and its last drill has failed.
    `unrecorded` says why the drill is not in the history, empty where it is.
    """

    database: Database
    state: str
    code: int | None = None
    tries: int = 0
    worker: str = ""
    seconds: float | None = None
    folder: Path | None = None
    why: str = ""
    measured: Measured = field(default_factory=Measured)
    is_red: bool = False
    unrecorded: str = ""

    @property
    def name(self) -> str:
        """Name of the database."""
        return self.database.name

    @property
    def shown_state(self) -> str:
        """Its state for people: a backup that has failed before still is one that failed."""
        return "failed" if self.is_red else self.state

    @property
    def word(self) -> str:
        """The word for what became of it."""
        return STILL_FAILED if self.is_red else WORDS[self.state]

    @property
    def is_green(self) -> bool:
        """Whether its backup is proved."""
        return self.state in GREEN

    @property
    def is_bad(self) -> bool:
        """Whether somebody is to look at it."""
        return self.state in CODES

    @property
    def exit_code(self) -> int:
        """Exit code that it asks for."""
        return CODES.get(self.state, int(self.is_red))

    @property
    def is_cut(self) -> bool:
        """Whether nothing but the end of the run kept it from its verdict."""
        return self.state in (UNKNOWN, "not-begun") and self.why in (CANCELLED, NOT_BEGUN)

    @property
    def rank(self) -> tuple[int, str]:
        """Sorts the worst first, then by name."""
        return STATES.index(self.shown_state), self.name


def outcome_of(database: Database, done: Done, tries: int, folder: Path | None = None) -> Outcome:
    """What became of `database`, whose last try of `tries` was `done`; its reports lie in `folder`.

    It never is green without a result that says so and exit code 0.
    """
    redact = redactor_of(database)
    outcome = Outcome(
        database, UNKNOWN, done.code, tries, printable(redact(done.worker)), done.seconds, folder
    )
    try:
        measured = measured_in(done.result, database) if done.result else Measured()
        state = state_of(done, measured)
        why = in_keys(why_of(done, state), database)
    except BROKEN as error:
        what = f"its result.json cannot be read ({type(error).__name__})"
        return replace(outcome, why=what)
    if done.is_late and state == UNKNOWN:
        why = "; ".join([why, *remedy_for("fleet", "late", where=database.where)])
    remedy = tuple(printable(redact(in_keys(line, database))) for line in measured.remedy)
    measured = replace(measured, remedy=remedy, backup=printable(redact(measured.backup)))
    outcome = replace(outcome, state=state, why=shortened(redact(why)), measured=measured)
    return with_unrecorded(outcome, shortened(redact(done.unrecorded)))


def with_unrecorded(outcome: Outcome, said: str) -> Outcome:
    """`outcome` with a warning that its drill is not in the history; the verdict is the same."""
    if not said:
        return outcome
    measured = replace(outcome.measured, warnings=outcome.measured.warnings + 1)
    outcome = replace(outcome, unrecorded=said, measured=measured)
    return replace(outcome, state="warnings", why=said) if outcome.state == "passed" else outcome


def state_of(done: Done, measured: Measured) -> str:
    """State by the verdict and the exit code: a pass needs both."""
    if done.verdict == "failed" or (done.result and done.code == 1):
        return "failed"
    if done.code != 0 or done.verdict not in ("passed", "incomplete"):
        return UNKNOWN
    if done.verdict == "passed" and measured.warnings:
        return "warnings"
    return done.verdict


def why_of(done: Done, state: str) -> str:
    """The first problem or warning; empty where it passed without one."""
    result: Mapping[str, Any] = done.result or {}
    if state == "warnings":
        return str(result["warnings"][0])
    if state == "incomplete":
        return str(result["selection"])
    if result.get("verdict") == "sample":
        return SAMPLE
    if state == "passed":
        return ""
    if not result or done.verdict == "passed" or (done.is_late and state == UNKNOWN):
        said = f"it ended with exit code {done.code}"
        return done.why or ("its worker was lost" if done.code is None else said)
    return Ended(done.name, done.code or 0, None, result).why


def not_begun(database: Database, why: str) -> Outcome:
    """A drill that was to come and did not, and why: `why` is shown to people."""
    said = redactor_of(database)(in_keys(why, database))
    return Outcome(database, "not-begun", why=shortened(said))


def unlisted(place: Database) -> Outcome:
    """Of a place that cannot be listed nobody knows what would have been drilled."""
    return Outcome(place, UNKNOWN, why=shortened(redactor_of(place)(place.unlisted)))


def not_due(
    database: Database, why: str, drill: Drill | None, folder: Path | None, *, is_red: bool
) -> Outcome:
    """A drill that was not asked for in this run: its schedule has another time.

    What `drill` has shown still holds; `folder` has the reports of that. `is_red`: it failed, and
    what it found first is said before `why`.
    """
    measured = measured_before(drill, folder, database) if drill else Measured()
    measured = replace(measured, finding=shortened(measured.finding))
    said = [measured.finding] if is_red and measured.finding else []
    why = shortened(redactor_of(database)("; ".join([*said, why])))
    return Outcome(database, "not-due", folder=folder, why=why, measured=measured, is_red=is_red)


def shortened(text: str) -> str:
    """`text` on one line, safe to print, of LONGEST characters at most."""
    text = printable(text.strip())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
