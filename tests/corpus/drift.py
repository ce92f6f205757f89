"""Drift: what happens to a source between two dumps, and what the drill must say of it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from restore_drill.config.criteria import Criteria
from restore_drill.drift.accepted import Acceptances
from restore_drill.drift.drift import Drift, drift_of
from restore_drill.drift.measures import facts_of
from restore_drill.drift.tolerance import Tolerance
from restore_drill.facts.schema.model import DriftFacts, Measure
from restore_drill.facts.schema.reading import Wanted
from restore_drill.servers.model import Target
from tests.corpus.judge import read_backup, restore, settings_with
from tests.helpers.shop import Shops, fill_shop, pg_dump

SCRIPT = Path(__file__).with_name("drift_source.sql").read_text(encoding="utf-8")
DATABASE_NAME = "another name of the database"


def cases(file: str) -> dict[str, str]:
    """Scripts of the cases in `file`, by name."""
    text = (Path(__file__).parent / file).read_text(encoding="utf-8")
    found = (part.partition("\n") for part in text.split("-- case: ")[1:])
    return {name: script.strip() for name, _, script in found}


DAMAGES = cases("drift_damages.sql")
"""What must be red: none of it is excused."""

HEALTHY = cases("drift_healthy.sql")
"""What must stay green: additions, growth, churn, and what a migration does."""


@dataclass
class DriftLab:
    """Sources, their dumps restored, and the drift of each from the healthy one."""

    shops: Shops
    folder: Path
    major: int = 15
    criteria: Criteria = field(default_factory=lambda: Criteria(Path("criteria.toml")))

    def __post_init__(self) -> None:
        """Restore the healthy source once: that is what all is measured by."""
        self.numbers = itertools.count()
        self.folder.mkdir(exist_ok=True)
        self.settings = settings_with()
        self.source = self.shops.database(self.major, "drift_source")
        fill_shop(self.source, SCRIPT)
        self.facts = self.restored(self.source, self.major)

    def restored(self, source: Target, major: int) -> DriftFacts:
        """What a drill holds of a dump of `source` that it restores on `major`."""
        number = next(self.numbers)
        path = pg_dump(source, self.folder / f"{number}.dump", "-Fc")
        known = read_backup(path, self.folder, self.settings)
        target = self.shops.database(major, f"drift_copy_{number}")
        try:
            found = restore(known, target, split=False, drifting=Wanted())
            return facts_of(found["facts"], found["contents"], found["backup"], None)
        finally:
            drop(target)

    def on(self, major: int) -> DriftFacts:
        """What a drill holds of the healthy source on another major version."""
        source = self.shops.database(major, "drift_source")
        fill_shop(source, SCRIPT)
        return self.restored(source, major)

    def after(self, script: str) -> DriftFacts:
        """What a drill holds once `script` has been run in a copy of the healthy source."""
        with self.changed(script) as source:
            return self.restored(source, self.major)

    @contextlib.contextmanager
    def changed(self, script: str) -> Iterator[Target]:
        """A copy of the healthy source in which `script` was run."""
        source = self.shops.database(self.major, f"drift_changed_{next(self.numbers)}")
        try:
            fill_shop(source, without_roles(SCRIPT))
            for statement in split(script):
                fill_shop(source, statement)
            yield source
        finally:
            drop(source)

    def drift(
        self, now: DriftFacts, *, was: DriftFacts | None = None, lines: Sequence[object] = ()
    ) -> Drift:
        """Drift of `now` from the healthy source, or from another measure."""
        tolerance = Tolerance(self.criteria)
        measure = Measure("last passed drill", "the drill before", "mark", was or self.facts)
        return drift_of([measure], now, tolerance, Acceptances(lines, tolerance))  # type: ignore[arg-type]

    def look(self, name: str, script: str) -> Drift:
        """Drift that a case makes."""
        now = self.after(script)
        # each case has a database of its own: only one of them is about its name
        database = "other" if name == DATABASE_NAME else self.facts.database
        return self.drift(now.of(rows=now.rows, large_objects=now.large_objects,
                                 database=database, system=""))  # fmt: skip


def split(script: str) -> list[str]:
    """Statements that want a transaction of their own (enum values), else the script as it is."""
    alone = "ADD VALUE" in script or "REINDEX" in script
    return [each for each in script.split(";\n") if each] if alone else [script]


def without_roles(script: str) -> str:
    """`script` without the roles, which all databases of a server share."""
    return "\n".join(line for line in script.splitlines() if not line.startswith("CREATE ROLE"))


def drop(target: Target) -> None:
    """Drop a database, unless something is at work in it."""
    with (
        contextlib.suppress(psycopg.errors.ObjectInUse),
        target.connect(dbname="postgres") as connection,
    ):
        connection.execute(f"DROP DATABASE {target.conninfo['dbname']} (FORCE)".encode())


def table(lab: DriftLab) -> Generator[str, None, bool]:
    """Lines of the table: each damage with what was found, then what is wrongly red.

    At the end whether all was as it must be.
    """
    yield "| damage in the source | red | findings | first |"
    yield "|---|---|---|---|"
    red = green = 0
    for name, script in DAMAGES.items():
        found = lab.look(name, script).failing
        red += bool(found)
        first = found[0].line if found else ""
        yield f"| {name} | {'yes' if found else '**NO**'} | {len(found)} | {first} |"
    for name, script in HEALTHY.items():
        found = lab.look(name, script).failing
        green += not found
        if found:
            yield f"| wrongly red: {name} | yes | {len(found)} | {found[0].line} |"
    yield ""
    yield f"Damaged red {red} of {len(DAMAGES)}, healthy green {green} of {len(HEALTHY)}"
    return red == len(DAMAGES) and green == len(HEALTHY)
