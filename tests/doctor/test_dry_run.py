"""`--dry-run`: what a drill would do, how long, and what it would write; nothing is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.backups.model import Backup
from restore_drill.config.options import OPTIONS
from restore_drill.core.calling import SUITE
from restore_drill.doctor import waiting
from restore_drill.doctor.configured import Configured, configure
from restore_drill.doctor.estimate import AROUND, LEAST, RATE, estimate
from restore_drill.doctor.examine import examine
from restore_drill.doctor.lines import plan_lines
from restore_drill.doctor.work import Work
from tests.helpers.drills import run_drill
from tests.helpers.live import url_of
from tests.helpers.shop import Shops, pg_dump
from tests.watch.test_status import FAILED, PASSED


@pytest.fixture
def backups(shops: Shops, tmp_path: Path) -> Path:
    """BACKUP_PATH with one backup of the shop."""
    (tmp_path / "backups").mkdir()
    pg_dump(shops.source(15), tmp_path / "backups" / "shop.dump", "--format=custom")
    return tmp_path / "backups"


def configured(folder: Path, **options: str) -> Configured:
    """Settings for the backups in `folder`."""
    given = {name: options.get(name) for name in OPTIONS}
    found = configure(given, here=folder, root=SUITE)
    return replace(found, settings=replace(found.settings, backup_path=folder))


def test_the_plan_of_a_drill_does_nothing(backups: Path, tmp_path: Path) -> None:
    """Each step with sizes and times, what is written where; and nothing is there afterwards."""
    before = sorted(tmp_path.rglob("*"))

    done = run_drill("--dry-run", report_dir=tmp_path / "reports", BACKUP_PATH=str(backups))

    assert done.code == 0, done.output
    steps = [line for line in done.output.splitlines() if line.startswith("Step ")]
    assert [line[:6] for line in steps] == [f"Step {n}" for n in range(1, 9)]
    for text in (
        "criteria would run: select ",
        "shop.dump: custom",
        "A drill would restore into PostgreSQL 15",
        "reads the archive",
        "estimated from its size",
        f"A line in the history: {backups}/.drill/history.jsonl",
        f"Reports: {tmp_path}/reports",
        "Business facts: [facts] in the criteria file is empty",
        "A drill could run",
    ):
        assert text in done.output
    assert sorted(tmp_path.rglob("*")) == before


def test_a_selection_plans_only_its_work(tmp_path: Path) -> None:
    """`-k redis` restores nothing; a Redis that is down would fail the drill."""
    url = "redis://:s3cret-pass@127.0.0.1:1/0"

    done = run_drill("--dry-run", "-k", "redis", report_dir=tmp_path, REDIS_URL=url)

    assert done.code == 0
    assert "Step 7" in done.output and "Step 5" not in done.output
    assert "A drill could run, and would fail:" in done.output
    assert "s3cret" not in done.output


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        (["--require-backup"], 6, "A drill could not run (exit code 6)"),
        (["-k", "no_such_thing"], 5, "nothing was selected"),
        (["--jobs", "many"], 4, "--jobs"),
    ],
)
def test_a_drill_that_could_not_run_has_its_exit_code(
    options: Sequence[str], code: int, text: str, tmp_path: Path
) -> None:
    """That of the drill, and the reason."""
    done = run_drill("--dry-run", *options, report_dir=tmp_path / "reports")

    assert done.code == code and text in done.output
    assert not (tmp_path / "reports").exists()


def test_a_part_of_a_drill_in_place_is_refused(backups: Path, tmp_path: Path) -> None:
    """As the drill refuses it."""
    done = run_drill(
        "--dry-run", "-k", "redis", "--target=database", "--in-place", "--confirm=shop",
        report_dir=tmp_path / "reports", BACKUP_PATH=str(backups),
        DATABASE_URL="postgresql://app@127.0.0.1:1/shop",
    )  # fmt: skip

    assert done.code == 4 and "--in-place needs the whole drill" in done.output


def test_a_module_that_cannot_be_collected_stops_a_drill(tmp_path: Path) -> None:
    """It is named as in a drill, without a traceback."""
    (tmp_path / "test_own.py").write_text("def test_x(:\n")

    done = run_drill("--dry-run", str(tmp_path / "test_own.py"), report_dir=tmp_path / "reports")

    assert done.code == 6, done.output
    assert "test_own.py:1: SyntaxError: invalid syntax" in done.output
    assert "Traceback" not in done.output and "ast.py" not in done.output


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ({}, "which is dropped at the end; "),
        ({"promote": "yes"}, "when it is proved it is renamed to "),
        ({"in_place": "yes"}, "everything in it is dropped and restored from the backup"),
    ],
)
def test_what_becomes_of_a_live_server_is_planned(
    way: dict[str, str], words: str, shops: Shops, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which database is made, renamed or reset; and none is."""
    target = shops.source(15)
    name = target.conninfo["dbname"]
    monkeypatch.setenv("DATABASE_URL", url_of(target, "postgres"))
    monkeypatch.setenv("BACKUP_PATH", str(backups))
    monkeypatch.setattr(waiting, "OTHERS", 60.0)
    options = way | ({"confirm": name} if way else {})
    work = Work({"verify": 3}, redis=False)
    found = configured(backups, target="database", **options)
    count = "SELECT count(*), max(oid::bigint) FROM pg_database"

    with target.connect() as connection:
        before = connection.execute(count).fetchone()
        checkup = examine(found, work.groups(found.settings))
        text = "\n".join(plan_lines(checkup, work))
        assert connection.execute(count).fetchone() == before

    assert isinstance(checkup.chosen, Backup)
    assert checkup.code == 0, text
    assert words in text and name in text
    assert not (backups / "snapshots").exists()


