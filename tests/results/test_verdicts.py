"""Each verdict says what was found and no more: budgets, the sample, empty picks, warnings."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.verdict import pytest_runtest_makereport
from restore_drill.config.budgets import GUIDE, Budgets
from restore_drill.config.settings import Settings, settings_from
from restore_drill.core.errors import CouldNotRun
from restore_drill.results.criterion import counts_of
from restore_drill.results.meaning import meaning_of, measured_of, worth_of
from restore_drill.results.result import EXIT_CODES
from restore_drill.results.view import timeline_of
from tests.helpers.drills import ROOT, run_drill
from tests.helpers.mini_drill import drill as mini
from tests.helpers.mini_drill import make_project
from tests.helpers.shop import Shops

PASSED: dict[str, Any] = {
    "verdict": "failed",
    "reasons": [],
    "sample": False,
    "selection": "",
    "rows_read": True,
    "warnings": [],
    "backup": {"path": "/b/shop.dump", "age_seconds": 259200.0},
    "timings": {"restore": 1.0, "total": 2.0},
    "basis": None,
    "strength": None,
}


def check(name: str, outcome: str = "passed", *, stage: str = "", budget: str = "") -> Any:
    """One check of a result."""
    return {"id": name, "outcome": outcome, "message": "m", "stage": stage, "budget": budget}


def holding(checks: list[Any]) -> dict[str, Any]:
    """The checks of a result, and how many there are."""
    return {"checks": checks, "counts": counts_of(checks)}


GOOD = [check("a::test_backup_is_complete", stage="select"), check("a::test_rows")]
LATE = check("a::test_restore_time", "failed", stage="system", budget="time")
REDIS = check("a::test_r", "failed", stage="redis")
COPY_OF_REDIS = check("a::test_redis_backup_is_intact", "failed", stage="redis")
PICKED = {"age_seconds": 9e5, "picked": {"how": "--pick 2", "newest": "b.dump"}}
OLD_REDIS = check("a::test_r", "failed", stage="redis", budget="age")
OLD = check("a::test_young", "failed", stage="select", budget="age")


@pytest.mark.parametrize(
    ("checks", "changes", "told"),
    [
        ([LATE], {}, "the backup is good, but recovery takes longer than you allow"),
        ([OLD], {}, "the backup is good, but it is 3 d old: anything written since would be lost"),
        (
            [OLD],
            {"backup": PICKED},
            "but the newest of its series, b.dump, is not within",
        ),
        ([OLD], {"backup": {"age_seconds": -900.0}}, "dated in the future"),
        ([LATE], {"selection": "-k time"}, "1 of 3 criteria failed: recovery takes longer"),
        ([LATE], {"rows_read": False}, "failed: recovery takes longer than you allow"),
        ([LATE, check("a::test_x", "failed")], {}, "do not rely on this backup"),
        ([LATE, check("a::test_x", "error")], {}, "failed: recovery takes longer"),
        ([OLD, LATE], {}, "lost in a recovery now, and recovery takes longer"),
        ([LATE, REDIS], {}, "is good, but recovery takes longer than you allow, and Redis failed"),
        ([OLD_REDIS], {}, "the backup is good, but the backup of Redis is older than you allow."),
        ([REDIS], {}, "1 of 3 criteria failed: Redis failed its checks."),
        ([COPY_OF_REDIS], {}, "the backup is good, but the backup of Redis failed its checks."),
        ([REDIS, COPY_OF_REDIS], {}, "Redis failed its checks, and the backup of Redis failed"),
        ([check("a::test_x", "failed")], {"sample": True}, "the drill does not work here"),
        ([REDIS], {"sample": True}, "failed: Redis failed its checks. No database backup of yours"),
        ([COPY_OF_REDIS], {"sample": True}, "failed: the backup of Redis failed its checks. No d"),
    ],
)
def test_a_failure_says_what_it_speaks_against(
    checks: list[Any], changes: dict[str, Any], told: str
) -> None:
    """A missed budget is not held against the backup, which is called good only where it is."""
    meaning = meaning_of({**PASSED, **changes, **holding([*GOOD, *checks])})

    assert told in meaning
    assert ("do not rely" in meaning) == (told == "do not rely on this backup")


def test_the_bar_of_a_backup_of_redis_is_red_where_that_failed() -> None:
    """And that of the user's own Redis, which is checked in the same stage, is not."""
    stages = [{"name": name, "started": 0.0, "seconds": 1.0} for name in ("redis", "redis_backup")]
    result = {"stages": stages, "timings": {"total": 2.0}, **holding([COPY_OF_REDIS])}
    bars = [(each["name"], each["outcome"]) for each in timeline_of(result)]
    assert bars == [("redis", "passed"), ("redis backup", "failed")]


