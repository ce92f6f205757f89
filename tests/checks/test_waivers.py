"""Waivers: a known finding is reported and does not fail, until the day that its waiver names."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from restore_drill.checks.waivers import Waivers
from restore_drill.config.criteria import Waiver
from tests.helpers.drills import Drill, run_drill
from tests.helpers.shop import Shops, fill_shop, pg_dump

TODAY = datetime.now(UTC).date()
NEXT_MONTH = TODAY + timedelta(days=30)
LAST_MONTH = TODAY - timedelta(days=30)

TABLES = """
[tables]
artists = { min_rows = 1000 }
cards = { min_rows = 1000 }
purchases = {}
"""
CARDS = "test_table_has_rows[public.cards]"
ARTISTS = "test_table_has_rows[public.artists]"
EVERY_ROW = "test_table_has_every_row"
CARDS_TOLD = "public.cards has 50 rows, expected at least 1,000"


def waiver(criterion: str, reason: str = "ticket 12", days: int = 30) -> str:
    """A waiver in TOML that expires in so many days."""
    expires = TODAY + timedelta(days=days)
    return f'[[waivers]]\ncriterion = "{criterion}"\nreason = "{reason}"\nexpires = {expires}\n'


def drill_with(folder: Path, *waivers: str, tables: str = TABLES, select: str = "tables") -> Drill:
    """Drill of the sample with `waivers`."""
    criteria = folder / "criteria.toml"
    criteria.write_text(tables + "".join(waivers))
    return run_drill(
        f"--criteria={criteria}",
        "--sample-rows=50",
        "-k",
        select,
        report_dir=folder / "report",
        GITHUB_STEP_SUMMARY=str(folder / "summary.md"),
    )


@pytest.fixture(scope="module")
def waived(tmp_path_factory: pytest.TempPathFactory) -> Drill:
    """A drill whose only finding is waived, with waivers beside it that do nothing."""
    return drill_with(
        tmp_path_factory.mktemp("waived"),
        waiver("test_table_has_rows[public.car*]", "the <shop> is small, ticket 12"),
        waiver("test_table_has_row[public.cards]"),
        waiver(EVERY_ROW),
        waiver(f"{EVERY_ROW}[*]"),
        waiver("test_foreign_keys_hold[public.cards]", days=-1),
        tables=TABLES.replace("artists = { min_rows = 1000 }", ""),
    )


def test_a_waived_finding_does_not_fail(waived: Drill) -> None:
    """The drill passes, and the check carries its finding with the waiver's reason and date."""
    check = next(check for check in waived.result["checks"] if check["outcome"] == "waived")

    assert waived.code == 0, waived.output
    assert waived.verdict == "sample"
    assert check["id"] == f"drill/test_tables.py::{CARDS}"
    assert check["message"].splitlines()[0] == CARDS_TOLD
    assert check["waiver"] == {
        "reason": "the <shop> is small, ticket 12",
        "expires": str(NEXT_MONTH),
    }
    assert not any(CARDS in entry["what"] for entry in waived.result["not_checked"])


def test_a_waived_finding_is_never_silent(waived: Drill) -> None:
    """It stands on the terminal, in the page, in junit.xml and in the summary."""
    told = f"! Waived until {NEXT_MONTH}: {CARDS}: {CARDS_TOLD} (the <shop> is small, ticket 12)"
    page = (waived.report_dir / "report.html").read_text()
    junit = ET.parse(waived.report_dir / "junit.xml")  # noqa: S314
    skipped = [
        case.find("skipped") for case in junit.iter("testcase") if case.attrib["name"] == CARDS
    ]
    summary = (waived.report_dir.parent / "summary.md").read_text()

    assert waived.output.count(told) == 2
    assert "Data verification passed" not in waived.output
    assert "1 waived" in page
    assert f"Waived until {NEXT_MONTH}: the &lt;shop&gt; is small, ticket 12" in page
    assert "that ran passed; 1 known finding waived; 3 warnings: the drill works here." in page
    assert [each.attrib["type"] for each in skipped if each is not None] == ["pytest.xfail"]
    assert "the &lt;shop&gt; is small, ticket 12" in summary


def test_a_waiver_that_does_nothing_is_reported(waived: Drill) -> None:
    """One that names no criterion, and one whose criteria hold, are noted."""
    notes = [note for note in waived.result["warnings"] if note.startswith("waiver for ")]

    names, holds = (
        "matches no criterion of this drill",
        "is no longer needed: nothing fails there any more",
    )
    assert notes == [
        f"waiver for 'test_table_has_row[public.cards]' {names}; did you mean '{CARDS}'?",
        f"waiver for {EVERY_ROW!r} {names}; did you mean '{EVERY_ROW}[*]'?",
        f"waiver for '{EVERY_ROW}[*]' {holds}; remove it",
    ]
    assert all(f"! W{note[1:]}" in waived.output for note in notes)


