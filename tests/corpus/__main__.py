"""`python -m tests.corpus`: a Markdown table of which damages are noticed, and by what.

It ends with 1 where anything is not as it must be: a damage that nothing notices, a healthy
database that is red, a hostile dump that reaches something.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from restore_drill.servers.find import installed
from restore_drill.servers.isolation import why_not
from tests.corpus.damages import CASES, COPY_CASES, Case, CopyCase
from tests.corpus.drift import DriftLab, table
from tests.corpus.healthy import HEALTHY
from tests.corpus.hostile import EVERY, dump_of, reached, world
from tests.corpus.lab import Lab, Outcome
from tests.corpus.physical.table import table as table_of_physical
from tests.corpus.redis.table import table as table_of_redis
from tests.corpus.ways.table import table as table_of_ways
from tests.helpers.shop import FORMATS, Shops

Table = Generator[str, None, bool]
"""Lines, each when it is known, and at the end whether all was as it must be."""


def run_case(lab: Lab, case: Case, *, compares: bool = True) -> Outcome:
    """What the drill sees of a damaged backup.

    What pg_dump left out is in no manifest's digest: there the manifest is that of the whole
    source with the digest of this very file.
    """
    path = lab.dump(case.source, case.form, *case.options)
    manifest = lab.manifest(case.source, path)
    with lab.damaged(path, lambda copy: case.do(lab, copy)) as copy:
        return lab.look(case.source, copy, manifest, compares=compares)


def run_copy(lab: Lab, case: CopyCase) -> Outcome | None:
    """What the drill sees of a damaged copy of a restored database; None for nothing to damage."""
    return lab.look_at_copy(case.source, case.damage)


@dataclass
class Row:
    """One kind of damage in the table."""

    cases: int = 0
    without: int = 0
    noticed: int = 0
    by: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        """Count one case."""
        self.cases += 1
        self.without += bool(outcome.without_manifest)
        self.noticed += bool(outcome.red)
        self.by.update(name.removeprefix("test_") for name in sorted(outcome.red))

    def line(self, kind: str) -> str:
        """The row in Markdown."""
        by = ", ".join(f"{name} {count}" for name, count in self.by.most_common(4))
        return f"| {kind} | {self.cases} | {self.without} | {self.noticed} | {by} |"


def outcomes(lab: Lab) -> Iterator[tuple[str, Outcome]]:
    """Kind and outcome of every case."""
    for number, case in enumerate(CASES, start=1):
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{number} of {len(CASES)} files")
        yield case.kind, run_case(lab, case)
    sys.stderr.write("\n" if sys.stderr.isatty() else "")
    for copy_case in COPY_CASES:
        outcome = run_copy(lab, copy_case)
        if outcome is not None:
            yield "database: " + copy_case.damage.what, outcome


def damages(shops: Shops, folder: Path) -> Table:
    """Lines of the table of damages."""
    lab = Lab(shops, folder)
    rows: dict[str, Row] = {}
    total = Row()
    for kind, outcome in outcomes(lab):
        rows.setdefault(kind, Row()).add(outcome)
        total.add(outcome)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    version = lab.source("shop").version
    yield f"`make corpus`, {today}, PostgreSQL {version}, Python {sys.version.split()[0]}"
    yield ""
    yield "| damage | cases | noticed without a manifest | with a manifest | criteria (cases) |"
    yield "|---|---|---|---|---|"
    for kind, row in rows.items():
        yield row.line(kind)
    yield f"| **all** | {total.cases} | {total.without} | {total.noticed} | |"
    return total.noticed == total.cases


def left_out(major: int, needs: frozenset[str]) -> str:
    """Why no server of `major` here can have databases with `needs`; empty where one can."""
    why: list[str] = []
    if not needs or installed(major, needs, why):
        return ""
    return "; ".join(why) or f"there is no PostgreSQL {major} with {', '.join(sorted(needs))}"


def healthy(shops: Shops, folder: Path) -> Table:
    """A line on each healthy database that is red in some format, and how many were drilled.

    Those that need extensions of others are drilled on the newest build of the major that has them.
    """
    count = red = 0
    kinds = dict.fromkeys(kind.needs for kind in HEALTHY.values())
    for major, needs in itertools.product((15, 18), kinds):
        names = [name for name in HEALTHY if HEALTHY[name].needs == needs]
        if why := left_out(major, needs):
            yield f"PostgreSQL {major}, {', '.join(names)}: left out, {why}"
            continue
        with closing(Shops(folder, needs)) if needs else nullcontext(shops) as able:
            lab = Lab(able, folder / "-".join([str(major), *sorted(needs)]), major)
            for name, form in itertools.product(names, FORMATS):
                path = lab.dump(name, form)
                outcome = lab.look(name, path, lab.manifest(name, path))
                count += 1
                if outcome.red != HEALTHY[name].red:
                    red += 1
                    yield f"PostgreSQL {major}, {name}, {form}: {', '.join(sorted(outcome.red))}"
    yield (
        f"{len(HEALTHY)} healthy databases, {len(FORMATS)} formats, PostgreSQL 15 and 18: "
        f"{count} drills, {red} wrongly red"
    )
    return not red


def drifts(shops: Shops, folder: Path) -> Table:
    """Lines of the table of damages in the source before the dump."""
    return (yield from table(DriftLab(shops, folder)))


def hostile(shops: Shops, folder: Path) -> Table:
    """A line on each hostile dump that has reached something, and how many were contained."""
    held = 0
    for number, case in enumerate(EVERY):
        target = shops.database(15, f"hostile_{number}")
        if not target.isolated:
            yield f"namespaces are closed here: {why_not()}"
            return False
        with world() as outside:
            path = dump_of(case, outside, shops, folder)
            harm = reached(path, outside, target, folder)
        held += not harm
        if harm:
            yield f"{case.id}: {', '.join(harm)}"
    yield f"hostile dumps contained {held} of {len(EVERY)}"
    return held == len(EVERY)


def ways(_shops: Shops, folder: Path) -> Table:
    """Lines of the table of ways to restore; further arguments name databases, or `mistakes`."""
    return (yield from table_of_ways(folder, sys.argv[2:]))


def redis(_shops: Shops, folder: Path) -> Table:
    """A line on each backup of Redis that is not as it must be, damaged or healthy."""
    return (yield from table_of_redis(folder))


def physical(_shops: Shops, _folder: Path) -> Table:
    """A line on each damaged physical backup, and on each healthy one that is red."""
    return (yield from table_of_physical(sys.argv[2:]))


SECTIONS = {
    "damages": damages, "healthy": healthy, "drift": drifts, "hostile": hostile, "ways": ways,
    "redis": redis, "physical": physical,
}  # fmt: skip


def told(lines: Table) -> bool:
    """Print the lines; whether all was as it must be."""
    while True:
        try:
            sys.stdout.write(next(lines) + "\n")
        except StopIteration as end:
            return bool(end.value)
        sys.stdout.flush()


def main() -> int:
    """Print the table of damages, or what the argument asks for: a name of SECTIONS."""
    asked = sys.argv[1] if sys.argv[1:] else "damages"
    if asked not in SECTIONS:
        sys.exit(f"there is no corpus {asked!r}; there are: {', '.join(SECTIONS)}")
    lines = SECTIONS[asked]
    with tempfile.TemporaryDirectory(prefix="restore-drill-work-") as name:
        folder = Path(name)
        with closing(Shops(folder)) as shops:
            return int(not told(lines(shops, folder)))


if __name__ == "__main__":
    sys.exit(main())