@pytest.mark.parametrize(
    ("checks", "restored", "told"),
    [
        ([], None, "The drill could not run: nothing is known about the backup."),
        ([GOOD[0], check("b::test_t", "error")], None, "is complete; it was not restored: m."),
        (
            [check("a::test_backup_exists", stage="select"), check("b::test_t", "error")],
            None,
            "The backup exists; whether it is complete is not known.",
        ),
        (
            [*GOOD, check("a::test_restore_has_no_errors"), check("b::test_t", "error")],
            1.0,
            "it was restored without an error, 1 criterion could not be checked.",
        ),
    ],
)
def test_what_could_not_run_says_what_is_known(
    checks: list[Any], restored: float | None, told: str
) -> None:
    """Nothing is known never stands beside criteria that have read the backup."""
    timings = {"restore": restored, "total": 1.0}
    result = {**PASSED, "verdict": "could-not-run", "timings": timings, **holding(checks)}

    assert told in meaning_of(result)
    assert ("nothing is known" in meaning_of(result)) == (not checks)


@pytest.mark.parametrize(
    ("basis", "checks", "told"),
    [
        ("criteria file", GOOD, "there is no manifest of its source to compare it with."),
        ("last passed drill", GOOD, "there is no manifest of its source to compare it with."),
        ("manifest", GOOD, "only part of it was compared with its manifest."),
        ("manifest", [*GOOD, check("a::titles", "waived")], "1 known finding waived."),
    ],
)
def test_a_pass_that_is_plausible_says_why_it_is_not_proven(
    basis: str, checks: list[Any], told: str
) -> None:
    """The manifest is never named as the reason why something is not proven by it."""
    result = {**PASSED, "basis": basis, "strength": "plausible", **holding(checks)}

    assert worth_of(result) == f"Plausible, not proven: {told}"


@pytest.mark.parametrize(
    ("restored", "told"), [(None, ""), (1.0, "Measured against: the manifest")]
)
def test_what_was_not_restored_was_measured_against_nothing(
    restored: float | None, told: str
) -> None:
    """That a manifest lies there measures nothing."""
    timings = {"restore": restored, "total": 1.0}
    result = {**PASSED, "basis": "manifest", "drift": None, "timings": timings, **holding([])}

    assert measured_of(result) == told


def test_a_fact_that_does_not_hold_says_what_to_do(tmp_path: Path, report_dir: Path) -> None:
    """Where it is set, and how to distinguish a lost row from a bound that is out of date."""
    criteria = tmp_path / "criteria.toml"
    criteria.write_text("[facts.cards]\nsql = 'SELECT count(*) FROM public.cards'\nmin = 1001\n")

    drill = run_drill(f"--criteria={criteria}", "-k", "fact", report_dir=report_dir)

    assert drill.code == 1, drill.output
    assert "expected at least 1,001" in drill.output
    assert "checked: [facts.cards] in the criteria file" in drill.output
    assert "1. run its query in the source" in drill.output


@pytest.mark.parametrize("verdict", sorted(EXIT_CODES))
def test_a_verdict_colours_the_banner_and_nothing_else(verdict: str) -> None:
    """The page carries its verdict as a class: a rule of that bare name would style all of it."""
    style = (ROOT / "src/restore_drill/results/style.css").read_text()
    heads = re.findall(r"[^{}]+(?=\{)", re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL))
    selectors = {each.strip() for head in heads for each in head.split(",")}

    assert f".{verdict}" not in selectors
    assert f".drill.{verdict}" in selectors


def settings(**options: str) -> Settings:
    """Settings with `options`."""
    return settings_from(options, here=ROOT, root=ROOT)


