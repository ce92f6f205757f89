"""`python -m tests.force --fleet`: inject faults into runs of a fleet, and print a table."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.force.fleet.databases import every_database, some_databases
from tests.force.fleet.injections import ALL, NOTHING, QUICK
from tests.force.fleet.network import why_no_network
from tests.force.fleet.run import Result, run_one
from tests.force.fleet.table import table
from tests.force.fleet.world import new_world
from tests.force.page import put_into_page


def main() -> int:
    """Run; exit code 1 where a verdict is not right, or something was left or changed."""
    parser = argparse.ArgumentParser(prog="make force ARGS=--fleet", description=__doc__)
    parser.add_argument("--fleet", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=11, help="makes moments random [default: 11]")
    parser.add_argument("--only", default="", help="faults whose names hold this text")
    parser.add_argument("--rounds", type=int, default=1, help="runs with each fault [default: 1]")
    parser.add_argument("--keep", type=Path, help="file for the results, a JSON a line")
    parser.add_argument("--quick", action="store_true", help="a few databases, as in the tests")
    parser.add_argument("--show", type=Path, help="run nothing: the results in this file")
    parser.add_argument("--write", action="store_true", help="put the table into docs/force.md")
    given = parser.parse_args()
    if given.show:
        results = [Result(**json.loads(line)) for line in given.show.read_text().splitlines()]
    elif why := why_no_network():
        sys.stderr.write(f"no fleet can be built on this machine: {why}\n")
        return 1
    else:
        results = list(ran(given))
    summary = (
        f"`make force ARGS=--fleet`, {datetime.now(UTC):%Y-%m-%d}, seed {given.seed}: "
        f"{len(results)} runs of {max(each.databases for each in results)} databases, "
        f"{sum(each.seconds for each in results) / 60:.0f} min"
    )
    lines = [summary, "", *table(results)]
    sys.stdout.write("\n".join(lines) + "\n")
    if given.write:
        put_into_page("Results of a fleet", lines)
    return 1 if any(each.faults for each in results) else 0


def ran(given: argparse.Namespace) -> Iterator[Result]:
    """The results, each with a line as it comes."""
    chosen = [QUICK] if given.quick else [each for each in ALL if given.only in each.name]
    with new_world(some_databases() if given.quick else every_database()) as world:
        for number, each in enumerate(chosen * given.rounds, start=1):
            result = run_one(world, each, number, given.seed + (number - 1) // len(chosen))
            show(result)
            if given.keep is not None:
                with given.keep.open("a") as file:
                    file.write(json.dumps(result.as_json()) + "\n")
            yield result


def show(result: Result) -> None:
    """Tell of one run."""
    is_done = result.moment >= 0 or result.injection == NOTHING.name
    sign = "FAULT" if result.faults else "ok" if is_done else "ok, nothing injected"
    sys.stderr.write(
        f"{sign}: {result.injection} after {max(0, result.moment)} of {result.databases} verdicts, "
        f"{result.tried_again} tried again, {result.left_at_once} left at once, "
        f"{result.seconds:.0f} s\n"
    )
    for each in [*result.faults, *(f"at first {why}" for why in result.unsure)]:
        sys.stderr.write(f"    {each}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
