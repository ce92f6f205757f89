"""Compares what every way makes of the dumps of some databases, and of dumps with mistakes."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.corpus.lab import Lab
from tests.corpus.ways.forms import Form
from tests.corpus.ways.mistakes import EDITED, SCRIPT, Mistake
from tests.corpus.ways.state import State, differences, lasting, state_of
from tests.corpus.ways.trial import Dump, Trial, Trials, Truth
from tests.corpus.ways.ways import WAYS, Way
from tests.helpers.shop import COMPRESSORS, fill_shop, pg_dump

LOSSY = "lossy"
"""Database whose INSERTs are not the whole of it: of those only the ways are compared."""
OWN = {LOSSY: Path(__file__).with_name("lossy.sql").read_text(encoding="utf-8")}
"""Databases beside those of the corpus."""
TOOL = "PostgreSQL's own tool, against the source"


@dataclass
class Found:
    """What some dumps came to: lines on what is wrong, and by way how often it was gone.

    `taken` counts where it was gone to its end, `undumped` by form what pg_dump cannot write.
    """

    lines: list[str] = field(default_factory=list)
    tried: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    undumped: Counter[str] = field(default_factory=Counter)

    def add(self, where: str, trial: Trial) -> None:
        """Count one trial."""
        self.tried[trial.way] += 1
        self.taken[trial.way] += trial.is_taken
        if trial.wrong:
            self.wrong[trial.way] += 1
            self.lines += [f"{where}, {trial.way}:", *(f"    {each}" for each in trial.wrong[:6])]

    def update(self, other: Found) -> None:
        """Count what another process has found."""
        self.lines += other.lines
        for name in ("tried", "taken", "wrong", "undumped"):
            getattr(self, name).update(getattr(other, name))


class Compared:
    """Restores the dumps of one lab's databases by all ways, on its own server."""

    def __init__(self, lab: Lab, ways: Sequence[Way] = tuple(WAYS)) -> None:
        """Nothing compared yet."""
        self.lab, self.ways = lab, ways
        self.trials = Trials(lab.shops, lab.folder, lab.major)
        self.found = Found()

    def database(self, name: str, forms: Sequence[Form], turn: int | None = None) -> None:
        """Compare the dumps of one database in `forms`.

        With a `turn` every second way alone where the form is not a usual one, and those alone on
        an older major: which ways it is changes from form to form and from database to database.
        """
        if name in OWN and name not in self.lab.sources:
            self.lab.sources[name] = self.lab.shops.database(self.lab.major, name)
            fill_shop(self.lab.sources[name], OWN[name])
        source = state_of(self.lab.source(name), fingerprint=True)
        for number, form in enumerate(forms):
            if form.since > self.lab.major:
                continue
            ways = self.ways
            if turn is not None and not form.usual:
                if self.lab.major < max(form.since, 18):
                    continue
                ways = [self.ways[0], *self.ways[1 + (turn + number) % 2 :: 2]]
            self.form(name, form, source, ways)

    def form(self, name: str, form: Form, source: State, ways: Sequence[Way]) -> None:
        """Compare the dump of one database in one form."""
        where = f"PostgreSQL {self.lab.major}, {name}, {form.name}"
        path = self.path(name, form)
        if path is None:
            self.found.undumped[form.name] += 1
            return
        schema = self.lab.dump(name, "plain.sql", "--schema-only") if form.into_schema else None
        dump = self.trials.dump(
            path, schema=schema, is_run_by_psql=form.is_run_by_psql, fingerprint=form.usual
        )
        truth = self.trials.truth(dump)
        if form.is_whole and not (name == LOSSY and form.has_inserts):
            assert source.fingerprint is not None
            here = State(truth.state.lines, truth.state.rows, source.catalog,
                         lasting(truth.state.fingerprint or source.fingerprint))  # fmt: skip
            there = replace(source, fingerprint=lasting(source.fingerprint))
            self.found.add(where, Trial(TOOL, is_taken=True, wrong=differences(there, here)))
        self.compare(where, dump, truth, ways)

    def compare(self, where: str, dump: Dump, truth: Truth, ways: Sequence[Way]) -> None:
        """Count what `ways` make of one dump."""
        for trial in self.trials.compare(dump, truth, ways):
            self.found.add(where, trial)

    def path(self, name: str, form: Form) -> Path | None:
        """Dump of a database in a form; None where pg_dump cannot write it so."""
        folder = self.lab.folder / f"way{next(self.lab.numbers)}"
        folder.mkdir()
        path = folder / ("dump" if form.is_archive else "dump.sql")
        try:
            pg_dump(self.lab.source(name), path, *form.options)
        except subprocess.CalledProcessError:
            return None
        if form.compressor:
            packed = path.with_name(f"{path.name}.{form.compressor}")
            packed.write_bytes(COMPRESSORS[form.compressor](path.read_bytes()))
            return packed
        return path

    def mistakes(self, mistakes: Sequence[tuple[int, Mistake]], each: int = len(EDITED)) -> None:
        """Compare dumps with one mistake each, in `each` of the forms, by turns."""
        source = self.lab.shops.database(self.lab.major, f"mistakes_{next(self.lab.numbers)}")
        fill_shop(source, SCRIPT)
        path = self.lab.folder / "mistaken.sql"
        whole = {form.name: pg_dump(source, path, *form.options).read_bytes() for form in EDITED}
        for turn, mistake in mistakes:
            for form in (EDITED * 2)[turn % len(EDITED) :][:each]:
                path.write_bytes(mistake.edit(whole[form.name]))
                assert path.read_bytes() != whole[form.name], mistake.name
                dump = self.trials.dump(path, is_run_by_psql=not mistake.is_cut, fingerprint=False)
                where = f"PostgreSQL {self.lab.major}, {mistake.name}, {form.name}"
                self.compare(where, dump, self.trials.truth(dump), self.ways)
