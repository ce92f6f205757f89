"""The criteria file: what it may say, and how each mistake in it is told."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from restore_drill.config.criteria import Criteria, Freshness, Waiver, load_criteria
from restore_drill.core.errors import UsageError

WAIVER = '[[waivers]]\ncriterion = "test_x[a]"\nreason = "r"\nexpires = 2027-01-31\n'


def read(folder: Path, text: str) -> Criteria:
    """Criteria of a file with `text` in `folder`."""
    path = folder / "criteria.toml"
    path.write_text(text)
    return load_criteria(path)


@pytest.mark.parametrize(
    "text",
    [
        '"purchases.bought_at" = "26h"',
        'purchases.bought_at = "26h"',
        '"public.purchases.bought_at" = "1d 2h"',
        '"public.purchases".bought_at = 93600',
        'public.purchases.bought_at = "26h"',
    ],
)
def test_freshness_is_read_in_every_spelling(tmp_path: Path, text: str) -> None:
    """A column is named with or without its schema, quoted or in TOML's dotted form."""
    criteria = read(tmp_path, f"[freshness]\n{text}\n")

    fresh = Freshness("public", "purchases", "bought_at", 93600.0)
    assert criteria.freshness == {"public.purchases.bought_at": fresh}


def test_sql_folder_counts_from_the_file(tmp_path: Path) -> None:
    """The folder of SQL criteria lies beside the criteria file; without one there is a timeout."""
    (tmp_path / "checks").mkdir()

    criteria = read(tmp_path, '[sql]\nfolder = "checks"\ntimeout = "2min"\n')

    assert criteria.sql_folder == (tmp_path / "checks").resolve()
    assert criteria.sql_timeout == 120
    assert read(tmp_path, "").sql_folder is None
    assert read(tmp_path, "").sql_timeout == 30


def test_waivers_are_read(tmp_path: Path) -> None:
    """A waiver has a criterion, a reason and its last day."""
    assert read(tmp_path, WAIVER).waivers == (Waiver("test_x[a]", "r", date(2027, 1, 31)),)


@pytest.mark.parametrize(
    ("criterion", "nodeid", "is_named"),
    [
        ("test_x[public.cards]", "drill/test_a.py::test_x[public.cards]", True),
        ("drill/test_a.py::test_x[public.cards]", "drill/test_a.py::test_x[public.cards]", True),
        ("drill/test_b.py::test_x[public.cards]", "drill/test_a.py::test_x[public.cards]", False),
        ("test_x[public.*]", "drill/test_a.py::test_x[public.cards]", True),
        ("test_x[public.card?]", "drill/test_a.py::test_x[public.cards]", True),
        ("test_x[*]", "drill/test_a.py::test_xy[public.cards]", False),
        ("test_x", "drill/test_a.py::test_x[public.cards]", False),
        ("test_x[cards]", "drill/test_a.py::test_xc", False),
        ("no_free_cards", "drill/sql/no_free_cards.sql::no_free_cards", True),
    ],
)
def test_a_waiver_names_criteria_by_id(criterion: str, nodeid: str, *, is_named: bool) -> None:
    """Brackets stand for themselves; a star is wild."""
    assert Waiver(criterion, "r", date(2027, 1, 31)).names(nodeid) is is_named


def test_a_waiver_holds_through_its_last_day() -> None:
    """It expires when its last day is over."""
    waiver = Waiver("test_x", "r", date(2027, 1, 31))

    assert not waiver.has_expired(date(2027, 1, 31))
    assert waiver.has_expired(date(2027, 2, 1))


