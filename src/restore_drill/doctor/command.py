"""`restore-drill doctor`: what is configured and found, whether a drill could run, what to do."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from restore_drill.config.options import OPTIONS
from restore_drill.config.own import own_drill_near
from restore_drill.core.printable import printable_json, printable_lines


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its own options, and the drill's: the drill is examined that they would make."""
    parser.add_argument("--json", action="store_true", help="print JSON for other programs")
    parser.add_argument(
        "--all", action="store_true", help="show every series, and every file that is ignored"
    )
    group = parser.add_argument_group("the options of the drill that is examined")
    for option in OPTIONS.values():
        if option.is_flag:
            group.add_argument(
                *option.flags, dest=option.dest, action="store_const", const="yes", help=option.help
            )
        else:
            group.add_argument(*option.flags, dest=option.dest, metavar="X", help=option.help)


def run(parsed: argparse.Namespace, root: Path) -> int:
    """Print what was found; 0 where a drill could run, 4 for a setting, 6 where it could not."""
    from restore_drill.doctor.configured import configure  # noqa: PLC0415 - completion loads us
    from restore_drill.doctor.examine import examine  # noqa: PLC0415 - likewise
    from restore_drill.doctor.lines import MOST, as_json, lines_of  # noqa: PLC0415 - likewise

    here = Path.cwd()
    options = {name: getattr(parsed, option.dest) for name, option in OPTIONS.items()}
    checkup = examine(configure(options, here=here, root=root, own=own_drill_near(here)))
    if parsed.json:
        text = printable_json(as_json(checkup), indent=1)
    else:
        text = printable_lines("\n".join(lines_of(checkup, None if parsed.all else MOST)))
    sys.stdout.write(text + "\n")
    return checkup.code
