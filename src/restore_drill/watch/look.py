"""What `status` and `dashboard` show of a history: its series judged, and the kept backups."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from restore_drill.config.settings import Settings
from restore_drill.core.errors import UsageError
from restore_drill.core.units import parse_duration
from restore_drill.selection.series import without_numbers
from restore_drill.watch.entry import place_of
from restore_drill.watch.history import History, load_history
from restore_drill.watch.judgement import Rules, Series, judge
from restore_drill.watch.kept import Kept, kept_backups, noted_here
from restore_drill.watch.places import histories_of


class Look(NamedTuple):
    """A history, its series judged, and the backups that are kept, where they are at hand."""

    history: History
    series: list[Series]
    kept: Kept | None


def look_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that say what is looked at, and how it is judged."""
    parser.add_argument(
        "histories",
        nargs="*",
        metavar="HISTORY",
        help="histories, or folders of backups with one [default: DRILL_HISTORY, BACKUP_PATH]",
    )
    parser.add_argument(
        "--max-age",
        metavar="TIME",
        help="maximum age of the last pass [default: by [schedule] in the criteria file, else 8d]",
    )


def rules_of(parsed: argparse.Namespace, settings: Settings) -> Rules:
    """By what drills are judged. Raises UsageError."""
    return Rules.of(settings.criteria, age_given(parsed.max_age))


def look_at_all(
    parsed: argparse.Namespace, settings: Settings, rules: Rules, now: datetime
) -> list[Look]:
    """Each history that is meant, judged. Raises UsageError and CouldNotRun."""
    paths = histories_of(parsed.histories, settings)
    backups = settings.backup_path
    looks = []
    for path in paths:
        history = load_history(path)
        is_ours = backups is not None and not parsed.histories
        history = numbered(history, settings) if is_ours else history
        noted = noted_here(history, settings) if is_ours else []
        kept = kept_backups(backups, noted, settings.criteria) if backups and is_ours else None
        looks.append(Look(history, judge(history, rules, now), kept))
    return looks


def numbered(history: History, settings: Settings) -> History:
    """`history`; where the backups here are numbered, the numbers in their names make no series.

    Those of other places may be databases: nobody has said of them what numbers mean.
    """
    if not settings.criteria.backup_numbered:
        return history
    here = place_of(settings, None)
    drills = [
        replace(each, series=without_numbers(each.series))
        if each.series and each.place == here
        else each
        for each in history.drills
    ]
    return history._replace(drills=drills)


def age_given(text: str | None) -> float | None:
    """Seconds of --max-age, None where it is not given."""
    try:
        return None if text is None else parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--max-age {error}") from None


def titles_of(looks: Sequence[Look]) -> list[tuple[Look, Series, str]]:
    """Each series of all histories, with a title that tells it from the others."""
    several = len(looks) > 1
    return [
        (look, each, f"{folder_of(look.history)}: {each.title}" if several else each.title)
        for look in looks
        for each in look.series
    ]


def folder_of(history: History) -> str:
    """The folder that a history is of: that of the backups, where it lies below them."""
    path = history.path
    folder = path.parent.parent if path.parent.name == ".drill" else path.parent
    return str(folder) if path.name == "history.jsonl" else history.name
