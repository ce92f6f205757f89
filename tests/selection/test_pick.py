"""`--pick`: which backup of a series is drilled, and what that means for the newest."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from restore_drill.alerts.subject import Origin, subject_of
from restore_drill.backups.formats import Kind
from restore_drill.config.choice import Pick, pick_of
from restore_drill.config.criteria import Criteria
from restore_drill.config.settings import Settings, settings_from
from restore_drill.core.errors import UsageError
from restore_drill.core.record import Record
from restore_drill.core.redact import Redactor
from restore_drill.results.result import build_result
from restore_drill.selection.candidate import Candidate
from restore_drill.selection.chosen import newest_of
from restore_drill.selection.pick import picked, unproved, words_on
from restore_drill.selection.select import select_backup
from restore_drill.selection.series import series_of
from restore_drill.watch.before import verdict_before
from restore_drill.watch.history import load_history
from restore_drill.watch.kept import kept_backups
from tests.helpers.drills import ROOT, run_drill
from tests.helpers.folders import DUMP
from tests.helpers.histories import write
from tests.helpers.shop import Shops
from tests.watch.test_status import PASSED

NOW = datetime(2026, 11, 27, 5, tzinfo=UTC)
PLAIN = Kind("plain", "")


def kept(count: int) -> list[Candidate]:
    """So many daily backups, the newest first."""
    times = [NOW - timedelta(days=day) for day in range(count)]
    return [
        Candidate(Path(f"/b/shop_{when:%Y-%m-%d}.sql"), PLAIN, 100, when, "its name")
        for when in times
    ]


def settings_of(folder: Path, monkeypatch: pytest.MonkeyPatch, **options: str) -> Settings:
    """Settings of a drill of what lies in `folder`."""
    monkeypatch.setenv("BACKUP_PATH", str(folder))
    return settings_from(options, here=folder, root=ROOT)


@pytest.mark.parametrize(
    ("text", "place"),
    [("newest", 0), ("oldest", 29), ("1", 0), ("2", 1), ("30", 29), ("2026-11-20", 7),
     ("2026-11-1", 26), ("shop_2026-11-24.sql", 3), ("b/shop_2026-11-25.sql", 2)],
)  # fmt: skip
def test_one_is_picked(text: str, place: int) -> None:
    """By a word, a number, a day, a name, or the end of a path."""
    series = kept(30)

    assert picked(series, pick_of(text), UTC, unproved) is series[place]


def test_a_day_that_a_backup_is_called_is_that_backup() -> None:
    """Folders are called so, and a copy may be of another day than its name."""
    series = kept(3)
    called = replace(series[2], path=Path("/b/2026-11-27"))
    assert picked([*series[:2], called], pick_of("2026-11-27"), UTC, unproved) is called


@pytest.mark.parametrize(
    ("text", "why"),
    [("31", "the series has 30 backups"), ("2026-12-24", "the nearest is shop_2026-11-27.sql"),
     ("oldst", "a pick is newest, oldest, random, weekly, a number, a day or a name")],
)  # fmt: skip
def test_what_is_not_there_is_a_usage_error(text: str, why: str) -> None:
    """The error says what there is."""
    with pytest.raises(UsageError, match=why):
        picked(kept(30), pick_of(text), UTC, unproved)


@pytest.mark.parametrize(("text", "why"), [("0", "1 is the newest"), ("2026-13-40", "not a date")])
def test_what_cannot_be_is_refused(text: str, why: str) -> None:
    """A number or a day that cannot be never reaches the backups."""
    with pytest.raises(UsageError, match=why):
        pick_of(text)


def test_random_goes_to_what_was_not_proved_longest() -> None:
    """One never proved comes twice as often as the oldest proof; in time each one is proved."""
    series, proved = kept(10), dict[str, datetime]()
    chance = Random(7)  # noqa: S311 - the same in each run
    now = datetime.now(UTC)
    for each in series[:8]:
        proved[each.path.name] = now - timedelta(days=1)
    random = Pick("random", "random")
    counts = Counter(
        picked(series, random, UTC, lambda one: proved.get(one.path.name), chance).path.name
        for _ in range(1000)
    )
    never = sum(counts[each.path.name] for each in series[8:])
    assert never > 800
    assert len(counts) == 10, "what was proved stays possible"
    for _ in range(40):
        one = picked(series, random, UTC, lambda one: proved.get(one.path.name), chance)
        proved[one.path.name] = datetime.now(UTC)
    assert len(proved) == 10


def test_weekly_goes_round_the_newest_of_each_week() -> None:
    """So many drills as weeks: then each week has been proved, the newest first."""
    series, proved = kept(21), dict[Path, datetime]()
    rounds = []
    for number in range(5):
        one = picked(series, Pick("weekly", "weekly"), UTC, lambda one: proved.get(one.path))
        proved[one.path] = NOW + timedelta(hours=number)
        rounds.append(one.path.stem[-5:])

    assert rounds == ["11-27", "11-22", "11-15", "11-08", "11-27"]


def test_words_name_the_place_and_the_last_proof() -> None:
    """What was picked is said with its place in the series."""
    series = kept(3)

    assert words_on(series[2], series, Pick("random", "random"), unproved) == (
        "picked (--pick random) out of 3 backups: number 3; not yet proved by a drill"
    )
    assert words_on(series[1], series, pick_of("2"), unproved).endswith("the one before the newest")


def test_an_older_backup_is_drilled_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest of the series is known with it, and the sizes are those of the backups before."""
    for day, size in ((1, 3), (2, 2), (3, 1), (4, 0)):
        (tmp_path / f"shop_2026-01-0{day}.sql").write_bytes(DUMP + b"-- \n" * size)

    found = select_backup(settings_of(tmp_path, monkeypatch, pick="3"))
    newest = select_backup(settings_of(tmp_path, monkeypatch, pick="1"))

    assert found.name == "shop_2026-01-02.sql"
    assert found.earlier_sizes == ((tmp_path / "shop_2026-01-01.sql").stat().st_size,)
    assert newest_of(found).newest == "shop_2026-01-04.sql" != found.among.label
    whys = [each.why_not for each in found.considered]
    assert whys[:2] == ["a newer backup of the same series: an older one was picked"] * 2
    assert whys[2:] == ["", "an older backup of the same series"]
    assert newest.among.picked is None and newest.name == "shop_2026-01-04.sql"


