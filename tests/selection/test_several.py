"""Several series in one BACKUP_PATH: drilled one after another, a verdict each and one for all."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from restore_drill.config.settings import Settings, settings_from
from restore_drill.core.errors import UsageError
from restore_drill.drift.accept import last_found
from restore_drill.drift.state import State, home_of
from restore_drill.results.several import Ended, code_of, worst_of
from restore_drill.selection.groups import name_of, shelf_of, to_drill, wanted
from restore_drill.selection.select import select_backup
from restore_drill.watch.history import read_history
from tests.helpers.drills import ROOT, Drill, inherited, run_drill
from tests.helpers.folders import DUMP
from tests.helpers.inboxes import inbox
from tests.helpers.redis_backups import lay_out, saved
from tests.helpers.result_schema import checked
from tests.helpers.shop import Shops

YOUNG = datetime.now(UTC) - timedelta(hours=2)
"""When the newest backup of each series was taken."""


def stamp(days: int = 0) -> str:
    """A time so many days before YOUNG, as names have it."""
    return f"{YOUNG - timedelta(days=days):%Y%m%d_%H%M%S}"


def settings_of(folder: Path, monkeypatch: pytest.MonkeyPatch, **options: str) -> Settings:
    """Settings of a drill of what lies in `folder`."""
    monkeypatch.setenv("BACKUP_PATH", str(folder))
    return settings_from(options, here=folder, root=ROOT)


def put(folder: Path, *names: str) -> None:
    """A small dump under each of `names`."""
    for name in names:
        (folder / name).write_bytes(DUMP)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Backups of two databases, and what somebody put aside half a year ago."""
    place = tmp_path / "pg"
    place.mkdir()
    put(place, *(f"{name}_{stamp(day)}.sql" for name in ("shop", "auth") for day in range(2)))
    put(place, f"shop_before_upgrade_{stamp(180)}.sql")
    return place


def test_an_encrypted_backup_of_users_is_no_role_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has a manifest is drilled, whatever its name; without a key nothing else tells."""
    sealed = b"age-encryption.org/v1\n-> X25519 x\nx\n--- x\n"
    for name in ("users", "globals"):
        (folder / f"{name}_{stamp()}.dump.age").write_bytes(sealed)
    (folder / f"users_{stamp()}.dump.age.manifest.json").write_text("{}")
    settings = settings_of(folder, monkeypatch)
    assert sorted(to_drill(shelf_of(settings), settings)) == ["pg/auth", "pg/shop", "pg/users"]


@pytest.mark.parametrize(
    ("options", "series"),
    [
        ({}, ["pg/shop", "pg/auth"]),
        ({"series": "all"}, ["pg/shop", "pg/auth", "pg/shop_before_upgrade"]),
        ({"series": "auth"}, ["pg/auth"]),
        ({"series": "pg/auth"}, ["pg/auth"]),
        ({"series": "shop*"}, ["pg/shop", "pg/shop_before_upgrade"]),
        ({"series": "shop,auth"}, ["pg/shop", "pg/auth"]),
    ],
)
def test_which_series_are_drilled(
    options: dict[str, str], series: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that go on; a single backup that is old alone where it is asked for."""
    settings = settings_of(folder, monkeypatch, **options)

    assert sorted(to_drill(shelf_of(settings), settings)) == sorted(series)


