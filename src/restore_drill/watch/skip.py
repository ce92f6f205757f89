"""`restore-drill skip`: record that no drill is expected until a date, and who approved it."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from restore_drill.config.settings import Settings, settings_here
from restore_drill.core.calling import COMMAND
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.mirrors import as_written
from restore_drill.core.printable import printable
from restore_drill.core.remedies import remedy_for
from restore_drill.watch.append import append, cause_of
from restore_drill.watch.entry import place_of
from restore_drill.watch.groups import by_series
from restore_drill.watch.history import load_history
from restore_drill.watch.look import numbered
from restore_drill.watch.places import histories_of
from restore_drill.watch.skips import LONGEST, Skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why it is skipped")
    parser.add_argument("--approved-by", required=True, metavar="NAME", help="who has approved it")
    parser.add_argument("--until", metavar="DATE", help="last day (UTC): 2026-12-05")
    parser.add_argument("--series", metavar="NAME", help="the series of backups [default: all]")
    parser.add_argument(
        "--retire", action="store_true", help="instead of --until: it is no longer backed up"
    )
    parser.add_argument("--history", metavar="PATH", help="[default: DRILL_HISTORY, BACKUP_PATH]")


def run(parsed: argparse.Namespace, root: Path) -> int:
    """Record it; the exit code: 0, 4 for wrong usage, 6 where it cannot be recorded."""
    settings = settings_here({"history": parsed.history}, root)
    (path,) = histories_of([], settings)
    now = datetime.now(UTC)
    skip = Skip(
        at=now.replace(microsecond=0),
        reason=given(parsed.reason, "--reason", "why it is skipped"),
        approved_by=given(parsed.approved_by, "--approved-by", "who has approved it"),
        by=user(),
        until=last_day(parsed.until, now.date(), retire=parsed.retire),
        series=series_given(parsed.series, *series_at(path, settings)),
    )
    if skip.until is None and skip.series is None:
        raise UsageError("--retire needs --series: which is no longer backed up")
    try:
        append(path, skip.as_json())
    except OSError as error:
        raise CouldNotRun(
            f"the skip cannot be recorded: {error.strerror}",
            checked=[str(path)],
            remedy=remedy_for("skip", cause_of(error), folder=path.parent),
        ) from None
    except CouldNotRun as error:
        what = f"the skip cannot be recorded: {error.what}"
        raise CouldNotRun(what, checked=error.checked, remedy=error.remedy) from None
    sys.stdout.write("\n".join(map(printable, lines_of(skip, path))) + "\n")
    return 0


def lines_of(skip: Skip, path: Path) -> Iterator[str]:
    """What was recorded, and what comes of it."""
    yield f"{skip.series or 'All series'}: {skip.words}"
    if skip.until:
        yield f"A drill must run by the end of {skip.until} (UTC): after that"
        yield f"{COMMAND} status is red without one. A drill that fails is still red."
    else:
        yield "No drill of it is expected until there is one again."
    yield f"Recorded in {as_written(path)}"


def given(value: str, option: str, meaning: str) -> str:
    """`value` without blanks around it; UsageError where nothing is left."""
    if not value.strip():
        raise UsageError(f"{option} is empty; say {meaning}")
    return value.strip()


def last_day(value: str | None, today: date, *, retire: bool) -> date | None:
    """The last day of a skip, None for a series that is retired."""
    if retire or value is None:
        if retire and value is None:
            return None
        raise UsageError(
            "give either --until DATE, or --retire for a series that is no longer backed up"
        )
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise UsageError(f"--until is not a date: {value!r}; write it like 2026-12-05") from None
    if day < today:
        raise UsageError(f"--until {day} is over; give today's date ({today}, UTC) or a later one")
    if day - today > LONGEST:
        raise UsageError(
            f"--until {day} is too far ahead; give {today + LONGEST} at most, and decide again then"
        )
    return day


def series_at(path: Path, settings: Settings) -> tuple[list[str], str]:
    """Series in the history at `path` as `status` names them, and what stands behind ours."""
    history = load_history(path)
    history = numbered(history, settings) if settings.backup_path else history
    return list(by_series(history.drills)), f" ({place_of(settings, None)})"


def series_given(value: str | None, known: Sequence[str], here: str = "") -> str | None:
    """The series that is meant; UsageError where no drill was of it.

    Where several places have one of that name it is that of this place, which stands behind it as
    in `here`.
    """
    if value is None or value in known:
        return value
    if value + here in known:
        return value + here
    names = ", ".join(filter(None, known)) or "none yet"
    raise UsageError(f"--series {value!r} is not in the history; known: {names}")


def user() -> str:
    """Login of whoever records it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