def test_picks_stand_apart_in_the_history(tmp_path: Path) -> None:
    """They prove a kept backup, and are no drill of the newest: no status or trend has them."""
    for day in (1, 2, 3):
        (tmp_path / f"shop_2026-01-0{day}.sql").write_bytes(DUMP)
    series = series_of(tmp_path / "shop_2026-01-01.sql")
    whole = replace(PASSED, series=series, backup="shop_2026-01-03.sql", size=len(DUMP))
    old = replace(whole, backup="shop_2026-01-01.sql", pick="random")
    bad = replace(whole, backup="shop_2026-01-02.sql", pick="oldest", verdict="failed")
    path = write(tmp_path, old, whole, bad)

    history = load_history(path)
    kept_now = kept_backups(tmp_path, (*history.drills, *history.picks), Criteria(tmp_path))

    assert [each.backup for each in history.drills] == ["shop_2026-01-03.sql"]
    assert {each.pick for each in history.picks} == {"random", "oldest"}
    assert kept_now is not None
    assert kept_now.unproved == kept_now.failing == ["shop_2026-01-02.sql"]
    assert "the last drill of shop_2026-01-02.sql failed" in kept_now.line


def test_backups_in_folders_per_day_are_proved_one_by_one(tmp_path: Path) -> None:
    """They all have one name: the folder belongs to it."""
    for day in (1, 2):
        (tmp_path / f"2026-01-0{day}").mkdir()
        (tmp_path / f"2026-01-0{day}" / "db.sql").write_bytes(DUMP)
    whole = replace(PASSED, series="/db", backup="2026-01-02/db.sql", size=len(DUMP))

    kept_now = kept_backups(tmp_path, [whole], Criteria(tmp_path))

    assert kept_now is not None and kept_now.unproved == ["2026-01-01/db.sql"]


