"""What the drill raises: the backup's fault, our own means failing, or an error of the user's.

A check that finds the backup wanting fails; a drill that lacks a server, a tool or disk space
errs. pytest separates the two by phase, we by exception: whatever phase raised it,
`BackupFault` is reported as a failure and `CouldNotRun` as an error.
"""

from __future__ import annotations

from collections.abc import Sequence

from restore_drill.core.printable import printable

EXIT_INTERRUPTED, EXIT_INTERNAL, EXIT_USAGE_ERROR, EXIT_NOTHING = 2, 3, 4, 5
"""Exit codes of pytest: an interrupt, a bug, an error in the options, no criterion to run."""

EXIT_COULD_NOT_RUN = 6
"""Exit code when the drill's own means failed, beside pytest's 0 to 5."""

NOT_REACHED = "not reached: "
"""Begins the reason of a criterion that another one's failure kept from being checked."""

UNREACHED = "recovery did not reach "
"""Begins the message of a recovery whose target is not in its WAL."""

CHECKED = "  checked: "
"""Begins the first of the lines that say what was checked; the others are as deep as its text."""

FIND = "find them: "
"""Begins a line of what was checked that gives the query for the rows found."""

MOST_CHECKED = 1000
"""So many of these lines does a message hold at most."""


class UsageError(Exception):
    """An error in options, variables or files that the user names; exit code 4, no traceback.

    `setting` names the setting that it is about, where it is about one.
    """

    setting = ""


def message(what: str, checked: Sequence[str] = (), remedy: Sequence[str] = ()) -> str:
    """Message of a failure: what failed, what was checked, what to do next (a line an item).

    An item of `checked` that begins with blanks goes on with the one before it. All of them are
    in it, up to MOST_CHECKED: results and reports hold the whole, the terminal shows the first.
    """
    lines = [one_line(what)]
    for line in checked[:MOST_CHECKED]:
        label = f"{'':{len(CHECKED)}}" if lines[1:] else CHECKED
        lines.append(f"{label}{'  ' if line.startswith(' ') else ''}{one_line(line)}")
    if (more := len(checked) - MOST_CHECKED) > 0:
        lines.append(f"{'':{len(CHECKED)}}and {more:,} more")
    lines += [f"  {number}. {one_line(line)}" for number, line in enumerate(remedy, start=1)]
    return "\n".join(lines)


def one_line(text: str) -> str:
    """`text` safe to print on one line; libpq goes on in a line that begins with a tab."""
    return printable(text.strip().replace("\n\t", " "))


class DrillError(Exception):
    """A failure that is reported in words (see `message`) and never as a traceback."""

    def __init__(
        self,
        what: str,
        *,
        checked: Sequence[str] = (),
        remedy: Sequence[str] = (),
        reported_by: str = "",
    ) -> None:
        """Keep the parts: `what` alone is the one line that dependents repeat.

        `reported_by` names the criterion that reports the same: once it has failed, no other does.
        """
        self.what = one_line(what)
        self.checked = list(checked)
        self.remedy = [one_line(line) for line in remedy]
        self.reported_by = reported_by
        super().__init__(message(what, checked, remedy))


class BackupFault(DrillError):
    """The backup did not meet a criterion; raised by a stage that cannot go on."""


class CouldNotRun(DrillError):
    """The drill's own means failed: no server, no tool, no disk, no network."""


class CriteriaError(CouldNotRun):
    """An error in the criteria, never the backup's fault: a wrong name, a query that fails."""
