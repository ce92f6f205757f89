"""The criteria file: what it may say, how an error in it is reported, and its JSON Schema."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker

from restore_drill.config.criteria import Criteria, Freshness, Waiver, load_criteria
from restore_drill.core.errors import UsageError
from tests.helpers.options_table import SCHEMA, schema_text

SHIPPED = Path(__file__).parents[2] / "drill"
WAIVER = '[[waivers]]\ncriterion = "test_x[a]"\nreason = "r"\nexpires = 2027-01-31\n'


def read(folder: Path, text: str) -> Criteria:
    """Criteria of a file with `text` in `folder`."""
    path = folder / "criteria.toml"
    path.write_text(text)
    return load_criteria(path)


RULE = "[[redis.coherence]]\nkeys = \"card:{id}\"\ntable = 'cards'\n"


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


ERRORS = {
    "unknown section": (
        "[freshnes]\n",
        "the file: unknown key 'freshnes'; did you mean 'freshness'?",
    ),
    "one part": (
        '[freshness]\nbought_at = "1h"\n',
        "[freshness]: 'bought_at' is not a 'table.column'",
    ),
    "four parts": (
        '[freshness]\n"a.b.c.d" = "1h"\n',
        "[freshness]: 'a.b.c.d' is not a 'table.column'",
    ),
    "empty part": ('[freshness]\n"a." = "1h"\n', "[freshness]: 'a.' is not a 'table.column'"),
    "no age": ('[freshness]\n"a.b" = "soon"\n', "[freshness]: a.b is not a duration: 'soon'"),
    "zero age": ('[freshness]\n"a.b" = 0\n', "a.b must be an age like '26h', not 0"),
    "list": ("freshness = []\n", "[freshness]: must be a table, not a list;"),
    "sql key": ('[sql]\nfolders = "a"\n', "[sql]: unknown key 'folders'; did you mean 'folder'?"),
    "sql folder type": (
        "[sql]\nfolder = 3\n",
        "[sql]: folder must be the name of a folder in quotes",
    ),
    "sql timeout": ('[sql]\ntimeout = "long"\n', "[sql]: timeout is not a duration: 'long'"),
    "waiver table": (
        '[waivers]\nreason = "r"\n',
        "waivers: write each one as a separate table, under [[waivers]]",
    ),
    "waiver key": (
        WAIVER + "expiry = 1\n",
        "[[waivers]] test_x[a]: unknown key 'expiry'; did you mean 'expires'?",
    ),
    "rule key": (
        RULE + "colum = 'id'\n",
        "[[redis.coherence]] card:{id}: unknown key 'colum'; did",
    ),
    "rule table": ("[redis]\ncoherence = 1\n", "a separate table, under [[redis.coherence]]"),
    "rule of no table": (RULE.replace("table", "# table"), "table is missing: the table of the"),
    "direction": (RULE + "direction = 'row'\n", "direction is 'row'; did you mean 'rows'?"),
    "no placeholder": (
        RULE.replace("{id}", "id"),
        "'card:id' has no placeholder; a placeholder is",
    ),
    "open brace": (RULE.replace("{id}", "{id"), "'card:{id': a placeholder is a name in braces"),
    "no name": (RULE.replace("{id}", "{}"), "'card:{}': a placeholder is a name in braces"),
    "formatted": (RULE.replace("{id}", "{id:3}"), "'card:{id:3}': a placeholder is a name in"),
    "same twice": (RULE.replace("{id}", "{id}:{id}"), "'card:{id}:{id}' has {id} twice"),
    "nothing between": (RULE.replace("{id}", "{a}{b}"), "nothing stands between {a} and {b}"),
    "control character": (RULE.replace("{id}", "\\u0007{id}"), "keys has a control character"),
    "columns": (
        RULE + "column = ['a', 'b']\n",
        "as many columns as keys has placeholders, not a, b",
    ),
    "no columns": (RULE + "column = []\n", "column must be a column, or a list of columns: []"),
    "except": (RULE + "except = 'a'\n", "except must be a list of patterns of keys"),
    "field alone": (
        RULE + "field = 'price'\n",
        "field also needs equals, the column that price must",
    ),
    "path": (RULE + "field = '$..price'\nequals = 'a'\n", "'$..price' is not a path of names and"),
    "where alone": (RULE + "where = 'sold'\n", "it needs direction = 'rows' or 'both'"),
    "tolerance": (RULE + "tolerance = 5\n", "tolerance must be a share like 0.1, not 5"),
    "number": (RULE + "database = -1\n", "database must be a whole number, not -1"),
    "second rule": (RULE + RULE, "[[redis.coherence]]: a second rule for card:{id}"),
    "lifetime": ('[redis.volatile]\n"a:*" = "soon"\n', "[redis.volatile]: a:* is not a duration"),
    "no criterion": ('[[waivers]]\nreason = "r"\n', "[[waivers]]: criterion is missing"),
    "no reason": (WAIVER.replace('"r"', '" "'), "[[waivers]] test_x[a]: reason must not be empty"),
    "no expiry": (
        WAIVER.replace("expires = 2027-01-31", ""),
        "expires is missing; write its last day",
    ),
    "expiry as text": (
        WAIVER.replace("2027-01-31", "'2027-01-31'"),
        "expires is not a date: '2027-01-31'",
    ),
    "expiry with time": (
        WAIVER.replace("2027-01-31", "2027-01-31T10:00:00"),
        "expires is not a date",
    ),
    "wild name": (WAIVER.replace("test_x[a]", "test_*"), "wildcards only inside its brackets"),
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


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_is_named_with_its_place(tmp_path: Path, case: str) -> None:
    """It is a usage error that names file and section."""
    text, words = ERRORS[case]

    with pytest.raises(UsageError) as raised:
        read(tmp_path, text)

    assert str(raised.value).startswith(f"criteria file {tmp_path / 'criteria.toml'}")
    assert words in str(raised.value)


LINES = {
    "key of an entry": ("[tables]\n# min_row\n\ncards = { min_row = 1 }\n", 4),
    "section": ("[sql]\n\n[freshnes]\n", 3),
    "value of several lines": ('[facts.a]\nmin = 1\nsql = """\nSELECT 1\n"""\nmax = "a"\n', 6),
    "list of several lines": ("[tables.a]\nreferences = [\n  1,\n]\n", 2),
    "dotted key": ('[budgets]\n\n[freshness]\n"x.y" = "1h"\na.b = "soon"\n', 5),
    "quoted name": ('[tables]\n"a.b" = { min_rows = "x" }\n', 2),
    "second of a list": (f"{WAIVER}\n{WAIVER.replace('2027-01-31', '1')}", 9),
    "second rule": (f"{RULE}\n{RULE}direction = 1\n", 8),
    "missing key": ("[facts]\n\n[facts.a]\nmin = 1\n", 3),
    "no bound": ("[facts]\n[facts.a]\nsql = 'SELECT 1'\n", 2),
}


@pytest.mark.parametrize("case", LINES)
def test_an_error_is_named_with_its_line(tmp_path: Path, case: str) -> None:
    """It is the line on which the key begins, or that of the table which lacks it."""
    text, line = LINES[case]

    with pytest.raises(UsageError, match=rf"criteria\.toml, line {line}, "):
        read(tmp_path, text)


def test_schema_beside_the_criteria_file_is_that_of_the_code() -> None:
    """`make docs` has written it, and editors find it by the first line of the file."""
    assert SCHEMA.read_text(encoding="utf-8") == schema_text()
    for name in ("criteria.toml", "sample.toml"):
        first = (SHIPPED / name).read_text(encoding="utf-8").splitlines()[0]
        assert first == f"#:schema ./{SCHEMA.name}"


def faults(text: str) -> list[str]:
    """What the JSON Schema finds wrong with a file of `text`; dates are texts, as in editors."""
    raw: Any = json.loads(json.dumps(tomllib.loads(text), default=str))
    checker = Draft7Validator(json.loads(schema_text()), format_checker=FormatChecker(["date"]))
    return [error.message for error in checker.iter_errors(raw)]


BEYOND_A_SCHEMA = (
    "one part",
    "four parts",
    "empty part",
    "zero age",
    "expiry as text",
    "wild name",
    "no placeholder",
    "open brace",
    "no name",
    "formatted",
    "same twice",
    "nothing between",
    "control character",
    "columns",
    "field alone",
    "path",
    "where alone",
    "second rule",
)
"""Errors of names and of the drill's own rules."""