def a_result(**backup: Any) -> dict[str, Any]:
    """The part of a result that says what it is about."""
    return {"sample": False, "backup": {"path": "/b/shop_1.sql", "series": "b/shop", **backup}}


def test_an_older_backup_has_an_issue_of_its_own() -> None:
    """Its pass closes nothing about the newest, and its failure opens nothing that that closes."""
    newest = subject_of(a_result(), "", Origin(Path("/b"), ("m:/b",)))
    older = subject_of(
        a_result(name="shop_1.sql", picked={"how": "oldest"}), "", Origin(Path("/b"), ("m:/b",))
    )

    assert newest.name == "b/shop" and older.name == "b/shop: shop_1.sql"
    assert not {*newest.marks, *newest.closes} & {*older.marks, *older.closes}


def test_a_name_for_several_series_is_one_for_each() -> None:
    """A message's name says which series it is of, where one run drills several."""
    both = a_result() | {"run_of": ["b/shop", "b/auth"]}

    assert subject_of(both, "the shop", Origin()).name == "the shop: b/shop"
    assert subject_of(a_result(), "the shop", Origin()).name == "the shop"


def test_a_drill_of_an_older_backup_speaks_for_that_one(
    shops: Shops, tmp_path: Path, report_dir: Path
) -> None:
    """It passes though it is old, is noted as picked, and leaves baseline and metrics alone."""
    place, metrics = tmp_path / "pg", tmp_path / "drill.prom"
    place.mkdir()
    whole, now = shops.dump(15, "plain.sql").read_bytes(), datetime.now(UTC)
    for days in (0, 40):
        (place / f"shop_{now - timedelta(days=days):%Y-%m-%dT%H%M%SZ}.sql").write_bytes(whole)

    drill = run_drill(
        "--pick=oldest", f"--metrics-file={metrics}", report_dir=report_dir, BACKUP_PATH=str(place)
    )

    assert drill.code == 0 and drill.verdict == "passed", drill.output
    assert "An older backup was picked, not the newest: " in drill.output
    assert "test_backup_is_young_enough" in drill.ran
    assert drill.result["backup"]["picked"]["how"] == "oldest"
    assert drill.result["backup"]["age_seconds"] > 39 * 86400
    assert drill.result["candidates"]["total"] == 2
    page = (report_dir / "report.html").read_text()
    assert "a newer backup of the same series: an older one was picked" in page
    history = load_history(place / ".drill" / "history.jsonl")
    assert not history.drills and [each.pick for each in history.picks] == ["oldest"]
    assert not metrics.exists() and not list(place.glob(".drill/drift/*/passed.json"))


def test_recovered_means_that_very_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was red before a pass of an older backup is looked for among its own drills."""
    series = "pg/shop"
    red = replace(PASSED, series=series, backup="shop_2.sql", verdict="failed")
    old = replace(red, backup="shop_1.sql", pick="oldest", verdict="passed")
    path = write(tmp_path, red, old)
    settings = settings_of(tmp_path, monkeypatch)

    def before(name: str, picked: object) -> str:
        backup = {"path": f"/b/{name}", "name": name, "series": series, "picked": picked}
        result = build_result(Record(), Redactor(), verdict="passed", reasons=[])
        return verdict_before(load_history(path), result | {"backup": backup}, settings)

    assert before("shop_1.sql", {"how": "oldest"}) == "passed"
    assert before("shop_0.sql", {"how": "oldest"}) == ""
    assert before("shop_3.sql", None) == "failed"
