"""`python -m drill status`: what became of the drills, and whether they still run."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from restore_drill.watch.entry import note as write
from restore_drill.watch.history import Drill, read_history
from tests.helpers.drills import ROOT, run_drill
from tests.helpers.drills import Drill as Run
from tests.helpers.shop import Shops
from tests.helpers.warm import run_module

NOW = datetime.now(UTC)
PASSED = Drill(
    at=NOW - timedelta(days=1),
    verdict="passed",
    strength="proven",
    backup="shop.dump",
    size=1_200_000,
    rows=900,
    restore=10.0,
    verify=1.0,
    total=14.0,
)
FAILED = replace(
    PASSED, verdict="failed", strength=None, red=("test_table_has_every_row[public.cards]",)
)


def status(folder: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code and output of `python -m drill status` with BACKUP_PATH `folder`."""
    kept = {k: v for k, v in os.environ.items() if k.startswith(("COVERAGE_", "PYTHON"))}
    done = run_module(
        ["drill", "status", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "BACKUP_PATH": str(folder)} | kept | environment,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def note(folder: Path, *drills: Drill) -> None:
    """Note `drills` in `folder`, as drills do."""
    path = folder / ".drill" / "history.jsonl"
    path.parent.mkdir()
    path.touch()
    for drill in drills:
        write(path, drill)


def test_each_whole_drill_is_noted(shops: Shops, tmp_path: Path) -> None:
    """A pass and a failure are noted with their numbers; picked criteria are no drill."""
    backup = tmp_path / "shop.sql"
    whole = shops.dump(15, "plain.sql").read_bytes()
    backup.write_bytes(whole)

    def drill(*arguments: str) -> Run:
        return run_drill(*arguments, report_dir=tmp_path / "report", BACKUP_PATH=str(tmp_path))

    passed = drill()
    tables = passed.result["tables"].values()
    rows = sum(each["rows"] for each in tables if not each.get("partitioned"))
    picked = drill("-k", "backup")
    backup.write_bytes(whole[: len(whole) // 2])
    failed = drill()

    assert (passed.code, picked.code, failed.code) == (0, 0, 1)
    first, last = read_history(tmp_path / ".drill" / "history.jsonl")
    assert first.has_passed and first.backup == "shop.sql" and first.size == len(whole)
    assert first.rows == rows > 0
    assert first.restore is not None and first.total is not None and first.red == ()
    assert last.verdict == "failed" and last.restore is None
    assert last.red[0] == "test_backup_is_complete"
    code, told = status(tmp_path)
    assert code == 1
    assert "2 drills recorded: 1 passed, 1 failed (50% passed)" in told
    assert "the last drill failed; first finding: test_backup_is_complete" in told


def test_sample_is_not_noted(report_dir: Path, tmp_path: Path) -> None:
    """A drill of the sample says nothing about anyone's backups."""
    drill = run_drill("-k", "not redis", "--sample-rows=20", report_dir=report_dir, cwd=tmp_path)

    assert drill.code == 0, drill.output
    assert not (tmp_path / ".drill").exists()


def test_all_is_well(tmp_path: Path) -> None:
    """The last drill passed within the time: exit 0, what the last ones were, and the trend."""
    old = [
        replace(PASSED, at=NOW - timedelta(days=7 * n), restore=restore)
        for n, restore in enumerate((9.0, 10.0, 11.0, 10.0), start=1)
    ]
    note(tmp_path, *old, PASSED)

    code, told = status(tmp_path)

    assert code == 0, told
    assert "5 drills recorded: 5 passed (100% passed)" in told
    assert "Last pass: 1 d ago, of shop.dump" in told
    assert "passed (proven)" in told and "1.2 MB, 900 rows, restore 10 s" in told
    assert "Restore: 10 s, usually 10 s" in told
    assert "times as long" not in told
    assert told.endswith("OK\n")


def test_slower_restore_is_reported(tmp_path: Path) -> None:
    """A restore that takes much longer than usual is worth a word, and no failure."""
    old = [replace(PASSED, at=NOW - timedelta(days=7 * n)) for n in range(1, 5)]
    note(tmp_path, *old, replace(PASSED, restore=25.0))

    code, told = status(tmp_path)

    assert code == 0
    assert "! The last restore took 2.5 times as long as usual" in told


def test_a_restore_of_moments_is_not_slow(tmp_path: Path) -> None:
    """A small one takes four times as long whenever the machine is busy."""
    old = [replace(PASSED, at=NOW - timedelta(days=7 * n), restore=0.08) for n in range(1, 5)]
    note(tmp_path, *old, replace(PASSED, restore=0.34))

    code, told = status(tmp_path)

    assert code == 0
    assert "Restore: 0.34 s, usually 0.08 s" in told
    assert "as long as usual" not in told


@pytest.mark.parametrize(
    ("drills", "arguments", "trouble"),
    [
        ([], [], "no drill has been recorded"),
        ([PASSED], ["--max-age=20h"], "the last drill passed 1 d ago; the limit is 20 h"),
        (
            [replace(PASSED, at=NOW - timedelta(days=9))],
            [],
            "the last drill passed 9 d ago; the limit is 8 d",
        ),
        (
            [PASSED, replace(FAILED, at=NOW)],
            [],
            "the last drill failed; first finding: test_table_has_every_row[public.cards]",
        ),
        ([replace(PASSED, verdict="could-not-run")], [], "the last drill could not run"),
        (
            [*[replace(FAILED, at=NOW - timedelta(days=n)) for n in (4, 3, 2)], PASSED],
            [],
            "3 of the last 4 drills did not pass, though the last one did",
        ),
        (
            [
                replace(each, at=NOW - timedelta(hours=9 - n))
                for n, each in enumerate((PASSED, FAILED, PASSED, FAILED, PASSED))
            ],
            [],
            "2 of the last 4 drills did not pass, though the last one did",
        ),
    ],
    ids=[
        "never",
        "too old for an hourly one",
        "too old",
        "failed",
        "could not run",
        "a quarter passed",
        "on and off",
    ],
)
def test_error_is_reported(
    drills: list[Drill], arguments: list[str], trouble: str, tmp_path: Path
) -> None:
    """No drill, an old one or a red one: exit 1, what is wrong and what to do."""
    note(tmp_path, *drills)

    code, told = status(tmp_path, *arguments)

    assert code == 1
    assert f"PROBLEM: {trouble}" in told
    assert "pytest drill/" in told


def test_two_passes_after_failures_are_well(tmp_path: Path) -> None:
    """What was mended is well again by its second pass; a single failure by its first."""
    days = [replace(FAILED, at=NOW - timedelta(days=n)) for n in (5, 4, 3)]
    note(tmp_path, *days, replace(PASSED, at=NOW - timedelta(days=2)), PASSED)

    assert status(tmp_path)[0] == 0


def test_dashboard_gets_json(tmp_path: Path) -> None:
    """With --json the same comes for machines, oldest first; a torn line is passed over."""
    note(tmp_path, FAILED)
    with (tmp_path / ".drill" / "history.jsonl").open("a") as file:
        file.write('{"at": "2026-')
    write(tmp_path / ".drill" / "history.jsonl", PASSED)

    code, told = status(tmp_path, "--json")

    found = json.loads(told)
    assert code == 0
    assert found["ok"] is True and found["problem"] == ""
    assert found["last_passed_at"] == PASSED.at.isoformat()
    assert [each["verdict"] for each in found["drills"]] == ["failed", "passed"]


def test_a_line_that_is_lost_may_have_been_red(tmp_path: Path) -> None:
    """After the last pass: until there is another."""
    note(tmp_path, PASSED, FAILED)
    path = tmp_path / ".drill" / "history.jsonl"
    path.write_bytes(path.read_bytes()[:-300])
    code, told = status(tmp_path)
    assert code == 1 and "PROBLEM: 1 entry of the history after the last pass cannot be" in told
    assert status(tmp_path, "--nagios")[0] == 2
    write(tmp_path / ".drill" / "history.jsonl", PASSED)
    assert status(tmp_path)[0] == 0


def test_each_series_is_judged_by_itself(tmp_path: Path) -> None:
    """A database that fails, or is drilled no more, is not hidden behind another that passes."""
    shop = replace(PASSED, series="db/shop")
    crm = replace(PASSED, backup="crm_2026-11-20.dump", series="db/crm")
    hours = [NOW - timedelta(hours=hour) for hour in (40, 30, 20, 10)]
    note(
        tmp_path,
        replace(crm, at=NOW - timedelta(days=12)),
        replace(crm, at=hours[0], series=None),  # noted before there were series
        *(replace(shop, at=at) for at in hours),
        replace(crm, at=NOW - timedelta(hours=25), verdict="failed", red=("test_fact_holds[x]",)),
    )

    code, told = status(tmp_path)
    found = json.loads(status(tmp_path, "--json")[1])

    assert code == 1
    assert "db/crm: PROBLEM: the last drill failed; first finding: test_fact_holds[x]" in told
    assert "3 drills recorded: 2 passed, 1 failed (67% passed)" in told
    assert "Series db/shop: OK" in told and "4 drills recorded: 4 passed" in told
    assert "PROBLEM: db/crm: the last drill failed" in told and "OK: the last" not in told
    assert [(each["name"], each["ok"]) for each in found["series"]] == [
        ("db/crm", False), ("db/shop", True)
    ]  # fmt: skip
    assert found["last_passed_at"] == hours[0].isoformat()


def test_series_that_is_drilled_no_more_is_not_well(tmp_path: Path) -> None:
    """The youngest pass of one series says nothing of another; all well where each is."""
    shop = replace(PASSED, series="db/shop")
    old = replace(PASSED, at=NOW - timedelta(days=20), backup="crm.dump", series="db/crm")
    note(tmp_path, replace(old, at=NOW - timedelta(days=27)), old, shop)

    code, told = status(tmp_path)
    well, fine = status(tmp_path, "--max-age=21d")

    assert code == 1
    assert "PROBLEM: db/crm: the last drill passed 20 d ago; the limit is 8 d" in told
    assert "if a series is no longer backed up, retire it: " in told
    assert well == 0 and fine.endswith("OK: the last drill of every series passed\n")


def test_drill_without_a_backup_speaks_against_the_next_series(tmp_path: Path) -> None:
    """Where no backup was found the last drill could not run, whichever was meant."""
    shop = replace(PASSED, series="db/shop")
    crm = replace(PASSED, backup="crm.dump", series="db/crm")
    none = replace(PASSED, at=NOW, verdict="could-not-run", backup=None)
    note(tmp_path, shop, crm, none)

    code, told = status(tmp_path)

    assert code == 1
    assert "PROBLEM: no backup was found: the last drill could not run" in told


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (["--max-age=soon"], {}, "--max-age is not a duration: 'soon'"),
        ([], {"BACKUP_PATH": ""}, "BACKUP_PATH is set but empty"),
        (["--nonsense"], {}, "python -m drill status --help"),
    ],
)
def test_errors_are_reported(
    arguments: list[str], environment: dict[str, str], told: str, tmp_path: Path
) -> None:
    """An error of the user ends with exit code 4 and a line that names it."""
    code, output = status(tmp_path, *arguments, **environment)

    assert code == 4
    assert told in output and "Traceback" not in output


def test_drill_is_not_stopped_by_its_history(shops: Shops, tmp_path: Path) -> None:
    """Where the history cannot be written the drill says so, and its verdict stands."""
    (tmp_path / "shop.sql").write_bytes(shops.dump(15, "plain.sql").read_bytes())
    (tmp_path / ".drill").write_text("not a directory")

    drill = run_drill(report_dir=tmp_path / "report", BACKUP_PATH=str(tmp_path))

    assert drill.code == 0, drill.output
    assert "was not recorded in" in drill.output
