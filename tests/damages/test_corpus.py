"""The corpus: healthy databases stay green, and each damage is named by the criterion for it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.damages.model import COMPLETE, YOUNG
from restore_drill.restore.model import Restoration
from restore_drill.servers.find import find_binaries
from restore_drill.servers.survey import candidates
from tests.corpus import __main__ as corpus
from tests.corpus import edits
from tests.corpus.__main__ import left_out, run_case, run_copy, told
from tests.corpus.archives import edited, renamed
from tests.corpus.damages import CASES, COPY_CASES, Case, CopyCase, untouched
from tests.corpus.healthy import HEALTHY
from tests.corpus.judge import facts_of, judge, read_backup, restore
from tests.corpus.lab import (
    DRIFT_ONLY,
    LIVE_ONLY,
    MANIFEST_ONLY,
    PHYSICAL_ONLY,
    PLACE_ONLY,
    TREND_ONLY,
    Lab,
)
from tests.helpers.shop import FORMATS, Shops, fill_shop, pg_dump, quiet, require_major

FORMS = list(FORMATS)
EVERY = 20
"""Every so many of the cases that only a manifest is sure to show run here; `make corpus`: all."""
NAMED = {
    # What is found only when it is restored is restored from one format here.
    (case.source, case.kind, case.name, case.caught_by & (COMPLETE | YOUNG) and case.form): case
    for case in CASES
    if case.caught_by and case.source != "circular"
}
SPREAD = [case for case in CASES if case.needs_manifest][::EVERY]
ORPHAN = """
ALTER TABLE "Lager für Öl"."fässer" DISABLE TRIGGER ALL;
INSERT INTO "Lager für Öl"."fässer" ("größe") VALUES (999);
"""
LARGE = {"large_schema", "many_partitions", "many_tables"}
"""Databases that take long, and of whose kinds others are drilled here, or by tests of drills."""
DRILLED = [name for name in HEALTHY if name not in LARGE and not HEALTHY[name].needs]


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


@pytest.mark.parametrize("name", DRILLED)
def test_healthy_database_stays_green(name: str, labs: dict[int, Lab]) -> None:
    """A healthy database is restored without an error and turns no criterion red.

    Each is restored from one format on one major version, by turns; `make corpus ARGS=healthy`
    takes them all.
    """
    turn, odd = divmod(DRILLED.index(name), 2)
    lab = labs[18 if odd else 15]

    outcome = lab.look(
        name, path := lab.dump(name, FORMS[turn % len(FORMS)]), lab.manifest(name, path)
    )

    assert outcome.is_restored
    assert outcome.red == HEALTHY[name].red


@pytest.mark.parametrize("name", [name for name in HEALTHY if HEALTHY[name].needs])
def test_healthy_database_with_extensions_stays_green(name: str, tmp_path: Path) -> None:
    """So does one with extensions of others, on the newest server here that has them."""
    needs = HEALTHY[name].needs
    try:
        build = find_binaries(None, needs=needs, note=quiet)
    except CouldNotRun as error:
        pytest.skip(error.what)
    with contextlib.closing(Shops(tmp_path, needs)) as shops:
        lab = Lab(shops, tmp_path / "lab", build.major)
        path = lab.dump(name, "custom.dump")

        outcome = lab.look(name, path, lab.manifest(name, path))

    assert outcome.is_restored
    assert outcome.red == HEALTHY[name].red


@pytest.mark.parametrize("is_well", [True, False])
def test_corpus_ends_badly_where_not_all_is_as_it_must_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_well: bool
) -> None:
    """A damage that nothing notices, or a healthy database with other criteria red, is told."""
    do = edited(edits.to_crlf) if is_well else untouched
    odd = replace(HEALTHY["views"], red=frozenset() if is_well else frozenset({"test_of_nothing"}))
    monkeypatch.setattr(corpus, "CASES", [Case("shop", "plain.sql", "one", "all", do)])
    monkeypatch.setattr(corpus, "COPY_CASES", [])
    monkeypatch.setattr(corpus, "HEALTHY", {"views": odd})
    monkeypatch.setattr(corpus, "FORMATS", ["plain.sql"])

    with contextlib.closing(Shops(tmp_path)) as shops:
        for section in (corpus.damages, corpus.healthy):
            folder = tmp_path / section.__name__
            folder.mkdir()
            assert told(section(shops, folder)) is is_well


@pytest.mark.parametrize("major", [15, 18])
def test_healthy_database_is_left_out_only_where_no_build_has_its_extensions(major: int) -> None:
    """A newer build that lacks an extension does not hide an older one of its major."""
    builds = [build for build in candidates() if build.major == major]
    for needs in {kind.needs for kind in HEALTHY.values()}:
        able = [build for build in builds if not build.lacks(needs)]
        assert bool(left_out(major, needs)) == bool(needs and not able)


@pytest.mark.parametrize(
    ("name", "encoding", "form"),
    [
        ("latin1", "UTF8", "plain.sql"),
        ("japanese", "EUC_JP", "inserts.sql"),
        ("japanese", "EUC_JP", "custom.dump"),
        ("japanese", "SJIS", "plain.sql"),
    ],
)
def test_dump_in_another_encoding_stays_green(
    name: str, encoding: str, form: str, labs: dict[int, Lab]
) -> None:
    """A dump in another encoding than its database's is read, restored and compared."""
    path = labs[15].dump(name, form, f"--encoding={encoding}")

    outcome = labs[15].look(name, path, labs[15].manifest(name, path))

    assert outcome.is_restored
    assert outcome.red == set()