def test_budgets_of_the_guide_are_for_backups_of_its_size() -> None:
    """Up to 1 GB of SQL the guide's hold, above it only what somebody has set."""
    assert Budgets.of(settings(), 10**9).seconds == GUIDE
    large = Budgets.of(settings(max_restore_time="1h"), 10**9 + 1)
    assert large.seconds == {"restore": 3600.0, "verify": None, "total": None}
    assert "no budget set: the default of 30 s is for up to 1.0 GB" in large.why_none("verify")
    assert settings().max_total_time is None and settings().max_backup_age == 26 * 3600


def test_a_missed_time_speaks_for_the_backup(shops: Shops, report_dir: Path) -> None:
    """Exit 1, and the banner says that the backup is good."""
    drill = run_drill(
        f"--backup={shops.dump(15, 'plain.sql')}", "--max-restore-time=1ms", report_dir=report_dir
    )

    assert drill.code == 1, drill.output
    assert set(drill.failed) == {"test_restore_time_is_within_budget"}
    assert "the backup is good, but recovery takes longer than you allow" in drill.output
    assert "do not rely" not in drill.output
    assert drill.result["budgets"] == {"restore": 0.001, "verify": 30.0, "total": 300.0}


def test_the_sample_is_no_pass(report_dir: Path) -> None:
    """Its verdict is `sample` in every report, and it is worth nothing."""
    drill = run_drill("--sample-rows=20", report_dir=report_dir)

    assert drill.code == 0, drill.output
    assert drill.verdict == "sample" and drill.result["strength"] is None
    assert "---- RESTORE DRILL SAMPLE, not your backup ----" in drill.output
    assert "RESTORE DRILL PASSED" not in drill.output and "Proven" not in drill.output
    assert 'name="verdict" value="sample"' in (report_dir / "junit.xml").read_text()
    assert "Restore drill: SAMPLE, not your backup" in (report_dir / "report.html").read_text()


@pytest.mark.parametrize("way", ["option", "variable"])
def test_a_required_backup_is_never_the_sample(way: str, report_dir: Path) -> None:
    """Without a backup of one's own the drill could not run: exit 6, and what to set."""
    if way == "option":
        drill = run_drill("--require-backup", "-k", "not redis", report_dir=report_dir)
    else:
        drill = run_drill("-k", "not redis", report_dir=report_dir, DRILL_REQUIRE_BACKUP="1")

    assert (drill.code, drill.verdict) == (6, "could-not-run"), drill.output
    assert drill.result["target"] is None, "no server is started"
    assert "set BACKUP_PATH to the folder that holds the backups" in drill.output
    assert "drilling the sample shop" not in drill.output


@pytest.mark.parametrize(
    ("pick", "near"),
    [(["-k", "fresch"], "fresh"), (["-m", "snapshot and redis"], ""), (["-k", "x9"], "")],
)
def test_an_empty_pick_is_reported(pick: list[str], near: str, report_dir: Path) -> None:
    """Exit 5 says that nothing was selected, with near names, and nothing of a pass."""
    drill = run_drill(*pick, report_dir=report_dir)

    assert drill.code == 5, drill.output
    assert drill.verdict == "could-not-run"
    told = "nothing was selected: " + shlex.join(pick) + " matches none of the"
    assert told in drill.output
    assert (f"did you mean {near}" in drill.output) == bool(near)
    assert "passed" not in drill.output.lower().replace("restore drill passed", "")


def test_what_was_picked_and_only_skipped_is_no_pass(shops: Shops, report_dir: Path) -> None:
    """A pick of which nothing could be checked is no success."""
    drill = run_drill(
        "-k", "checksum", f"--backup={shops.dump(15, 'plain.sql')}", report_dir=report_dir
    )

    assert (drill.code, drill.verdict) == (6, "could-not-run"), drill.output