def test_times_are_those_of_earlier_drills(backups: Path) -> None:
    """The median of the last five that passed, in proportion to the size; others do not count."""
    settings = configured(backups).settings
    passes = [replace(PASSED, restore=float(n), size=100, verify=1.0, total=20.0) for n in range(9)]

    found = estimate(200, 800, [*passes, replace(FAILED, restore=900.0)], settings)

    assert found.restore == 12.0 and found.verify == 2.0 and found.total == 40.0
    assert "the last 5 passed drills" in found.basis and "2.00 times" in found.basis
    assert "in another way" in found.basis


def test_times_are_those_of_the_same_target(backups: Path) -> None:
    """A drill on a live server takes longer than one in memory."""
    settings = configured(backups).settings
    live = replace(PASSED, restore=60.0, size=100, setup="in-place, 2 jobs")
    here = replace(live, restore=2.0, setup=f"embedded, {settings.jobs} jobs")

    found = estimate(100, 800, [here, *[live] * 5], settings)

    assert found.restore == 2.0
    assert found.basis == "estimated from the last passed drill of this series"


def test_times_without_earlier_drills_are_estimated_from_the_size(backups: Path) -> None:
    """What is cautious takes longer; each row in large indexes, too."""
    settings = configured(backups).settings

    quick = estimate(0, int(RATE), [], settings)
    slow = estimate(0, int(RATE), [], replace(settings, production_settings=True))
    whole = estimate(0, int(RATE), [], replace(settings, heapallindexed=True))

    assert quick.restore == LEAST + 1 and slow.restore > 2 * quick.restore - LEAST
    assert quick.total == AROUND + quick.read + quick.restore + quick.verify
    assert whole.verify > 2 * quick.verify


def test_an_estimate_over_its_budget_is_a_remark(
    backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an estimate: nothing is stopped by it."""
    monkeypatch.delenv("REDIS_URL", raising=False)
    found = configured(backups, max_restore_time="0.01s")
    work = Work({"verify": 1}, redis=False)

    checkup = examine(found, work.groups(found.settings))

    assert checkup.code == 0
    assert "By this estimate, restore time" in "\n".join(plan_lines(checkup, work))


@pytest.mark.parametrize("option", ["--report-dir=/proc/none", "--sign=/nowhere/key.pem"])
def test_a_plan_refuses_what_the_drill_refuses(option: str, backups: Path, tmp_path: Path) -> None:
    """With the same exit code."""
    done = run_drill("--dry-run", option, report_dir=tmp_path / "r", BACKUP_PATH=str(backups))

    assert done.code == 4, done.output
    assert option.partition("=")[0] in done.output
