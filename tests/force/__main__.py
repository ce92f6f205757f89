"""`python -m tests.force`: inject faults into drills of a live database, and print a table."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.force.cases import Case, chosen, quick
from tests.force.fleet.__main__ import main as fleet
from tests.force.lanes import run_lanes
from tests.force.page import put_into_page
from tests.force.run import Result
from tests.force.server import MAJOR
from tests.force.table import table


def main() -> int:
    """Run the cases; exit code 1 where one has lost something or left something in silence."""
    if "--fleet" in sys.argv[1:]:
        return fleet()
    parser = argparse.ArgumentParser(prog="make force", description=__doc__)
    parser.add_argument("--count", type=int, default=360, help="how many cases [default: 360]")
    parser.add_argument("--seed", type=int, default=11, help="makes times random [default: 11]")
    parser.add_argument("--only", default="", help="cases whose names hold this text")
    parser.add_argument("--lanes", type=int, default=2, help="worlds side by side [default: 2]")
    parser.add_argument("--keep", type=Path, help="file for the results, a JSON a line")
    parser.add_argument("--quick", action="store_true", help="a dozen cases, as in the tests")
    parser.add_argument("--show", type=Path, help="inject nothing: the results in this file")
    parser.add_argument("--write", action="store_true", help="put the table into docs/force.md")
    parser.add_argument("--fleet", action="store_true", help="a fleet instead; has its own --help")
    given = parser.parse_args()
    every = chosen(10_000 if given.only else given.count, given.seed)
    cases = (
        quick()
        if given.quick
        else [each for each in every if given.only in each.name][: given.count]
    )
    began = time.monotonic()
    if given.show:
        results = [Result(**json.loads(line)) for line in given.show.read_text().splitlines()]
    else:
        results = list(shown(run_lanes(cases, given.seed, given.lanes), len(cases), given.keep))
    took = "" if given.show else f" in {(time.monotonic() - began) / 60:.0f} min"
    reached = sum(each.reached for each in results)
    summary = (
        f"`make force`, {datetime.now(UTC):%Y-%m-%d}, seed {given.seed}, PostgreSQL {MAJOR}: "
        f"{reached} faults injected in {len(results)} drills and rollbacks{took}"
    )
    lines = [summary, "", *table(results, left_out(cases))]
    sys.stdout.write("\n".join(lines) + "\n")
    if given.write:
        put_into_page("Results", lines)
    return 1 if any(each.faults for each in results) else 0


def shown(results: Iterator[Result], count: int, keep: Path | None) -> Iterator[Result]:
    """The same results, each with a line as it comes."""
    for number, each in enumerate(results, start=1):
        sign = "FAULT" if each.faults else "ok" if each.reached else "ok, moment not reached"
        sys.stderr.write(
            f"[{number}/{count}] {sign}: {each.name} (case {each.number}): exit {each.code}, "
            f"{each.state}, {len(each.left)} left, {each.seconds:.1f} s\n"
        )
        for fault in each.faults:
            sys.stderr.write(f"    {fault}\n")
        sys.stderr.flush()
        if keep is not None:
            with keep.open("a") as file:
                file.write(json.dumps(each.as_json()) + "\n")
        yield each


def left_out(cases: list[Case]) -> list[str]:
    """What cannot be injected on this machine, and why."""
    found = {each.injection.name: each.injection.why_not() for each in cases}
    return [f"{name}: {why}" for name, why in sorted(found.items()) if why]


if __name__ == "__main__":
    sys.exit(main())
