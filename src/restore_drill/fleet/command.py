"""`restore-drill fleet`: many databases, drilled here or on many machines."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from restore_drill.config.environment import read_environment, variables_set
from restore_drill.core.errors import EXIT_COULD_NOT_RUN
from restore_drill.core.interrupt import ended_as_by_a_key
from restore_drill.core.printable import printable
from restore_drill.fleet.inventory import example, lines_of, warning_lines
from restore_drill.fleet.matrix import GITHUB, GITLAB
from restore_drill.fleet.meant import Meant, meant_by, top_of
from restore_drill.fleet.pool.secure import is_address
from restore_drill.watch.site import OUT

SYSTEMS = (GITHUB, GITLAB)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its subcommands with their options."""
    kinds = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    run = kinds.add_parser("run", help="drill, with one verdict for all")
    named(run)
    due_argument(run)
    where = run.add_mutually_exclusive_group()
    where.add_argument(
        "--workers",
        type=whole,
        metavar="N",
        help="how many drills run here at once [default: cores]",
    )
    where.add_argument(
        "--scheduler", type=address, metavar="ADDRESS",
        help="scheduler of Dask, such as tcp://host:8786",
    )  # fmt: skip
    report_argument(run)
    named(kinds.add_parser("list", help="show the databases, and those that are new"))
    status_arguments(kinds.add_parser("status", help="show which have not passed in time"))
    dashboard = kinds.add_parser("dashboard", help="write a static site over all databases")
    named(dashboard)
    dashboard.add_argument(
        "--out", default=OUT, metavar="DIR", help=f"folder of the site [default: {OUT}]"
    )
    report_argument(dashboard)
    matrix = kinds.add_parser("matrix", help="print the jobs of a CI system")
    matrix.add_argument("kind", choices=SYSTEMS, metavar="|".join(SYSTEMS), help="which system")
    named(matrix)
    due_argument(matrix)
    matrix.add_argument("--jobs", type=whole, metavar="N", help="at most this many jobs")
    kinds.add_parser("init", help="print a fleet.toml to begin with")


def status_arguments(status: argparse.ArgumentParser) -> None:
    """Options of `fleet status`."""
    named(status)
    status.add_argument(
        "--notify", action="store_true", help="send one message, once a day, if drills are overdue"
    )
    status.add_argument("--json", action="store_true", help="print JSON for other programs")
    status.add_argument(
        "--metrics-file", type=prom_file, metavar="FILE.prom",
        help="write metrics of all databases, too",
    )  # fmt: skip


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


def report_argument(parser: argparse.ArgumentParser) -> None:
    """`--report-dir`."""
    parser.add_argument("--report-dir", metavar="DIR", help="folder of the reports")


def due_argument(parser: argparse.ArgumentParser) -> None:
    """`--due`."""
    text = "only databases that are due by their schedule, or whose newest backup is not proved"
    parser.add_argument("--due", action="store_true", help=text)


def whole(text: str) -> int:
    """A number of 1 or more."""
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"must be a whole number, 1 or more, not {text!r}")
    return int(text)


def prom_file(text: str) -> Path:
    """A file for metrics, which replaces what is there: so it is no other file by mistake."""
    path = Path(text).expanduser().absolute()
    if path.suffix != ".prom":
        raise argparse.ArgumentTypeError(f"{text!r} must end with .prom, for node_exporter to read")
    if path.exists() and not path.is_file():
        raise argparse.ArgumentTypeError(f"{text!r} is no regular file")
    return path


def address(text: str) -> str:
    """The address of a scheduler."""
    if not is_address(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not tcp://host:port or tls://host:port")
    return text


def run(parsed: argparse.Namespace, root: Path) -> int:
    """Carry out the subcommand; its exit code. Raises UsageError and CouldNotRun."""
    if parsed.what == "init":
        return write(example().splitlines())
    tasks: dict[str, Callable[[argparse.Namespace, Meant], int]] = {
        "run": drilled,
        "list": listed,
        "matrix": shown,
        "status": shown,
        "dashboard": shown,
    }
    environment = read_environment(Path.cwd(), root)
    # What `.env` adds holds for drills here as it does for lists and references.
    with ended_as_by_a_key(), variables_set(environment):
        return tasks[parsed.what](parsed, meant_by(parsed, environment))


def listed(_: argparse.Namespace, meant: Meant) -> int:
    """Show the databases; exit code 6 where a place cannot be listed, else 0."""
    write(lines_of(meant.part))
    return EXIT_COULD_NOT_RUN if any(each.unlisted for each in meant.databases) else 0


def shown(parsed: argparse.Namespace, meant: Meant) -> int:
    """Show what is known of the drills; the exit code."""
    from restore_drill.fleet import shown as what  # noqa: PLC0415 - brings all that reads backups

    if parsed.what == "dashboard":
        return what.dashboard(parsed.out, meant.part, top_of(parsed, meant))
    if parsed.what == "matrix":
        return what.matrix(parsed, meant.part)
    return what.status(parsed, meant.part, meant.environment)


def drilled(parsed: argparse.Namespace, meant: Meant) -> int:
    """Drill; the exit code of the fleet."""
    from restore_drill.fleet.carry import Carried  # noqa: PLC0415 - brings all that drills need
    from restore_drill.fleet.report.files import alone  # noqa: PLC0415 - likewise

    sys.stderr.writelines(f"{printable(each)}\n" for each in warning_lines(meant.inventory))
    top = top_of(parsed, meant)
    run = Carried(
        meant.inventory, meant.databases, top, meant.environment, parsed.due, parsed.workers,
        parsed.scheduler,
    )  # fmt: skip
    with alone(top):
        return run.carry_out()


def announce_refused(options: Sequence[str], text: str, code: int, root: Path) -> None:
    """Let people know what `options` could not do, and why, where they wait for it."""
    what = options[:1]
    if what == ["status"] and "--notify" in options:
        from restore_drill.fleet.report.absent import announce_unknown  # noqa: PLC0415 - see below
        from restore_drill.fleet.report.telling import environment_here  # noqa: PLC0415 - see below

        announce_unknown(text, environment_here(root))
    elif what == ["run"]:
        from restore_drill.fleet.report.telling import tell_unbegun  # noqa: PLC0415 - few need it

        tell_unbegun(text, code, root)


def write(lines: Sequence[str]) -> int:
    """Print `lines`; exit code 0."""
    sys.stdout.write("\n".join(printable(each) for each in lines) + "\n")
    return 0
