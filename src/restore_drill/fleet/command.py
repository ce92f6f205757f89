"""`restore-drill fleet`: many databases, drilled here or on many machines."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from restore_drill.config.environment import read_environment, variables_set
from restore_drill.config.options import OPTIONS
from restore_drill.core.errors import EXIT_COULD_NOT_RUN
from restore_drill.core.printable import printable
from restore_drill.fleet.inventory import example, lines_of
from restore_drill.fleet.matrix import GITHUB, GITLAB, matrix_of
from restore_drill.fleet.meant import Meant, meant_by


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its subcommands with their options."""
    kinds = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    run = kinds.add_parser("run", help="drill, with one verdict for all")
    named(run)
    due_argument(run)
    where = run.add_mutually_exclusive_group()
    where.add_argument(
        "--workers", type=whole, metavar="N", help="so many drills at once here [default: cores]"
    )
    where.add_argument(
        "--scheduler", metavar="ADDRESS", help="scheduler of Dask, such as tcp://host:8786"
    )
    run.add_argument("--report-dir", metavar="DIR", help="folder of the reports")
    named(kinds.add_parser("list", help="show the databases, and those that are new"))
    named(kinds.add_parser("status", help="show which databases have not passed in time"))
    matrix = kinds.add_parser("matrix", help="print the jobs of a CI system")
    matrix.add_argument("kind", choices=(GITHUB, GITLAB), help="for which system")
    named(matrix)
    due_argument(matrix)
    matrix.add_argument("--jobs", type=whole, metavar="N", help="in so many jobs at most")
    kinds.add_parser("init", help="print a fleet.toml to begin with")


def named(parser: argparse.ArgumentParser) -> None:
    """Options that say which databases are meant."""
    parser.add_argument(
        "--inventory", metavar="PATH", help="fleet.toml or a folder of such files [DRILL_FLEET]"
    )
    parser.add_argument(
        "--select", nargs="+", action="extend", default=[], metavar="KEY=VALUE",
        help="databases with this label, name or owner; != for all others",
    )  # fmt: skip
    parser.add_argument(
        "--only", nargs="+", action="extend", default=[], metavar="NAME", help="these databases"
    )


def due_argument(parser: argparse.ArgumentParser) -> None:
    """`--due`."""
    text = "only what its schedule, or a backup that is not proved, asks for"
    parser.add_argument("--due", action="store_true", help=text)


def whole(text: str) -> int:
    """A number of 1 or more."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of 1 or more")
    return int(text)


def run(parsed: argparse.Namespace, root: Path) -> int:
    """Carry out the subcommand; its exit code. Raises UsageError and CouldNotRun."""
    if parsed.what == "init":
        return write(example().splitlines())
    tasks: dict[str, Callable[[argparse.Namespace, Meant], int]] = {
        "run": drilled,
        "list": listed,
        "matrix": matrix,
        "status": status,
    }
    # What `.env` adds holds for drills here as it does for lists and references.
    with variables_set(read_environment(Path.cwd(), root)):
        return tasks[parsed.what](parsed, meant_by(parsed, root))


def listed(_: argparse.Namespace, meant: Meant) -> int:
    """Show the databases; exit code 6 where a place cannot be listed, else 0."""
    write(lines_of(meant.part))
    return EXIT_COULD_NOT_RUN if any(each.unlisted for each in meant.databases) else 0


def drilled(parsed: argparse.Namespace, meant: Meant) -> int:
    """Drill; the exit code of the fleet."""
    from restore_drill.fleet.carry import Carried  # noqa: PLC0415 - brings all that drills need

    option = OPTIONS["report_dir"]
    folder = parsed.report_dir or meant.environment.get(option.variable) or str(option.default)
    top = (Path.cwd() / Path(folder).expanduser()).absolute()
    return Carried(
        meant.inventory, meant.databases, top, meant.environment, parsed.due, parsed.workers,
        parsed.scheduler,
    ).carry_out()  # fmt: skip


def matrix(parsed: argparse.Namespace, meant: Meant) -> int:
    """Print the matrix; exit code 0."""
    from restore_drill.fleet.due import answer  # noqa: PLC0415 - brings all that reads backups
    from restore_drill.fleet.known import known_of  # noqa: PLC0415 - likewise
    from restore_drill.fleet.sizing import seconds_of  # noqa: PLC0415 - likewise

    known = known_of(meant.databases, has_backups=parsed.due)
    names = [name for name, each in known.items() if not parsed.due or answer(each).is_due]
    seconds = {name: took for name in names if (took := seconds_of(known[name])) is not None}
    return write(matrix_of(parsed.kind, names, seconds, parsed.jobs).splitlines())


def status(_: argparse.Namespace, meant: Meant) -> int:
    """Show which databases have not passed in time; exit code 1 where one has a problem, else 0."""
    from restore_drill.fleet.known import known_of  # noqa: PLC0415 - brings what reads backups
    from restore_drill.fleet.report.status import fleet_status  # noqa: PLC0415 - likewise

    known = known_of(meant.databases, has_backups=False)
    # Each history has the drills of its own database alone, whatever its series is called in full.
    own = {name: replace(each.database, series="") for name, each in known.items()}
    inventory = replace(meant.part, databases=own)
    lines, code = fleet_status(inventory, {name: each.history for name, each in known.items()})
    write(lines)
    return code


def write(lines: Sequence[str]) -> int:
    """Print `lines`; exit code 0."""
    sys.stdout.write("\n".join(printable(each) for each in lines) + "\n")
    return 0