@pytest.mark.parametrize(
    ("form", "name"),
    [
        *(("plain.sql", name) for name in ("names", "newlines", "policies")),
        *(("directory", name) for name in ("names", "foreign_data", "functions")),
    ],
)
def test_dump_with_all_names_quoted_stays_green(form: str, name: str, labs: dict[int, Lab]) -> None:
    """With --quote-all-identifiers names are quoted in tags too, and the objects are the same."""
    path = labs[15].dump(name, form, "--quote-all-identifiers")

    outcome = labs[15].look(name, path, labs[15].manifest(name, path))

    assert outcome.is_restored
    assert outcome.red == HEALTHY[name].red


def test_lost_object_of_a_quoted_dump_is_named(labs: dict[int, Lab]) -> None:
    """What is lost is missed too where all names are quoted, and one that is like another."""
    lab = labs[15]
    source = lab.shops.database(15, "quoted_and_lost")
    fill_shop(
        source,
        """CREATE TABLE a (i int); COMMENT ON TABLE a IS 'x';
        CREATE TABLE "a""b" (i int); CREATE TABLE ab (i int); CREATE VIEW v AS SELECT 1 AS i;""",
    )
    path = pg_dump(source, lab.folder / "quoted.sql", "--quote-all-identifiers")
    facts = read_backup(path, lab.folder, lab.settings)
    target = lab.copy_for(facts)
    facts = restore(facts, target)
    with target.connect() as connection:
        connection.execute("COMMENT ON TABLE a IS NULL")
        connection.execute('DROP TABLE "a""b"')
        connection.execute("DROP VIEW v")

    facts = facts_of(target, facts)["facts"]

    lost = ['COMMENT public.TABLE "a"', 'TABLE public.a"b', "VIEW public.v"]
    assert sorted(facts.missing_objects) == lost


def test_lost_row_is_named_in_any_encoding(labs: dict[int, Lab]) -> None:
    """A row that is cut out of a LATIN1 dump is reported with the table's own name."""
    table = r'public\."größe"'.encode("latin-1")
    edit = edits.rows_of(table, lambda rows: rows[:-1])  # the last one is referenced
    lost = Case("latin1", "plain.sql", "rows lost", "one", edited(edit))

    found = run_case(labs[15], lost)

    assert "test_table_has_its_content[public.größe]" in found.ids


@pytest.mark.parametrize("way", ["split", "serial"])
@pytest.mark.parametrize("form", ["plain.sql", "custom.dump"])
def test_restore_reports_names_in_any_encoding(form: str, way: str, labs: dict[int, Lab]) -> None:
    """The server's words about a LATIN1 dump are read in its encoding."""
    lab = labs[15]
    source = lab.shops.database(15, f"orphan_{form[:5]}_{way}", encoding="LATIN1")
    fill_shop(source, HEALTHY["latin1"].script + ORPHAN)
    path = pg_dump(source, lab.folder / f"{way}_{form}", *FORMATS[form])
    facts = read_backup(path, lab.folder, lab.settings)

    done: Restoration = restore(facts, lab.copy_for(facts), split=way == "split")["restoration"]

    assert [error.statement for error in done.errors] == [
        'ALTER TABLE ONLY "Lager für Öl"."fässer"'
    ]
    assert "constraint fässer_größe_fkey" in done.errors[0].message


def test_judge_asks_every_criterion(labs: dict[int, Lab]) -> None:
    """No criterion is left out of the judgement in silence: what cannot be asked is known."""
    lab = labs[15]
    facts, _ = lab.whole("shop")

    judged = judge(facts)

    # The comparison with the manifest is made by Lab.look, and `whole` makes none.
    known = {*MANIFEST_ONLY, *DRIFT_ONLY, *LIVE_ONLY, *PLACE_ONLY, *TREND_ONLY, *PHYSICAL_ONLY}
    assert {name.split("[")[0] for name in judged.unasked} <= known
    assert judged.asked > 40
    assert judged.red == ()


@pytest.mark.parametrize("case", NAMED.values(), ids=lambda case: case.id)
def test_damage_is_named(case: Case, labs: dict[int, Lab]) -> None:
    """A damaged backup turns the criterion red that names this damage."""
    if "blob" in case.name.lower():
        require_major(15)  # newer ones write large objects in another way
    outcome = run_case(labs[15], case, compares=False)

    assert outcome.red & case.caught_by, sorted(outcome.red)


@pytest.mark.parametrize("case", SPREAD, ids=lambda case: case.id)
def test_other_damage_is_shown_by_the_manifest(case: Case, labs: dict[int, Lab]) -> None:
    """What leaves the backup restorable is shown by its manifest, and crashes nothing."""
    outcome = run_case(labs[15], case)

    assert outcome.red & {*MANIFEST_ONLY, *case.caught_by}, sorted(outcome.red)


@pytest.mark.parametrize(
    "case", [case for case in COPY_CASES if case.source == "shop"], ids=lambda case: case.id
)
def test_damaged_copy_is_noticed(case: CopyCase, labs: dict[int, Lab]) -> None:
    """A damaged copy of a restored database is red by the criterion that the catalogue names."""
    outcome = run_copy(labs[15], case)

    assert outcome is not None, "the shop has something of every kind to damage"
    assert outcome.red
    assert case.damage.needs_manifest or outcome.red & case.damage.caught_by


def test_control_is_green(labs: dict[int, Lab]) -> None:
    """An undamaged copy, under another name, is green: the damages above are what was seen."""
    control = Case("shop", "plain.sql", "control", "none", renamed("other.sql"))

    assert run_case(labs[15], control).red == set()
