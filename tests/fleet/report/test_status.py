"""Status of a fleet: who has not passed within the time for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from restore_drill.fleet.model import Database, Inventory
from restore_drill.fleet.report.judged import judged
from restore_drill.fleet.report.status import fleet_status
from restore_drill.fleet.report.status import steps as steps_of
from restore_drill.watch.history import Drill, History
from restore_drill.watch.skips import Skip
from tests.helpers.histories import FAILED, NOW, PASSED

DAY = 86400.0


def ago(days: float, drill: Drill = PASSED, *, series: str = "db/shop") -> Drill:
    """`drill` as of `days` before now, of `series`."""
    return replace(drill, at=NOW - timedelta(days=days), series=series)


def noted(*drills: Drill, skip: Skip | None = None) -> History:
    """A history of `drills`."""
    return History(Path("h"), list(drills), [skip] if skip else [])


def inventory(**databases: float | None) -> Inventory:
    """Databases by name, with the seconds in which each is to be drilled."""
    return Inventory(
        Path("fleet.toml"),
        {name: Database(name, "", every=every) for name, every in databases.items()},
    )


@pytest.mark.parametrize(
    ("every", "history", "line"),
    [
        (DAY, noted(ago(1)), "OK, passed 1 d ago"),
        (DAY, noted(ago(1.1)), "OK, passed 1 d 2 h ago"),
        (DAY, noted(ago(3)), "PROBLEM: the last drill passed 3 d ago; the limit is 1 d 3 h"),
        (7 * DAY, noted(ago(3)), "OK, passed 3 d ago"),
        (None, noted(ago(3)), "OK, passed 3 d ago"),
        (None, noted(ago(9)), "PROBLEM: the last drill passed 9 d ago; the limit is 8 d"),
        (DAY, noted(ago(2), ago(0.1, FAILED)), "PROBLEM: the last drill failed; first finding"),
        (DAY, noted(), "PROBLEM: no drill has been recorded"),
    ],
)
def test_each_has_its_own_time(every: float | None, history: History, line: str) -> None:
    """By `every`, with the grace of a schedule; a week where nothing is set."""
    lines, code = fleet_status(inventory(shop=every), {"shop": history}, NOW)

    assert lines[0].startswith(f"shop  {line}")
    assert code == (0 if line.startswith("OK") else 1)


def test_trouble_comes_first_and_is_summed() -> None:
    """A red drill before one that did not come; what to do is of the first."""
    histories = {"ok": noted(ago(0.5)), "red": noted(ago(0.5, FAILED)), "late": noted(ago(5))}
    lines, code = fleet_status(inventory(ok=DAY, red=DAY, late=DAY, never=DAY), histories, NOW)

    assert [line.split()[0] for line in lines[:4]] == ["red", "late", "never", "ok"]
    assert lines[4] == ("PROBLEM: 3 of 4 databases have a problem: red, late, never")
    assert lines[5].startswith("  1. read the last reports of red: ")
    assert lines[7].endswith(" fleet run --only red late never")
    assert code == 1


@pytest.mark.parametrize("count", [1, 8, 9])
def test_the_command_names_all_that_it_is_to_drill(count: int) -> None:
    """Or none: nobody takes a part for all."""
    names = [f"db{number}" for number in range(count)]
    late = dict.fromkeys(names, noted(ago(5)))
    lines, _ = fleet_status(inventory(**dict.fromkeys(names, DAY)), late, NOW)
    only = f" --only {' '.join(names)}" if count <= 8 else ""

    assert lines[-1].endswith(f" fleet run{only}")


@pytest.mark.parametrize(
    ("state", "drills", "steps"),
    [
        ("failed", (ago(0.1, FAILED),), ["read the last reports of a: ", "drill again: "]),
        ("overdue", (ago(5),), ["if drills have not run, ", "drill again: "]),
    ],
)
def test_a_step_fits_its_problem(state: str, drills: tuple[Drill, ...], steps: list[str]) -> None:
    """No report is to be read where no drill ran, and on a page they are a click away."""
    found = [judged(inventory(a=DAY).databases["a"], noted(*drills), NOW)]
    told = steps_of(found)

    assert [each.state for each in found] == [state] and len(told) == len(steps)
    assert all(step.startswith(start) for step, start in zip(told, steps, strict=True))
    assert not any("reports" in step for step in steps_of(found, has_pages=True))


def test_before_the_first_run_there_is_one_step() -> None:
    """Nothing was scheduled, and there is no report to read."""
    lines, _ = fleet_status(inventory(a=DAY, b=DAY), {}, NOW)

    assert lines[2:-1] == ["PROBLEM: 2 of 2 databases have a problem: a, b"]
    assert lines[-1].startswith("  1. drill: ") and lines[-1].endswith(" fleet run")


def test_all_in_order() -> None:
    """One line says so; what was discovered is told."""
    found = replace(inventory(a=DAY, b=DAY), undecided=("new",))
    lines, code = fleet_status(found, dict.fromkeys("ab", noted(ago(0.5))), NOW)

    assert lines[2:] == [
        "! 1 database is not in the inventory: new",
        "OK: 2 databases, none without a pass in time",
    ]
    assert code == 0


def test_no_database_is_no_success() -> None:
    """An inventory that names none is a problem."""
    assert fleet_status(inventory(), {}, NOW) == (["PROBLEM: fleet.toml names no database"], 1)


def test_a_series_of_a_history_of_many() -> None:
    """Of a bucket's history only the drills of this database's series count."""
    found = Inventory(
        Path("fleet.toml"), {"shop": Database("shop", "", series="db/shop", every=DAY)}
    )
    other = ago(0.1, FAILED, series="db/other")
    lines, code = fleet_status(found, {"shop": noted(ago(0.2), other)}, NOW)
    assert (lines[0][:9], code) == ("shop  OK,", 0)

    lines, code = fleet_status(found, {"shop": noted(other)}, NOW)
    assert ("no drill has been recorded" in lines[0], code) == (True, 1)


def test_a_skip_excuses_what_did_not_come() -> None:
    """And nothing that failed."""
    skip = Skip(
        NOW - timedelta(days=1), "moved", "ann", "ann", (NOW + timedelta(days=3)).date(), line=9
    )
    lines, code = fleet_status(inventory(shop=DAY), {"shop": noted(ago(5), skip=skip)}, NOW)

    assert (lines[0].startswith("shop  OK, passed 5 d ago, skipped until"), code) == (True, 0)
