"""The corpus: healthy databases stay green, and each damage is named by the criterion for it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import product

import pytest

from tests.corpus.__main__ import run_case, run_copy
from tests.corpus.archives import renamed
from tests.corpus.damages import CASES, COPY_CASES, Case, CopyCase
from tests.corpus.healthy import HEALTHY
from tests.corpus.judge import judge, read_backup
from tests.corpus.lab import MANIFEST_ONLY, Lab
from tests.shop import FORMATS, Shops, require_major

FORMS = list(FORMATS)
EVERY = 12
"""Every so many of the cases that only a manifest is sure to show run here; `make corpus`: all."""
NAMED = [case for case in CASES if case.named_by and case.source != "circular"]
SPREAD = [case for case in CASES if case.needs_manifest][::EVERY]
LARGE = {("many_tables", 15)}
"""Databases that take long and are drilled on one major version here."""


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Lab]]:
    """Source databases and dumps for two major versions."""
    folder = tmp_path_factory.mktemp("corpus")
    with contextlib.closing(Shops(folder)) as shops:
        yield {major: Lab(shops, folder / str(major), major) for major in (15, 18)}


def test_corpus_is_large_enough() -> None:
    """There are many damages and healthy databases, and no two cases have one name."""
    assert len(HEALTHY) >= 20
    assert len(CASES) >= 200
    names = [*(case.id for case in CASES), *(case.id for case in COPY_CASES)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["names", "values", "comments", "triggers", "functions"])
def test_healthy_dump_is_read_whole(name: str, form: str, labs: dict[int, Lab]) -> None:
    """The databases that are hardest to read are read to their end in every format."""
    lab = labs[15]
    facts = read_backup(lab.dump(name, form), lab.folder, lab.settings)

    assert facts["contents"].faults == ()


@pytest.mark.parametrize(
    ("name", "major"), [pair for pair in product(HEALTHY, (15, 18)) if pair not in LARGE]
)
def test_healthy_database_stays_green(name: str, major: int, labs: dict[int, Lab]) -> None:
    """A healthy database is restored without an error and turns no criterion red.

    Each is restored in one format a major version; `make corpus ARGS=healthy` takes them all.
    """
    lab = labs[major]
    form = FORMS[(list(HEALTHY).index(name) + major) % len(FORMS)]

    outcome = lab.look(name, path := lab.dump(name, form), lab.manifest(name, path))

    assert outcome.is_restored
    assert outcome.red == HEALTHY[name].red


def test_judge_asks_every_criterion(labs: dict[int, Lab]) -> None:
    """No criterion is left out of the judgement in silence: what cannot be asked is known."""
    lab = labs[15]
    facts, _ = lab.whole("shop")

    judged = judge(facts)

    # The comparison with the manifest is made by Lab.look, and `whole` makes none.
    assert {name.split("[")[0] for name in judged.unasked} <= set(MANIFEST_ONLY)
    assert judged.asked > 40
    assert judged.red == ()


@pytest.mark.parametrize("case", NAMED, ids=lambda case: case.id)
def test_damage_is_named(case: Case, labs: dict[int, Lab]) -> None:
    """A damaged backup turns the criterion red that names this damage."""
    if "blob" in case.name.lower():
        require_major(15)  # newer ones write large objects in another way
    outcome = run_case(labs[15], case, compares=False)

    assert outcome.red & case.named_by, sorted(outcome.red)


@pytest.mark.parametrize("case", SPREAD, ids=lambda case: case.id)
def test_other_damage_is_shown_by_the_manifest(case: Case, labs: dict[int, Lab]) -> None:
    """What leaves the backup restorable is shown by its manifest, and crashes nothing."""
    outcome = run_case(labs[15], case)

    assert outcome.red & {*MANIFEST_ONLY, *case.named_by}, sorted(outcome.red)


@pytest.mark.parametrize(
    "case", [case for case in COPY_CASES if case.source == "shop"], ids=lambda case: case.id
)
def test_damaged_copy_is_noticed(case: CopyCase, labs: dict[int, Lab]) -> None:
    """A damaged copy of a restored database is red, without a manifest where that can be."""
    outcome = run_copy(labs[15], case)

    assert outcome is not None, "the shop has something of every kind to damage"
    assert outcome.red
    assert case.damage.needs_manifest or outcome.without_manifest


def test_control_is_green(labs: dict[int, Lab]) -> None:
    """An undamaged copy, under another name, is green: the damages above are what was seen."""
    control = Case("shop", "plain.sql", "control", "none", renamed("other.sql"))

    assert run_case(labs[15], control).red == set()
