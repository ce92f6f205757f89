"""What a terminal shows of a run."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from restore_drill.core.errors import CouldNotRun
from restore_drill.fleet.carry import unwritable
from restore_drill.fleet.model import CANCELLED, Done
from restore_drill.fleet.report.gauges import write_gauges
from restore_drill.fleet.report.lines import (
    closing_lines,
    cut,
    ended_line,
    fitted,
    progress_line,
    seconds_left,
    width_of,
)
from restore_drill.fleet.report.plain import of_database
from restore_drill.fleet.report.steps import next_steps
from restore_drill.fleet.screen import Screen
from restore_drill.results.several import NOT_BEGUN
from tests.fleet.report.conftest import Make


def test_a_line_a_database(make: Make) -> None:
    """Verdict, name, backup, time, tries and the first problem."""
    fleet = make(shop="failed", web="passed", old="lost", log="warned", big="left", sun="elsewhen")
    lines = {name: ended_line(each, 6) for name, each in fleet.outcomes.items()}

    assert lines["web"] == ("good", "PASSED         web     shop.sql, 3.25 s")
    assert lines["old"] == ("bad", "COULD NOT RUN  old     9.00 s, 3 tries, its worker was lost")
    assert lines["log"] == (
        "warn",
        "PASSED         log     shop.sql, 3.25 s, warning: the restore took 3 times as long",
    )
    assert lines["big"] == ("bad", "NOT BEGUN      big     no worker has 2.0 TB of disk for it")
    assert lines["sun"] == ("warn", "NOT DUE        sun     its schedule has it on Sunday")
    kind, line = lines["shop"]
    assert kind == "bad"
    assert line.startswith(
        "FAILED         shop    3.25 s, test_backup_is_complete: shop.sql is damaged"
    )


@pytest.mark.parametrize(
    ("seconds", "line"),
    [
        (None, "12 of 40, running: a, b"),
        (341.0, "12 of 40, running: a, b; about 6 min left"),
        (7.0, "12 of 40, running: a, b; about 10 s left"),
        (9050.0, "12 of 40, running: a, b; about 2 h 30 min left"),
    ],
)
def test_progress(seconds: float | None, line: str) -> None:
    """How many have ended, what runs, and how long it may take."""
    assert progress_line(12, 40, ["a", "b"], seconds) == line


def test_progress_names_a_few() -> None:
    """Fifty workers are not fifty names."""
    running = [f"db{number}" for number in range(50)]

    assert progress_line(0, 1000, running) == "0 of 1,000, running: db0, db1, db2 and 47 more"
    assert progress_line(40, 40, [], 0.0) == "40 of 40"


@pytest.mark.parametrize(
    ("waiting", "running", "ended", "at_once", "left"),
    [
        ([], [], [], 2, None),
        ([None, None], [], [], 2, None),
        ([60.0, 60.0, 60.0, 60.0], [], [], 2, 120.0),
        ([600.0, 10.0], [], [], 2, 600.0),
        ([None, None], [], [30.0, 50.0], 1, 80.0),
        ([], [(100.0, 40.0)], [], 2, 60.0),
        ([], [(100.0, 140.0)], [1.0], 2, 0.0),
    ],
)
def test_time_left(
    waiting: list[float | None],
    running: list[tuple[float | None, float]],
    ended: list[float],
    at_once: int,
    left: float | None,
) -> None:
    """By what drills took before, side by side, and never less than the longest."""
    assert seconds_left(waiting, running, ended, at_once) == left


def test_the_summary_has_the_worst_first(make: Make) -> None:
    """Verdict, counts, what is not in order, what to do, and where the report lies."""
    fleet = make(
        ok="passed", slow="warned", shop="failed", old="lost", big="left", few="incomplete"
    )
    assert fleet.ended is not None
    fleet.ended = fleet.started + timedelta(minutes=12)
    fleet.undecided = ["new"]

    lines = list(closing_lines(fleet, Path("drill-report/fleet.html")))
    texts = [text for _, text in lines]

    assert lines[0] == ("head", "---- Restore drills of 6 databases: FAILED ----")
    assert texts[1] == (
        "6 databases: 1 failed, 1 could not run, 1 not begun, 1 incomplete, "
        "1 passed with warnings, 1 passed; took 12 min"
    )
    assert [text.split("  ")[0] for text in texts[2:7]] == [
        "FAILED", "COULD NOT RUN", "NOT BEGUN", "INCOMPLETE", "PASSED",
    ]  # fmt: skip
    steps = texts[7:-1]
    assert [step[:4] for step in steps] == [f"  {number}." for number in range(1, 6)]
    assert "do not rely on the backups of shop" in steps[0]
    assert steps[2].endswith("not drilled and fix that, then drill them again: big")
    assert steps[-1].endswith(
        "not in the inventory: new. Name them under [databases], or add them to ignore"
    )
    assert texts[-1] == "Report: drill-report/fleet.html"


@pytest.mark.parametrize(
    ("kinds", "step"),
    [
        ({""}, "do not rely on the backups of a, b: read their reports, then take new ones"),
        ({"time", ""}, "do not rely on the backups of a, b: read their reports, then take new"),
        ({"time"}, "a, b: make recovery faster or allow more time, then drill again"),
        ({"age"}, "a, b: find out why there is no newer backup, take one and drill it"),
        ({"time", "age"}, "read the reports of a, b: each says what failed and what to do next"),
        ({"coherence"}, "read the reports of a, b: each says what failed and what to do next"),
        ((), "read the reports of a, b: each says what failed and what to do next"),
    ],
)  # fmt: skip
def test_a_step_says_nothing_false_of_a_backup(
    make: Make, kinds: Collection[str], step: str
) -> None:
    """One that is good, and slow to recover, is not to be distrusted."""
    fleet = make(a="failed", b="failed", c="passed")
    for name in "ab":
        row = fleet.outcomes[name]
        assert "" in row.measured.kinds
        measured = replace(row.measured, kinds=frozenset(kinds))
        fleet.outcomes[name] = replace(row, measured=measured, folder=Path(name))

    found = next_steps(fleet)
    assert len(found) == 1 and found[0].startswith(step)


@pytest.mark.parametrize(
    ("kinds", "step"),
    [
        ({""}, "do not rely on the backups of b, of which no report is kept: to see what failed"),
        ({"coherence"}, "no report of b is kept: to see what failed"),
    ],
)
def test_a_report_that_is_not_kept_is_not_to_be_read(
    make: Make, kinds: Collection[str], step: str
) -> None:
    """Another drill brings one."""
    fleet = make(a="failed", b="failed")
    for name, folder in (("a", Path("a")), ("b", None)):
        row = fleet.outcomes[name]
        measured = replace(row.measured, kinds=frozenset(kinds))
        fleet.outcomes[name] = replace(row, measured=measured, folder=folder)

    first, second = next_steps(fleet)
    assert "read the" in first or "read their" in first
    assert " a:" in first and second.startswith(step) and " fleet run --only b" in second


@pytest.mark.parametrize(("count", "only"), [(2, " --only b0 'b 1'"), (9, "")])
def test_what_an_interrupted_run_has_left_is_drilled_next(
    make: Make, count: int, only: str
) -> None:
    """Nothing is wrong with it; a drill that could not run is no part of that."""
    fleet = make(a="lost", **{f"b{n}" if n != 1 else "b 1": "unknown" for n in range(count)})
    fleet.outcomes.pop("b0")
    fleet.end(Done("b0", None, "w", 3.0, why=CANCELLED), 1)
    for name, row in fleet.outcomes.items():
        if name not in ("a", "b0"):
            fleet.outcomes[name] = replace(row, why=NOT_BEGUN)
    steps = next_steps(fleet)

    assert steps[0].startswith("the drill of a could not run")
    assert steps[1].startswith("the run was interrupted: drill the rest: ")
    assert steps[1].endswith(f"fleet run{only}") and len(steps) == 2


def test_a_drill_that_is_not_recorded_is_told(make: Make) -> None:
    """It passed, and `--due` will drill it every time."""
    fleet = make(a="unrecorded", b="unrecorded", c="passed")
    texts = [text for _, text in closing_lines(fleet, None)]
    why = "This drill was not recorded in s3://h: denied"

    assert (fleet.verdict, fleet.code) == ("passed", 0)
    assert texts[1].startswith("3 databases: 2 passed with warnings, 1 passed")
    assert texts[2] == f"PASSED         a  shop.sql, 3.25 s, warning: {why}"
    assert texts[4].startswith("  1. see that the drills of a, b are recorded, else --due repeats")
    assert texts[4].endswith(why)
    row = of_database(fleet.outcomes["a"])
    assert (row["not_recorded"], row["why"], row["warnings"]) == (why, why, 1)


def test_a_summary_stays_short(make: Make) -> None:
    """Of hundreds of databases it shows some, and counts the rest."""
    fleet = make(**{f"db{number:03}": "still" for number in range(300)})
    lines = [text for _, text in closing_lines(fleet, None)]

    assert len(lines) == 24
    assert lines[22] == "and 280 more, which the report shows"
    assert re.search(r"db000, db001, db002, db003 and 296 more", lines[23])


def test_nothing_due_is_said(make: Make) -> None:
    """Exit code 0 without a drill is explained."""
    lines = [text for _, text in closing_lines(make(sun="elsewhen"), None)]

    assert lines[0] == "---- Restore drills of 1 database: NOTHING WAS DUE ----"
    assert lines[1].startswith("1 database: 1 not due") and len(lines) == 2


def test_names_do_nothing_to_a_terminal(make: Make) -> None:
    """Nor does an ASCII terminal get what it cannot show."""
    fleet = make(**{"w\x1b[31mé\u202e": "left"})
    _, line = ended_line(fleet.rows[0])

    assert line.isprintable() and "w\\x1b[31mé\\u202e" in line
    assert "w\\x1b[31m\\xe9\\u202e" in fitted(line, None)
    assert fitted(line, "utf-8") == line


def test_one_long_name_moves_no_other() -> None:
    """Names are aligned to the longest of those that are not too long for a line."""
    assert width_of(["a", "shop", "x" * 41]) == 4
    assert width_of([]) == width_of(["x" * 300]) == 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0 of 9, running: shop", "0 of 9, ru"),
        ("\u6f22\u5b57" * 4, "\u6f22\u5b57" * 2 + "\u6f22"),
        ("ab", "ab"),
    ],
)
def test_progress_fits_into_its_line(text: str, shown: str) -> None:
    """Some characters take two columns: a line that wraps could not be written anew."""
    assert cut(text, 10) == shown


def test_one_reason_is_one_line_of_the_summary(make: Make) -> None:
    """Ten databases without a worker do not say so ten times."""
    fleet = make(**dict.fromkeys("abcdef", "left"), x="lost")
    for name in "abc":
        fleet.outcomes[name] = replace(fleet.outcomes[name], why="there is no worker")
    fleet.outcomes["f"] = replace(fleet.outcomes["f"], why="it fits on no worker: it needs 9 TB")
    texts = [text for _, text in closing_lines(fleet, None)]

    assert texts[2] == "COULD NOT RUN  x  9.00 s, 3 tries, its worker was lost"
    assert texts[3] == "NOT BEGUN      a, b, c: there is no worker"
    assert texts[4] == "NOT BEGUN      d, e: no worker has 2.0 TB of disk for it"
    steps = " ".join(texts[6:])
    assert "the drill of x could not run, so its backup is unproven: fix the cause, " in steps
    assert " fleet run --only x " in steps and "start a worker: dask worker ADDRESS " in steps
    assert "free or add what is too small (disk, memory or cores), lower the needs of f" in steps


def test_one_reason_is_one_line_while_it_runs(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    """The summary names all that have it."""
    screen = Screen()
    for each in make(a="left", b="left", c="lost", d="lost").rows:
        screen.ended(each)

    assert [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()] == [
        "COULD NOT RUN", "COULD NOT RUN", "NOT BEGUN",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "step"),
    [
        (FileNotFoundError(2, "No such file or directory"), "create the folder, or name another"),
        (OSError(28, "No space left on device"), "make room there"),
    ],
)
def test_a_folder_that_is_missing_is_no_lack_of_room(error: OSError, step: str) -> None:
    """What to do fits what is wrong."""
    assert f"1. {step}" in str(unwritable(Path("/proc/x"), error))


def test_metrics_that_cannot_be_written_say_what_to_do(tmp_path: Path) -> None:
    """As of the reports."""
    with pytest.raises(CouldNotRun, match="create the folder, or name another one: --metrics-file"):
        write_gauges(tmp_path / "no" / "x.prom", [])