def test_a_warning_stands_in_the_verdict(shops: Shops, report_dir: Path, tmp_path: Path) -> None:
    """A warn finding is in the banner, in the line of -q, on the page and in result.json."""
    (tmp_path / "sql").mkdir()
    query = "-- severity: warn\nSELECT id FROM public.cards LIMIT 3"
    (tmp_path / "sql" / "too_many_cards.sql").write_text(query)
    (tmp_path / "criteria.toml").write_text('[sql]\nfolder = "sql"')
    dump = f"--backup={shops.dump(15, 'plain.sql')}"
    given = (dump, f"--criteria={tmp_path / 'criteria.toml'}")

    drill = run_drill(*given, report_dir=report_dir)
    quiet = run_drill(*given, "-q", report_dir=tmp_path / "quiet")

    assert drill.code == quiet.code == 0, drill.output
    (warning,) = drill.result["warnings"]
    assert warning.startswith("too_many_cards: ") and warning.endswith("(severity warn)")
    banner = drill.output.partition("RESTORE DRILL PASSED")[2]
    assert f"! Warning: {warning}" in banner
    assert banner.index("criteria passed") < banner.index("Warning") < banner.index("Not checked")
    assert "1 warning" in quiet.output and warning in quiet.output
    page = (report_dir / "report.html").read_text()
    assert page.index('id="warnings"') < page.index('id="not-checked"')
    assert "1 warning" in page


SAME = '''
import pytest


@pytest.mark.parametrize("number", range(30))
def test_alike(number):
    """Alike."""
    assert 1 == 2


def test_other():
    """Other."""
    assert 1 == 2
'''


def test_every_failing_criterion_is_named(tmp_path: Path) -> None:
    """Those with the same message too, each by its name."""
    project = make_project(tmp_path / "p")
    (project / "drill" / "test_same.py").write_text(SAME)

    done = mini(project)
    quiet = mini(project, "drill", "-q")

    for out in (done.out.partition("RESTORE DRILL FAILED")[2], quiet.out):
        assert all(f"test_alike[{number}]" in out for number in range(30))
        assert "test_other" in out


@pytest.mark.parametrize("given", [["-n", "2"], ["-n1"], ["--dist=load"], ["-nauto"]])
def test_several_processes_are_refused(given: list[str], report_dir: Path) -> None:
    """One line and exit 4, before anything starts; in PYTEST_ADDOPTS too."""
    pytest.importorskip("xdist")
    drill = run_drill(*given, report_dir=report_dir)
    added = run_drill(report_dir=report_dir, PYTEST_ADDOPTS=" ".join(given))

    for each in (drill, added):
        assert each.code == 4
        (line,) = each.output.strip().splitlines()
        assert "would restore the backup in several processes" in line
        assert json.loads((report_dir / "result.json").read_text())["verdict"] == "could-not-run"


def test_one_process_is_not_refused(report_dir: Path) -> None:
    """What asks for no other process is let through."""
    pytest.importorskip("xdist")
    assert run_drill("-n0", "-k", "redis", report_dir=report_dir).code == 0


def test_the_sample_is_never_put_into_a_live_database(report_dir: Path) -> None:
    """Without a backup of one's own nothing is connected to: exit 4."""
    url = "postgresql://nobody@127.0.0.1:1/shop"
    drill = run_drill(
        "--target=database", "--confirm-reset=shop", report_dir=report_dir, DATABASE_URL=url
    )

    assert drill.code == 4, drill.output
    assert "the sample shop is never restored into a live database" in drill.output


def test_an_error_is_formatted_for_the_first_criterion_alone(
    request: pytest.FixtureRequest,
) -> None:
    """A refusal with thousands of criteria does not format a traceback for each of them."""
    item: Any = SimpleNamespace(
        session=SimpleNamespace(stash=pytest.Stash()),
        config=request.config,
        reportinfo=request.node.reportinfo,
    )
    error = CouldNotRun("no server")

    def refuse() -> None:
        raise error

    given = []
    for _ in range(2):
        call = pytest.CallInfo.from_call(refuse, "setup")
        hook = pytest_runtest_makereport(item, call)
        next(hook)  # pytest makes its report of `call` now
        given.append(call.excinfo and call.excinfo.value)
    assert given[0] is error and isinstance(given[1], pytest.skip.Exception)
    report: Any = SimpleNamespace(failed=False, outcome="skipped", longrepr=None)
    with pytest.raises(StopIteration):
        hook.send(report)
    assert report.outcome == "skipped" and report.longrepr[2] == "Skipped: not reached: no server"
