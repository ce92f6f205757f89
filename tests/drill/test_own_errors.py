"""Errors in a team's own criteria: what failed, where, what to do next, and no row data."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.helpers.drills import Drill, run_drill

CRITERIA = '''"""Criteria with an error each."""

import pytest


def test_fixture(restored_conection):
    assert restored_conection


def test_names(restored_connection):
    restored_connection.execute("SELECT title FROM public.crads")


def test_value(restored_connection):
    restored_connection.execute("SELECT name::int FROM public.artists").fetchall()


def test_rows(restored_connection):
    found = restored_connection.execute("SELECT name FROM public.artists").fetchall()
    assert found == []


def test_key(restored_connection):
    (name,) = restored_connection.execute("SELECT name FROM public.artists LIMIT 1").fetchone()
    {}[name]


def test_slow(restored_connection):
    restored_connection.execute("SELECT pg_sleep(60)")


def test_worded(restored_connection):
    pytest.fail("no order in the last week")
'''
MESSAGES = {
    "test_fixture": ":6: there is no fixture 'restored_conection'; did you mean 'restored_connect",
    "test_names": ':11: relation "public.crads" does not exist (undefined_table, SQLSTATE 42P01)',
    "test_value": ":15: invalid_text_representation (SQLSTATE 22P02)",
    "test_rows": ":20: the assertion does not hold, and has no message",
    "test_key": ":25: KeyError",
    "test_slow": ":29: a statement was stopped: it took too long, or was cancelled",
}


def drilled(folder: Path, text: str) -> Drill:
    """A drill of the sample by the criteria in `text` alone; SQL may take half a second."""
    (folder / "checks").mkdir()
    (folder / "checks" / "test_own.py").write_text(text)
    (folder / "own.toml").write_text('[sql]\ntimeout = "0.5s"\n')
    wanted = (str(folder / "checks"), "-k", "test_own", f"--criteria={folder / 'own.toml'}")
    return run_drill(*wanted, report_dir=folder / "reports")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Drill:
    """A drill with an error of each kind."""
    return drilled(tmp_path_factory.mktemp("own"), CRITERIA)


@pytest.mark.parametrize("name", MESSAGES)
def test_an_error_is_named_with_its_place_and_a_remedy(own: Drill, name: str) -> None:
    """The same words in result.json and, without a traceback, on the terminal."""
    (check,) = (each for each in own.result["checks"] if each["id"].endswith(f"::{name}"))
    first, *rest = check["message"].splitlines()

    assert MESSAGES[name] in first and "test_own.py" in first, check
    assert rest[-1].lstrip().startswith(("1. ", "2. "))
    assert f"{name}: {first}" in own.output
    assert "Traceback" not in own.output


def test_no_row_stands_in_a_report(own: Drill) -> None:
    """Neither of an assertion's sides, nor what an exception quotes; own words stay."""
    reports = own.output + "".join(
        (own.report_dir / name).read_text("utf-8")
        for name in ("result.json", "junit.xml", "report.html")
    )

    assert own.failed["test_worded"] == "no order in the last week"
    assert "KeyError" in reports and "KeyError:" not in reports
    assert not re.search(r"artist \d", reports)


def test_a_module_that_cannot_be_imported_is_named(tmp_path: Path) -> None:
    """Exit 6, the line, and what is missing."""
    drill = drilled(tmp_path, '"""Criteria."""\n\nimport not_installed_here\n')

    assert drill.code == 6, drill.output
    assert (
        "test_own.py:3: ModuleNotFoundError: No module named 'not_installed_here'" in drill.output
    )
    assert "install the package for the Python that runs the drill" in drill.output
    assert "Traceback" not in drill.output
