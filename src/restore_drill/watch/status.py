"""`restore-drill status`: does the drill still run, and does it pass? For people and monitors."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from restore_drill.config.settings import Settings, settings_here
from restore_drill.core.errors import CouldNotRun, UsageError
from restore_drill.core.printable import printable, printable_json
from restore_drill.watch.absence import announce_absent, announce_unreadable
from restore_drill.watch.judgement import Rules
from restore_drill.watch.look import Look, look_arguments, look_at_all, rules_of
from restore_drill.watch.nagios import UNKNOWN, plugin_line, report_line
from restore_drill.watch.places import histories_of
from restore_drill.watch.status_json import for_machines
from restore_drill.watch.status_lines import chain_lines, lines_of

NO_HASH = "any"
"""In place of the hash where --verify is given alone."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    look_arguments(parser)
    parser.add_argument(
        "--notify", action="store_true", help="send a message, once a day, if no drill has run"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON for other programs")
    form.add_argument(
        "--nagios", action="store_true", help="one line and exit code 0, 1, 2 or 3, as for Nagios"
    )
    form.add_argument(
        "--verify",
        nargs="?",
        const=NO_HASH,
        metavar="HASH",
        help="check that no entry was changed, removed or inserted; and that the last one, or an "
        "earlier one, has this hash",
    )


def run(parsed: argparse.Namespace, root: Path) -> int:
    """Print how the drills went; exit code 0 without a problem, 1 with one, 4 for a wrong call."""
    try:
        if not parsed.nagios:
            return show(parsed, root)
        code, line = for_monitor(parsed, root)
    except (UsageError, CouldNotRun) as error:
        if parsed.notify:
            announce_unreadable(error, parsed.histories, root)
        if not parsed.nagios:
            raise
        code, line = UNKNOWN, plugin_line(UNKNOWN, str(error).split("\n", maxsplit=1)[0])
    sys.stdout.write(line + "\n")
    return code


def hash_of(given: str, paths: Sequence[Path]) -> str:
    """The hash of --verify, empty where none is given. Raises UsageError where it is none."""
    if given == NO_HASH:
        return ""
    if not re.fullmatch("[0-9a-f]{64}", given):
        raise UsageError(
            f"--verify takes the hash of an entry (64 hexadecimal digits), not {given!r}; "
            "name a history before it: restore-drill status HISTORY --verify"
        )
    if len(paths) > 1:
        raise UsageError("a hash is of one history: verify that one alone")
    return given


def looked(
    parsed: argparse.Namespace, settings: Settings, rules: Rules, now: datetime
) -> list[Look]:
    """The histories that are meant, judged; who is to hear of a drill that did not come does."""
    looks = look_at_all(parsed, settings, rules, now)
    if parsed.notify:
        announce_absent(looks, parsed.histories, settings, rules.limit, now)
    return looks


def for_monitor(parsed: argparse.Namespace, root: Path) -> tuple[int, str]:
    """Exit code and line of --nagios."""
    settings, now = settings_here({}, root), datetime.now(UTC)
    rules = rules_of(parsed, settings)
    return report_line(looked(parsed, settings, rules, now), rules, now)


def show(parsed: argparse.Namespace, root: Path) -> int:
    """What people and programs read."""
    settings, now = settings_here({}, root), datetime.now(UTC)
    if parsed.verify is not None:
        paths = histories_of(parsed.histories, settings)
        lines, is_whole = chain_lines(paths, hash_of(parsed.verify, paths))
        return write(lines, 0 if is_whole else 1)
    looks = looked(parsed, settings, rules_of(parsed, settings), now)
    code = 1 if any(each.problem for look in looks for each in look.series) else 0
    if parsed.json:
        sys.stdout.write(printable_json(for_machines(looks), indent=1) + "\n")
        return code
    return write(lines_of(looks, now), code)


def write(lines: Sequence[str], code: int) -> int:
    """Print `lines`; gives `code`."""
    sys.stdout.write("\n".join(map(printable, lines)) + "\n")
    return code