MISTAKES = {
    "unknown section": (
        "[freshnes]\n",
        "the file: unknown key 'freshnes'; did you mean 'freshness'?",
    ),
    "one part": (
        '[freshness]\nbought_at = "1h"\n',
        "[freshness]: 'bought_at' is no 'table.column'",
    ),
    "four parts": (
        '[freshness]\n"a.b.c.d" = "1h"\n',
        "[freshness]: 'a.b.c.d' is no 'table.column'",
    ),
    "empty part": ('[freshness]\n"a." = "1h"\n', "[freshness]: 'a.' is no 'table.column'"),
    "no age": ('[freshness]\n"a.b" = "soon"\n', "[freshness]: a.b is no duration: 'soon'"),
    "zero age": ('[freshness]\n"a.b" = 0\n', "a.b must be an age like '26h', not 0"),
    "list": ("freshness = []\n", "[freshness]: must be a table, not []"),
    "sql key": ('[sql]\nfolders = "a"\n', "[sql]: unknown key 'folders'; did you mean 'folder'?"),
    "sql folder type": ("[sql]\nfolder = 3\n", "[sql]: folder is missing: the name of a folder"),
    "sql timeout": ('[sql]\ntimeout = "long"\n', "[sql]: timeout is no duration: 'long'"),
    "waiver table": (
        '[waivers]\nreason = "r"\n',
        "waivers: write each as a table of its own, under [[waivers]]",
    ),
    "waiver key": (
        WAIVER + "expiry = 1\n",
        "[[waivers]] test_x[a]: unknown key 'expiry'; did you mean 'expires'?",
    ),
    "no criterion": ('[[waivers]]\nreason = "r"\n', "[[waivers]]: criterion is missing"),
    "no reason": (WAIVER.replace('"r"', '" "'), "[[waivers]] test_x[a]: reason is missing"),
    "no expiry": (
        WAIVER.replace("expires = 2027-01-31", ""),
        "expires is missing; write its last day",
    ),
    "expiry as text": (
        WAIVER.replace("2027-01-31", "'2027-01-31'"),
        "expires is no date: '2027-01-31'",
    ),
    "expiry with time": (WAIVER.replace("2027-01-31", "2027-01-31T10:00:00"), "expires is no date"),
    "wild name": (WAIVER.replace("test_x[a]", "test_*"), "wild inside its brackets only"),
    "all": (WAIVER.replace("test_x[a]", "*"), "a waiver names one criterion"),
    "complete": (
        WAIVER.replace("test_x[a]", "test_backup_is_complete"),
        "test_backup_is_complete cannot be waived",
    ),
    "rows": (
        WAIVER.replace("test_x[a]", "drill/test_tables.py::test_database_has_rows"),
        "cannot be waived",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, case: str) -> None:
    """A mistake is a usage error that names file and section."""
    text, words = MISTAKES[case]

    with pytest.raises(UsageError) as told:
        read(tmp_path, text)

    assert str(told.value).startswith(f"criteria file {tmp_path / 'criteria.toml'}")
    assert words in str(told.value)


@pytest.mark.parametrize("name", ["criteria.toml", "sample.toml"])
def test_shipped_files_are_right(name: str) -> None:
    """The criteria files that come with the drill can be read."""
    path = Path(__file__).parents[2] / "drill" / name

    assert load_criteria(path).path == path


def test_examples_in_the_shipped_file_are_right(tmp_path: Path) -> None:
    """What stands in comments of drill/criteria.toml works when it is uncommented."""
    (tmp_path / "sql").mkdir()
    shipped = (Path(__file__).parents[2] / "drill" / "criteria.toml").read_text()

    criteria = read(tmp_path, re.sub(r'^# (?=\[|[\w".]+ = )', "", shipped, flags=re.MULTILINE))

    assert set(criteria.tables) == {"public.cards", "billing.invoices"}
    assert set(criteria.facts) == {"revenue"}
    assert set(criteria.freshness) == {"public.purchases.bought_at"}
    assert criteria.sql_folder == (tmp_path / "sql").resolve()
    waived = [waiver.criterion for waiver in criteria.waivers]
    assert waived == ["test_foreign_keys_hold[public.cards]"]
