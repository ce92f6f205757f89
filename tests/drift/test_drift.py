"""Drift: what a source has lost since the last passed drill, and what is no loss."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from drill import test_drift as criteria
from fixtures.commands import main
from restore_drill.backups.model import Backup
from restore_drill.config.criteria import Criteria, load_criteria
from restore_drill.config.settings import settings_from
from restore_drill.core.errors import CouldNotRun
from restore_drill.drift.compare import compare_with
from restore_drill.drift.drift import Drift
from restore_drill.drift.findings import ROWS
from restore_drill.drift.high import highs_after
from restore_drill.drift.measures import Measures
from restore_drill.drift.outcome import keep
from restore_drill.drift.state import State, state_of
from restore_drill.drift.tolerance import Tolerance
from restore_drill.facts.schema.all_kinds import KINDS
from restore_drill.facts.schema.kinds import Expression, read_parts
from restore_drill.facts.schema.labels import EXPRESSIONS, LABELS
from restore_drill.facts.schema.model import DriftFacts, High, Measure
from restore_drill.facts.session import open_session
from restore_drill.servers.model import Target
from tests.corpus.drift import DAMAGES, DriftLab
from tests.corpus.drift import HEALTHY as HARMLESS
from tests.helpers.drifts import DROP_KEY, KEY, stamp
from tests.helpers.drills import ROOT, Drill, run_drill
from tests.helpers.shop import fill_shop, pg_dump

SUBSET = ("half of a table's rows", "dropped table", "dropped foreign key", "dropped policy",
          "revoked grant", "disabled trigger", "emptied function", "unpopulated materialised view",
          "dropped extension", "renamed column", "dropped partition", "head went back",
          "half a table with a moved head", "another name of the database",
          "large objects")  # fmt: skip


GREEN = {
    "without a migration": ("daily churn", "new table", "partitions rotate", "comment changed"),
    "dropped by a migration": ("migration drops a table",),
    "changed by a migration": ("migration changes a function",),
}


def failing(found: Drift) -> list[str]:
    """Criteria of the drill that fail on `found`."""
    red = []
    for name in ("test_database_is_the_same", "test_nothing_was_lost", "test_nothing_was_changed"):
        with contextlib.suppress(AssertionError):
            getattr(criteria, name)(found)
            continue
        red.append(name)
    for table in found.measures[0].facts.rows:
        try:
            criteria.test_table_rows_are_plausible(table, found)
        except AssertionError:
            red.append(f"test_table_rows_are_plausible[{table}]")
    return red


def test_corpus_of_drift_is_large_enough() -> None:
    """There are enough damages and harmless changes; `make corpus ARGS=drift` drills them all."""
    assert len(DAMAGES) >= 60
    assert len(HARMLESS) >= 20


@pytest.mark.parametrize("name", SUBSET)
def test_damage_in_the_source_is_red(name: str, lab: DriftLab) -> None:
    """What was damaged before the dump fails a criterion, as one finding."""
    found = lab.look(name, DAMAGES[name])

    assert len(failing(found)) == 1, found.failing
    assert len(found.failing) <= 2


@pytest.mark.parametrize("name", GREEN)
def test_harmless_changes_are_green(name: str, lab: DriftLab) -> None:
    """Additions, churn and what a migration does fail nothing."""
    script = ";\n".join(HARMLESS[each] for each in GREEN[name])

    assert failing(lab.look(name, script)) == []


def test_dropped_table_is_one_finding(lab: DriftLab) -> None:
    """Columns, keys, indexes, owners and foreign keys to a table go with it."""
    (found,) = lab.look("dropped table", "DROP TABLE office.customers CASCADE").failing

    assert found.title == "table office.customers"
    assert "constraint office.invoices.invoices_customer_id_fkey" in found.with_it
    assert "view office.open_invoices" in found.with_it
    assert "column office.customers.email" in found.with_it


def test_dropped_schema_is_one_finding(lab: DriftLab) -> None:
    """Its owner goes with it, as all that is in it."""
    found = lab.look("dropped schema", "DROP SCHEMA office CASCADE").failing

    assert "schema office" in [each.title for each in found]
    assert "owner of schema office" not in [each.title for each in found]


def test_every_part_has_its_name(lab: DriftLab) -> None:
    """Each part of each kind's definition has a name, and each expression is known as one."""
    assert {kind.name for kind in KINDS} == set(LABELS)
    with open_session(lab.source) as connection:
        parts = dict(read_parts(connection, KINDS, major=15, as_major=15))
    for kind_name, objects in parts.items():
        for each in objects.values():
            assert len(each) == len(LABELS[kind_name]), kind_name
            labels = [label.partition("=")[0] for label in LABELS[kind_name]]
            read = {
                label
                for label, part in zip(labels, each, strict=True)
                if isinstance(part, Expression) and label
            }
            assert read <= EXPRESSIONS.get(kind_name, frozenset())


