"""`restore-drill accept`: what the last drill found lost or changed is as it should be."""

from __future__ import annotations

import argparse
import fnmatch
import getpass
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from restore_drill.config.settings import Settings, settings_here
from restore_drill.core.calling import COMMAND
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.remedies import remedy_for
from restore_drill.core.units import show_count
from restore_drill.drift.state import State, home_of, state_of
from restore_drill.selection.select import select_backup


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "--reason", required=True, metavar="TEXT", help="why the change is intended"
    )
    parser.add_argument("--by", metavar="NAME", help="who accepts it [default: your login]")
    parser.add_argument("--backup", metavar="PATH", help="a backup of the series [env: as drill]")
    parser.add_argument("--series", metavar="NAME", help="the series, if several have findings")
    parser.add_argument(
        "objects",
        nargs="*",
        metavar="OBJECT",
        help="which findings, named as in the drill; * is a wildcard [default: all]",
    )


def run(parsed: argparse.Namespace, root: Path) -> int:
    """Record the acceptance; the exit code: 0, 4 for wrong usage, 6 where it cannot be recorded."""
    if not parsed.reason.strip():
        raise UsageError("--reason is empty; give the reason why the change is intended")
    settings = settings_here({"backup": parsed.backup}, root)
    state, found = last_found(settings, parsed.series)
    chosen = chosen_of(found["findings"], parsed.objects)
    line = {
        "at": datetime.now(UTC).replace(microsecond=0).isoformat(),
        "by": parsed.by or user(),
        "reason": parsed.reason.strip(),
        "series": state.scheme,
        "backup": Path(str(found.get("backup"))).name,
        "objects": chosen,
    }
    try:
        state.accept(line)
    except OSError as error:
        raise CouldNotRun(
            f"the acceptance cannot be recorded: {error.strerror}",
            checked=[str(state.accepted_path)],
            remedy=remedy_for("accept", "unwritable"),
        ) from None
    sys.stdout.write("\n".join(lines_of(state, chosen, found["findings"])) + "\n")
    return 0


def last_found(settings: Settings, series: str | None) -> tuple[State, dict[str, Any]]:
    """What the last drill of `series` found that failed, with its state.

    UsageError where there is nothing, or where several series have findings and none is named.
    """
    if settings.backup is not None:
        states = [state_of(settings, select_backup(settings))]
    else:
        folders = sorted(
            home_of(settings).glob("*/found.json"), key=lambda each: each.stat().st_mtime
        )
        states = [State(path.parent, path.parent.name) for path in reversed(folders)]
    problems, found = [], dict[str, tuple[State, dict[str, Any]]]()
    for state in states:
        raw, problem = state.read_found()
        if raw is not None and raw["findings"]:
            name = str(raw.get("series", state.scheme))
            found.setdefault(name, (State(state.folder, name), raw))
        problems += [problem] if problem else []
    if series is not None:
        found = {name: each for name, each in found.items() if series in (name, name.strip("/"))}
    if len(found) > 1:
        names = ", ".join(found)
        raise UsageError(
            f"the last drills of several series found something: {names}; choose one: --series NAME"
        )
    if found:
        return next(iter(found.values()))
    raise UsageError(
        "there is nothing to accept: the last drill found nothing lost or changed"
        + (f" ({'; '.join(problems)})" if problems else f" (checked: {home_of(settings)})")
    )


def chosen_of(findings: list[dict[str, Any]], patterns: list[str]) -> list[dict[str, Any]]:
    """Findings that `patterns` name, all where there are none; UsageError where one names none."""
    if not patterns:
        return findings
    chosen = []
    for pattern in patterns:
        matching = [each for each in findings if is_named(str(each["object"]), pattern)]
        if not matching:
            known = "; ".join(str(each["object"]) for each in findings)
            raise UsageError(f"{pattern!r} matches none of the findings: {known}")
        chosen += [each for each in matching if each not in chosen]
    return chosen


def is_named(title: str, pattern: str) -> bool:
    """Whether `pattern` is the title of a finding, its name without the kind, or fits either."""
    return any(
        pattern == each or fnmatch.fnmatchcase(each, pattern)
        for each in (title, title.rpartition(" of ")[2], title.partition(" ")[2])
    )


def lines_of(state: State, chosen: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[str]:
    """What was accepted, what stays, and what to do next."""
    titles = [str(each["object"]).removeprefix("rows of ") for each in chosen]
    lines = [
        f"Accepted: {title} {each.get('description', '')}"
        for title, each in zip(titles, chosen, strict=True)
    ]
    rest = len(found) - len(chosen)
    if rest:
        lines.append(f"Not part of this: {show_count(rest, 'other finding')}")
    lines.append(f"Recorded in {state.accepted_path}")
    if any("the reference" in str(each.get("against")) for each in chosen):
        lines.append(f"The reference still differs: run {COMMAND} reference, and commit it")
    lines.append("Next: drill again; later losses are not covered")
    return lines


def user() -> str:
    """Who runs the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"