@pytest.mark.parametrize(
    "case", sorted(ERRORS.keys() - {*BEYOND_A_SCHEMA, "all", "complete", "rows"})
)
def test_editors_see_the_same_errors(case: str) -> None:
    """What the drill refuses the schema refuses too, as far as a schema can."""
    assert faults(ERRORS[case][0])


@pytest.mark.parametrize("name", ["criteria.toml", "sample.toml"])
def test_editors_see_none_in_the_shipped_files(name: str) -> None:
    """Nor in their examples, when they are uncommented."""
    text = (SHIPPED / name).read_text(encoding="utf-8")

    assert not faults(text)
    assert not faults(uncommented(text))


def uncommented(text: str) -> str:
    """A criteria file with its examples in force."""
    return re.sub(r'^# (?=\[|[\w".]+ = )', "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("name", ["criteria.toml", "sample.toml"])
def test_shipped_files_are_right(name: str) -> None:
    """The criteria files that come with the drill can be read."""
    path = SHIPPED / name

    assert load_criteria(path).path == path


def test_examples_in_the_shipped_file_are_right(tmp_path: Path) -> None:
    """What stands in comments of drill/criteria.toml works when it is uncommented."""
    (tmp_path / "sql").mkdir()
    shipped = (SHIPPED / "criteria.toml").read_text()

    criteria = read(tmp_path, uncommented(shipped))

    assert set(criteria.tables) == {"public.cards", "billing.invoices"}
    assert set(criteria.facts) == {"revenue"}
    assert set(criteria.freshness) == {"public.purchases.bought_at"}
    assert criteria.sql_folder == (tmp_path / "sql").resolve()
    waived = [waiver.criterion for waiver in criteria.waivers]
    assert waived == ["test_foreign_keys_hold[public.cards]"]