def test_the_criteria_file_names_series(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`[backup] series` stands behind the option, and before all of them."""
    criteria = folder / "criteria.toml"
    criteria.write_text('[backup]\nseries = ["auth", "shop_before*"]\n')
    settings = settings_of(folder, monkeypatch, criteria=str(criteria))
    given = settings_of(folder, monkeypatch, criteria=str(criteria), series="shop")

    assert to_drill(shelf_of(settings), settings) == ["pg/auth", "pg/shop_before_upgrade"]
    assert [name_of(each) for each in wanted(shelf_of(given), given)] == ["pg/shop"]


def test_a_series_that_is_not_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names those that are."""
    settings = settings_of(folder, monkeypatch, series="billing")

    with pytest.raises(UsageError, match=r"names 'billing', .*: pg/(shop|auth), pg/"):
        wanted(shelf_of(settings), settings)


def test_names_of_chance_are_no_hundred_drills(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where each backup is a series by its name, the newest alone is drilled, as before."""
    put(tmp_path, *(f"shop-{number:x}f{number:x}e.sql" for number in range(100, 130)))
    settings = settings_of(tmp_path, monkeypatch)

    assert to_drill(shelf_of(settings), settings) == []


def test_a_job_that_never_worked_is_drilled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A series of nothing but empty files is as red as can be, and not passed over."""
    for day in range(2):
        (folder / f"crm_{stamp(day)}.sql.gz").touch()
    settings = settings_of(folder, monkeypatch)
    one = settings_of(folder, monkeypatch, series="crm")

    assert "pg/crm" in to_drill(shelf_of(settings), settings)
    assert select_backup(one).size == 0


def test_the_worst_counts() -> None:
    """A failed backup weighs more than one that was not drilled, an interrupt more than all."""
    codes = [0, 5, 4, 6, -9, 3, 1, 2]
    drills = [Ended(str(code), code) for code in codes]

    worst = [code_of(drills[: number + 1]) for number in range(len(drills))]

    assert worst == [0, 5, 4, 6, 6, 3, 1, 2]
    assert code_of([Ended("a", 0), Ended("b", None)]) == 2
    assert worst_of([Ended("a", 1), Ended("b", 1)]).series == "a"


@pytest.fixture(scope="module")
def drilled(shops: Shops, tmp_path_factory: pytest.TempPathFactory) -> tuple[Drill, Path, Path]:
    """One run over a good series and a damaged one, with metrics, a ping and a junit.xml."""
    place = tmp_path_factory.mktemp("several")
    backups = place / "pg"
    backups.mkdir()
    whole = shops.dump(15, "plain.sql").read_bytes()
    (backups / f"shop_{stamp()}.sql").write_bytes(whole)
    (backups / f"auth_{stamp()}.sql").write_bytes(whole[: len(whole) // 2])
    metrics = place / "drill.prom"
    metrics.write_text(
        "# TYPE restore_drill_verdict gauge\n"
        'restore_drill_verdict{series="pg/gone",verdict="x"} 1\n'
    )
    with inbox() as box:
        drill = run_drill(
            "--keep-reports=1", f"--metrics-file={metrics}", f"--junitxml={place}/own.xml",
            report_dir=place / "report", cwd=place, BACKUP_PATH=str(backups),
            DRILL_PING=box.url,
        )  # fmt: skip
        (place / "pings.json").write_text(json.dumps(box.paths))
    return drill, place, backups


def test_each_is_drilled_and_the_worst_counts(drilled: tuple[Drill, Path, Path]) -> None:
    """Exit code and reports are of the damaged one; each has a line; a hint says how to choose."""
    drill, place, _ = drilled

    assert drill.code == 1, drill.output
    assert "each is drilled by itself" in drill.output
    assert "pytest drill/ --series NAME" in drill.output
    assert "---- ALL 2 SERIES: FAILED ----" in drill.output
    assert "PASSED        pg/shop" in drill.output and "FAILED        pg/auth" in drill.output
    assert drill.verdict == "failed" and drill.result["backup"]["series"] == "pg/auth"
    assert sorted(drill.result["run_of"]) == ["pg/auth", "pg/shop"]
    assert "another series" not in drill.output
    summary = json.loads((place / "report" / "series.json").read_text())
    assert (summary["verdict"], summary["exit_code"]) == ("failed", 1)
    found = {each["series"]: each for each in summary["series"]}
    assert {name: each["verdict"] for name, each in found.items()} == {
        "pg/shop": "passed", "pg/auth": "failed",
    }  # fmt: skip
    for each in found.values():
        own = checked(json.loads((Path(each["reports"]) / "result.json").read_text()))
        assert own["backup"]["series"] == each["series"]


def test_what_is_left_holds_both(drilled: tuple[Drill, Path, Path]) -> None:
    """junit.xml has a suite for each, the metrics a label beside others, the history an entry."""
    _, place, backups = drilled

    suites = ET.parse(place / "own.xml").getroot().findall("testsuite")  # noqa: S314
    assert {each.get("name") for each in suites} == {
        "restore-drill: pg/shop", "restore-drill: pg/auth",
    }  # fmt: skip
    assert sum(int(each.get("failures") or 0) for each in suites) > 0
    metrics = (place / "drill.prom").read_text()
    assert 'restore_drill_verdict{series="pg/shop",verdict="passed"} 1' in metrics
    assert 'restore_drill_verdict{series="pg/auth",verdict="failed"} 1' in metrics
    assert metrics.count("# TYPE restore_drill_verdict gauge") == 1
    assert metrics.count("pg/gone") == 1
    noted = read_history(backups / ".drill" / "history.jsonl")
    assert {each.series: each.verdict for each in noted} == {
        "pg/shop": "passed", "pg/auth": "failed",
    }  # fmt: skip


def test_a_monitor_hears_of_the_run(drilled: tuple[Drill, Path, Path]) -> None:
    """One start, and one end with the exit code of the worst: not that of the last drill."""
    _, place, _ = drilled

    assert json.loads((place / "pings.json").read_text()) == ["/start", "/1"]


def test_an_interrupt_ends_the_run(drilled: tuple[Drill, Path, Path], tmp_path: Path) -> None:
    """The drill at work cleans up, no other begins, and the exit code is that of an interrupt."""
    backups = drilled[2]
    environment = inherited() | {"BACKUP_PATH": str(backups), "DRILL_HISTORY": str(tmp_path / "h")}
    command = [sys.executable, "-m", "pytest", str(ROOT / "drill"), f"--report-dir={tmp_path}/r"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as run:  # fmt: skip
        assert run.stdout is not None
        head = ""
        while "Step 1" not in head:
            line = run.stdout.readline()
            assert line, head
            head += line
        run.send_signal(signal.SIGINT)
        rest = run.stdout.read()

    assert run.returncode == 2, rest
    assert "ALL 2 SERIES: COULD NOT RUN" in rest
    assert "the run was interrupted before this drill" in rest and "Step 8" not in rest
    summary = json.loads((tmp_path / "r" / "series.json").read_text())
    assert [each["exit_code"] for each in summary["series"]] == [2, None]


def test_one_of_them_must_be_named(drilled: tuple[Drill, Path, Path], tmp_path: Path) -> None:
    """What is done with one live database is refused before anything starts, and reported."""
    drill = run_drill(
        "--target=database", report_dir=tmp_path / "report", BACKUP_PATH=str(drilled[2]),
        DATABASE_URL="postgresql://nobody@localhost:1/shop",
    )  # fmt: skip

    assert drill.code == 4 and drill.verdict == "could-not-run"
    assert "choose one: --series NAME" in drill.output


def test_an_acceptance_is_of_one_series(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the last drills of several have found something, one is named."""
    settings = settings_of(folder, monkeypatch)
    for name in ("shop", "auth"):
        state = State(home_of(settings) / name, f"pg/{name}")
        state.write(state.found_path, {"backup": f"{name}.sql", "findings": [{"title": name}]})

    with pytest.raises(UsageError, match="several series found something"):
        last_found(settings, None)
    state, found = last_found(settings, "pg/auth")

    assert state.scheme == "pg/auth" and found["findings"] == [{"title": "auth"}]


def test_a_backup_of_redis_is_restored_once(folder: Path, tmp_path: Path) -> None:
    """With the first series; the others say so, and a search for a good dump leaves it out."""
    (folder / "redis").mkdir()
    lay_out(saved("Redis"), folder / "redis" / "dump.rdb")
    done = run_drill("-k", "redis", report_dir=tmp_path / "report", BACKUP_PATH=str(folder))
    assert done.code == 0, done.output
    assert done.output.count("Redis restored: 206 keys") == 1
    files = list((tmp_path / "report").glob("2*/result.json"))
    results = [json.loads(each.read_text()) for each in files]
    parts = [each["redis_backup"] for each in results]
    assert len(parts) == 2 and sum(part is not None for part in parts) == 1
    (other,) = [each for each in results if each["redis_backup"] is None]
    (why,) = [e["why"] for e in other["not_checked"] if e["what"] == "the backup of Redis"]
    assert why.startswith("it is drilled once in this run, with the series pg/")
