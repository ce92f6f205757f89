"""One verdict of many databases: by the worst, and never green without proof."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import pytest

from restore_drill.fleet.model import Database, Done
from restore_drill.fleet.report.files import leave
from restore_drill.fleet.report.lines import ended_line
from restore_drill.fleet.report.messages import messages
from restore_drill.fleet.report.outcome import outcome_of
from restore_drill.fleet.report.plain import plain_of
from restore_drill.fleet.report.run import Fleet, tally
from tests.fleet.report.conftest import SECRET, Make, Real
from tests.helpers.histories import FAILED

SHOP = Database("shop", "fleet.toml:1")


@pytest.mark.parametrize(
    ("states", "verdict", "code"),
    [
        ("passed passed", "passed", 0),
        ("passed warned", "passed", 0),
        ("passed elsewhen", "passed", 0),
        ("elsewhen elsewhen", "not-due", 0),
        ("passed failed", "failed", 1),
        ("could-not-run failed left", "failed", 1),
        ("passed could-not-run", "could-not-run", 6),
        ("passed lost", "could-not-run", 6),
        ("passed left", "could-not-run", 6),
        ("passed unknown", "could-not-run", 6),
        ("passed sample", "could-not-run", 6),
        ("passed usage", "could-not-run", 6),
        ("usage usage elsewhen", "could-not-run", 6),
        ("passed incomplete", "incomplete", 0),
        ("incomplete incomplete", "incomplete", 6),
        ("", "could-not-run", 5),
    ],
)
def test_the_worst_decides(make: Make, states: str, verdict: str, code: int) -> None:
    """A pass needs a proof of each backup that was due; exit codes are those of a single drill."""
    fleet = make(**{f"db{number}": state for number, state in enumerate(states.split())})

    assert (fleet.verdict, fleet.code) == (verdict, code)


@pytest.mark.parametrize(
    ("states", "code"), [("passed unknown", 2), ("failed unknown", 2), ("passed failed", 1)]
)
def test_an_interrupted_run_says_so_where_something_was_left(
    make: Make, states: str, code: int
) -> None:
    """Exit code 2 as of any interrupted drill; where all had ended, theirs."""
    named = {f"db{number}": state for number, state in enumerate(states.split())}
    fleet = make(is_interrupted=True, **named)

    assert fleet.code == code
    left = [each for each in fleet.rows if each.state == "not-begun"]
    assert all(each.why == "the run was interrupted before this drill" for each in left)


def test_a_failure_before_is_no_pass(make: Make, tmp_path: Path) -> None:
    """It is not due yet; nobody is alerted again, and nobody is told that all is well."""
    fleet = make(a="passed", b="still")
    leave(tmp_path, fleet, {})
    suites = ET.parse(tmp_path / "junit.xml").getroot()  # noqa: S314 - our own

    assert (fleet.verdict, fleet.code, tally(fleet)) == (
        "failed", 1, "2 databases: 1 failed, 1 passed",
    )  # fmt: skip
    assert ended_line(fleet.rows[0])[1] == (f"STILL FAILED   b  shop.dump, {FAILED.findings[0]}")
    plain = plain_of(fleet)
    (row,) = [each for each in plain["databases"] if each["state"] == "failed"]
    assert (plain["counts"]["failed"], row["still_failed"], row["backup"]) == (1, True, "shop.dump")
    assert ("restore-drill: b", "1") in [(each.get("name"), each.get("errors")) for each in suites]
    assert not messages(fleet, ["json://host"])
    assert make(b="still").code == 1


def test_nothing_is_green_before_it_has_ended(real: Mapping[str, Real]) -> None:
    """A database without an outcome counts as not begun, also while the run goes on."""
    fleet = Fleet(Path("fleet.toml"), {"a": SHOP, "b": SHOP})
    fleet.end(real["passed"].done("a"), 1)

    assert (fleet.verdict, fleet.code) == ("could-not-run", 6)
    assert tally(fleet) == "2 databases: 1 not begun, 1 passed"


@pytest.mark.parametrize(
    ("done", "state", "why"),
    [
        (Done("shop", 0, "w", 1.0), "could-not-run", "it ended with exit code 0"),
        (Done("shop", None, "w", 1.0), "could-not-run", "its worker was lost"),
        (Done("shop", 0, "w", 1.0, {"verdict": "passed"}), "could-not-run", "(KeyError)"),
        (Done("shop", 0, "w", 1.0, {"verdict": ["?"]}), "could-not-run", "cannot be read"),
    ],
)
def test_a_result_that_is_none_proves_nothing(done: Done, state: str, why: str) -> None:
    """Exit code 0 alone is no pass."""
    outcome = outcome_of(SHOP, done, 1)

    assert outcome.state == state
    assert why in outcome.why


@pytest.mark.parametrize(("code", "state"), [(3, "could-not-run"), (None, "could-not-run"),
                                             (1, "failed"), (0, "passed")])  # fmt: skip
def test_a_pass_needs_its_exit_code(real: Mapping[str, Real], code: int, state: str) -> None:
    """A result that says passed, of a drill that broke down afterwards, is no pass."""
    good = real["passed"].done("shop")
    outcome = outcome_of(SHOP, Done("shop", code, "w", 1.0, good.result), 1)

    assert outcome.state == state
    assert bool(outcome.why) == (state != "passed")


@pytest.mark.parametrize(
    ("first", "second", "counts"),
    [
        ("could-not-run", "passed", "passed"),
        ("passed", "could-not-run", "passed"),
        ("passed", "failed", "failed"),
        ("failed", "passed", "failed"),
    ],
)
def test_no_verdict_is_lost_or_counted_twice(
    real: Mapping[str, Real], first: str, second: str, counts: str
) -> None:
    """A worker that comes back late may tell of the same drill again."""
    fleet = Fleet(Path("fleet.toml"), {"shop": SHOP})
    fleet.end(real[first].done("shop"), 1)
    fleet.end(real[second].done("shop"), 2)
    fleet.leave("shop", "cancelled")

    assert [each.state for each in fleet.rows] == [counts]


def test_reasons_are_short_and_without_secrets() -> None:
    """What a runner says of an error may hold whatever the inventory holds."""
    database = Database(
        "shop", "fleet.toml:1", backups="sftp://me:s3cr3t-w0rd@host/x", notify=(f"json://h/{SECRET}",),
        environment={"PGPASSWORD": "letm31n-please", "DATABASE_URL": "postgres://u:dbpassw0rd@h/d"},
    )  # fmt: skip
    secrets = ("s3cr3t-w0rd", SECRET, "letm31n-please", "dbpassw0rd")
    done = Done("shop", 6, "w", 1.0, why=f"\x1b[31m{' '.join(secrets)}\n" + "x" * 900)

    why = outcome_of(database, done, 1).why

    assert not [each for each in secrets if each in why]
    assert why.startswith("\\x1b[31m***") and len(why) == 300 and why.isprintable()