def test_an_expired_waiver_fails(tmp_path: Path) -> None:
    """A finding whose waiver has expired fails as ever, and says when that was."""
    drill = drill_with(
        tmp_path, waiver(CARDS, "ticket 12", days=-30), waiver(ARTISTS, "ticket 13", days=0)
    )

    assert drill.code == 1, drill.output
    assert set(drill.failed) == {CARDS}
    assert drill.failed[CARDS].splitlines()[0] == CARDS_TOLD
    assert drill.failed[CARDS].splitlines()[-1] == (
        f"  its waiver expired on {LAST_MONTH} (ticket 12)"
    )
    assert f"! Waived until {TODAY}: {ARTISTS}: " in drill.output


def test_what_could_not_be_checked_is_not_waived(tmp_path: Path) -> None:
    """A waiver excuses a finding, not a backup that could not be restored at all."""
    damaged = tmp_path / "backup.sql"
    damaged.write_text(
        "--\n-- PostgreSQL database dump\n--\nCREATE TABLE public.cards (id integer);\n"
        "COPY public.cards (id) FROM stdin;\n1\n"
    )
    criteria = tmp_path / "criteria.toml"
    criteria.write_text("[tables]\ncards = {}\n" + waiver(CARDS))

    drill = run_drill(
        f"--criteria={criteria}", f"--backup={damaged}", "-k", "has_rows and cards",
        report_dir=tmp_path / "r",
    )  # fmt: skip

    assert drill.code == 1, drill.output
    assert CARDS in drill.failed
    assert "was not restored: it is damaged" in drill.output
    assert "no longer needed" not in drill.output


def test_a_waived_finding_alone_proves_nothing(tmp_path: Path) -> None:
    """A verdict rests on criteria that hold: a waived one is none."""
    drill = drill_with(tmp_path, waiver(CARDS), select="has_rows and cards")

    assert drill.verdict == "incomplete"
    assert "1 known finding waived" in drill.output


def test_what_everything_rests_on_cannot_be_waived(tmp_path: Path) -> None:
    """A waiver for a criterion without which a drill proves nothing is a usage error."""
    drill = drill_with(tmp_path, waiver("test_backup_is_complete"))

    assert drill.code == 4, drill.output
    assert "[[waivers]] test_backup_is_complete: test_backup_is_complete cannot be waived" in (
        drill.output
    )


def test_a_waiver_in_force_goes_before_one_that_has_expired() -> None:
    """A new waiver for the same criterion replaces the old one."""
    old, new = Waiver("test_x[*]", "old", LAST_MONTH), Waiver("test_x[a]", "new", NEXT_MONTH)
    waivers = Waivers((old, new), TODAY)

    assert waivers.of("drill/test_a.py::test_x[a]") == new
    assert waivers.of("drill/test_a.py::test_x[b]") == old
    assert waivers.of("drill/test_a.py::test_y[b]") is None


BROKEN = """
CREATE TABLE cards (n int, m int);
INSERT INTO cards VALUES (1, 1), (9, 8);
ALTER TABLE cards ADD CONSTRAINT n_small CHECK (n < 5) NOT VALID;
ALTER TABLE cards ADD CONSTRAINT m_small CHECK (m < 5) NOT VALID;
"""
N_SMALL, M_SMALL = (
    f"test_constraints_hold[public.cards.{name}]" for name in ("n_small", "m_small")
)


def test_a_waiver_names_a_single_constraint(shops: Shops, tmp_path: Path) -> None:
    """Of two constraints that rows break the waived one is reported, and the other one fails."""
    source = shops.database(15, "waived_constraints")
    fill_shop(source, BROKEN)
    dump = pg_dump(source, tmp_path / "cards.dump", "--format=custom")
    drills = {}
    for name, waivers in {"one": [N_SMALL], "both": [N_SMALL, M_SMALL]}.items():
        criteria = tmp_path / f"{name}.toml"
        more = [waiver("test_constraints_hold[public.cards.gone]")]
        criteria.write_text("".join([waiver(each) for each in waivers] + more))
        drills[name] = run_drill(
            f"--criteria={criteria}", f"--backup={dump}", "-k", "not redis",
            report_dir=tmp_path / name,
        )  # fmt: skip
    one, both = drills["one"], drills["both"]
    told = one.failed["test_constraints_hold[public.cards]"]
    waived = [check for check in both.result["checks"] if check["outcome"] == "waived"]

    assert (one.code, both.code) == (1, 0), one.output + both.output
    assert set(one.failed) == {"test_constraints_hold[public.cards]"}
    assert "checked: check m_small: 1 row violates it" in told
    assert f"check n_small: 1 row violates it is waived until {NEXT_MONTH} (ticket 12)" in told
    assert [check["id"] for check in waived] == [
        "drill/test_relations.py::test_constraints_hold[public.cards]"
    ]
    assert "check n_small: 1 row violates it" in waived[0]["message"]
    assert "check m_small: 1 row violates it" in waived[0]["message"]
    gone = "waiver for 'test_constraints_hold[public.cards.gone]' matches no table or constraint"
    assert any(note.startswith(gone) for note in both.result["warnings"])