@pytest.mark.parametrize(
    ("tolerance", "rows", "words"),
    [
        ("", 90, ""),
        ("", 89, "has 89 rows, it had 100; allowed: at least 90"),
        ("", 900, ""),
        ("max_shrink = 0.5", 50, ""),
        ("max_shrink = 0", 99, "at least 100"),
        ("max_growth = 0.2", 121, "at least 90 and at most 120"),
        ("tables = { cards = 1.0 }", 0, ""),
        ('tables = { "public.other" = 1.0 }', 0, "has 0 rows"),
    ],
)
def test_tolerance_of_the_criteria_file_holds(
    tolerance: str, rows: int, words: str, tmp_path: Path
) -> None:
    """The criteria file says how far rows may be from those of the last passed drill."""
    path = tmp_path / "criteria.toml"
    path.write_text(f"[tolerance]\n{tolerance}\n")

    told = Tolerance(load_criteria(path)).shrinkage("public.cards", 100, rows)

    assert told == words if not words else words in told


def test_loss_is_red_until_it_is_accepted(
    drilled: Callable[..., Drill],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A dropped key fails every drill, until somebody accepts it; what is lost later fails anew.

    Neither `-k` nor a red drill moves what the next one is measured by.
    """
    backups = tmp_path / "backups"
    first = drilled()
    (passed,) = (backups / ".drill" / "drift").glob("*/passed.json")
    before = passed.read_bytes()
    selected = drilled("-k", "not redis", script="CREATE TABLE public.more (id integer)")
    assert (selected.code, passed.read_bytes()) == (0, before), selected.output
    red = drilled(script=DROP_KEY)
    assert passed.read_bytes() == before
    again = drilled("-k", "drift")
    monkeypatch.setenv("BACKUP_PATH", str(backups))
    refused = main(["accept", "--reason=x", "no such thing"])
    code = main(["accept", "--reason=no longer needed", "--by=ana", KEY])
    told = capsys.readouterr()
    green = drilled()
    later = drilled(script="DROP INDEX public.cards_title_idx")

    assert first.code == 0, first.output
    assert "has passed before; later ones are compared with the first that passes" in first.output
    assert set(red.failed) == {"test_nothing_was_lost"} == set(again.failed), red.output
    assert f"accept --reason \"WHY\" '{KEY}'" in red.failed["test_nothing_was_lost"]
    assert red.result["drift"]["failing"][0]["object"] == KEY
    assert (refused, code) == (4, 0)
    assert "matches none of the findings" in told.err and f"Accepted: {KEY}" in told.out
    assert green.code == 0, green.output
    assert "No object was lost since the drill of" in green.output
    assert "accepted by ana on" in green.output and "no longer needed" in green.output
    assert set(later.failed) == {"test_nothing_was_lost"}
    assert "cards_title_idx" in later.failed["test_nothing_was_lost"]
    assert KEY not in later.failed["test_nothing_was_lost"]
    (record,) = (backups / ".drill" / "drift").glob("*/accepted.jsonl")
    assert json.loads(record.read_text())["reason"] == "no longer needed"


def test_state_is_kept_elsewhere_without_backup_path(source: Target, tmp_path: Path) -> None:
    """With --backup alone the state is the user's: nothing is written beside the backup."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    drills = []
    for number, script in enumerate(["SELECT 1", "DELETE FROM public.cards WHERE id > 150"]):
        fill_shop(source, script)
        path = pg_dump(source, folder / f"backup_{stamp(100 - number)}.sql")
        listed = {each.name for each in folder.iterdir()}
        report = tmp_path / f"report{number}"
        drills.append(run_drill(f"--backup={path}", report_dir=report))
        assert {each.name for each in folder.iterdir()} == listed

    first, second = drills
    assert first.code == 0, first.output
    assert set(second.failed) == {"test_table_rows_are_plausible[public.cards]"}, second.output
    assert f"accept --backup {path}" in str(second.failed)
    assert "Measured against: the last passed drill; drift against the drill of" in second.output


DAMAGED = ["", '{"schema": 1', '{"schema": 9}', "[]", '{"schema": 1}', '{"schema": 1, "facts": 7}']


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_measure_is_an_error(content: str, tmp_path: Path) -> None:
    """A torn or foreign file is no first drill: nothing is compared, and the file stays."""
    state = State(tmp_path, "shop")
    state.passed_path.write_text(content)
    _, problem = state.read_passed()
    backup = Backup(tmp_path / "shop.sql", "plain", "", 1, datetime.now(UTC), "its name")
    result = {"verdict": "passed", "selection": ""}

    with pytest.raises(CouldNotRun) as told:
        Measures(state, problem=problem).check()
    keep(state, Drift((), rows_facts(10)), backup, result, datetime.now(UTC))

    assert str(state.passed_path) in str(told.value)
    assert "or start over" in str(told.value)
    assert state.passed_path.read_text() == content
    Measures(State(tmp_path / "none", "shop")).check()


def test_a_loss_beside_a_damaged_measure_is_no_pass(
    drilled: Callable[..., Drill], tmp_path: Path
) -> None:
    """A drill that lost its measure could not run; once that is put aside, a drill begins anew."""
    drilled()
    (passed,) = (tmp_path / "backups" / ".drill" / "drift").glob("*/passed.json")
    passed.write_text(passed.read_text()[:100])

    found = drilled("-k", "not redis", script=DROP_KEY)

    assert (found.code, found.failed) == (6, {}), found.output
    assert "the record of the last passed drill cannot be read" in found.output
    assert len(passed.read_text()) == 100
    assert "Traceback" not in found.output


def rows_facts(rows: int, head: str = "1", more: dict[str, Any] | None = None) -> DriftFacts:
    """Facts of a database with one table of `rows`."""
    return DriftFacts(
        major=15, role="r", privileges_of=15, objects=more or {}, heads={"v": (head,)},
        rows={"public.t": rows},
    )  # fmt: skip


def passes(numbers: Iterable[int], accepted: tuple[int, ...] = (), heads: str = "") -> list[str]:
    """What drills with `numbers` of rows say of them; a red one leaves the measure as it is."""
    said, highs = list[str](), dict[str, High]()
    was, told = rows_facts(1000), "drill 0"
    tolerance = Tolerance(Criteria(Path("criteria.toml")))
    for number, rows in enumerate(numbers, start=1):
        now = rows_facts(rows, (heads[number - 1 :] or "1")[0])
        measure = Measure("last passed drill", told, told, was, highs)
        found = compare_with(measure, now, tolerance).findings
        words = " ".join(each.description for each in found if each.what == ROWS)
        said.append(words)
        if not words or number in accepted:
            taken = {"public.t"} if words else set()
            highs = highs_after(was, told, highs, now, taken)
            was, told = now, f"drill {number}"
    return said


def test_table_that_shrinks_little_by_little_is_reported() -> None:
    """Each step is within the tolerance, all of them together are not; both numbers are named."""
    first, second, third = passes([950, 905, 860])

    assert first == second == ""
    assert third == (
        "has 860 rows, it had 905 then and 1,000 in drill 0: it shrinks a little every time; "
        "allowed: at least 900"
    )


def test_what_was_accepted_or_migrated_is_the_new_measure() -> None:
    """Acceptance and a moved head begin anew; growth raises the mark, ups and downs keep it."""
    assert [bool(words) for words in passes([950, 899, 850, 805], accepted=(2,))] == [
        False, True, False, True,
    ]  # fmt: skip
    assert not any(passes([950, 905, 860, 820], heads="1122"))
    assert not any(passes([950, 905, 1000, 950, 905]))
    assert passes([1100, 1000, 985])[2].count("1,100 in drill 1") == 1


def test_partitions_that_rotate_shrink_nothing() -> None:
    """Where a partition has gone, its table has the rows that are left."""
    leaves = {f"public.p{n}": {"schema": "public", "parent": "t"} for n in (1, 2)}
    was = rows_facts(1000, more={"partition": leaves})
    now = rows_facts(950, more={"partition": {"public.p2": leaves["public.p2"]}})
    high = {"public.t": High(1100, "drill 0")}

    assert highs_after(was, "drill 1", high, now, ()) == {}
    assert highs_after(was, "drill 1", high, was, ()) == high


def test_slow_loss_is_red_in_drills(drilled: Callable[..., Drill]) -> None:
    """The state keeps the highest number over drills that pass."""
    script = "DELETE FROM public.cards WHERE id IN (SELECT id FROM public.cards LIMIT 15)"
    first = drilled()
    rows = first.result["tables"]["public.cards"]["rows"]
    second = drilled(script=script)
    third = drilled(script=script)

    assert rows == 200
    assert (first.code, second.code) == (0, 0), second.output
    assert set(third.failed) == {"test_table_rows_are_plausible[public.cards]"}, third.output
    told = third.failed["test_table_rows_are_plausible[public.cards]"]
    assert "has 170 rows, it had 185 then and 200 in the drill of" in told


def test_a_file_name_that_is_no_text_has_a_state(tmp_path: Path) -> None:
    """Names of files are bytes: the state of such a series is written and found again."""
    path = tmp_path / "caf\udce9_20261128_050000.sql"
    backup = Backup(path, "plain", "", 1, datetime.now(UTC), "its name")
    given = settings_from({}, here=tmp_path, root=ROOT)
    settings = replace(given, backup_path=tmp_path)

    state = state_of(settings, backup)

    assert state.folder == state_of(settings, backup).folder
    assert state.folder != state_of(settings, replace(backup, path=tmp_path / "cafe.sql")).folder
