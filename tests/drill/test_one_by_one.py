"""One item that asks about many tables: what it says of each, in the drill in small."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.together import MANY
from restore_drill.results.findings import MOST_ALIKE
from restore_drill.results.grouped import MOST
from tests.helpers.mini_drill import Done, drill, make_project_of_tables

TABLES = 2 * MANY
CRITERION = "test_table_holds"

CRITERIA = '''
"""A criterion over many tables, each of which does what MODE says."""

import os

import pytest

from fixtures.together import MANY, give
from restore_drill.core.errors import CouldNotRun

MODE = os.environ["MODE"]
TABLES = {f"public.t{n:03}": n for n in range(2 * MANY)}
NO_SERVER = CouldNotRun("the server has gone")


def pytest_generate_tests(metafunc):
    if "number" in metafunc.fixturenames:
        give(metafunc, "number", TABLES)


@pytest.fixture(scope="session")
def restored(record):
    record.sample = False
    return record


@pytest.mark.verify
@pytest.mark.reads_rows
def test_table_holds(number, restored):
    """A table holds."""
    if MODE == "mixed" and number in (20, 21, 22):
        pytest.skip("it has no rows to look at")
    if MODE == "mixed" and number == 30:
        pytest.skip("it is a view")
    if MODE == "mixed" and number == 40:
        raise CouldNotRun("nobody can say")
    if MODE == "gone" and number >= 50:
        raise NO_SERVER
    if MODE == "skipped":
        pytest.skip("the rows are out of reach")
    if MODE == "interrupt" and number == 100:
        raise KeyboardInterrupt
    lost = MODE == "lost" or (MODE in ("mixed", "interrupt") and number in (3, 7))
    assert not lost, f"table {number} is lost"


@pytest.fixture
def fresh():
    return []


@pytest.mark.verify
def test_table_is_alone(number, fresh):
    """A fixture is made anew for each table."""
    fresh.append(number)
    assert fresh == [number]
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A drill in small with the criterion over many tables."""
    return make_project_of_tables(tmp_path / "project", CRITERIA)


def outcomes_of(done: Done) -> dict[str, tuple[str, int]]:
    """Outcome of each check of the criterion by what stands in its brackets, with its count."""
    return {
        check["id"].partition("[")[2].removesuffix("]"): (check["outcome"], check.get("count", 0))
        for check in done.result["checks"]
        if CRITERION in check["id"]
    }


def test_all_tables_that_hold_are_one_criterion(project: Path) -> None:
    """They are counted one by one, and JUnit has one case, with their number."""
    done = drill(project, "drill", "-k", CRITERION, mode="fine")

    assert done.code == 0, done.out
    assert outcomes_of(done) == {"*": ("passed", TABLES)}
    assert done.result["counts"]["passed"] == TABLES
    assert done.result["rows_read"]
    (case,) = done.suite.iterfind("testcase")
    assert case.attrib["name"] == f"{CRITERION}[*]"
    assert [each.attrib for each in case.iter("property")] == [
        {"name": "tables", "value": str(TABLES)}
    ]


def test_each_table_that_does_not_hold_is_reported_by_itself(project: Path) -> None:
    """A failure, an error and those that are skipped: under their own ids, with their messages."""
    done = drill(project, "drill", "-k", CRITERION, mode="mixed")

    assert done.code == 1, done.out
    assert outcomes_of(done) == {
        "*": ("passed", TABLES - 7),
        "public.t003": ("failed", 0),
        "public.t007": ("failed", 0),
        "public.t040": ("error", 0),
        "* public.t020 and 2 more": ("skipped", 3),
        "public.t030": ("skipped", 0),
    }
    counts = done.result["counts"]
    assert [counts[each] for each in ("criteria", "passed", "failed", "error", "skipped")] == [
        TABLES, TABLES - 7, 2, 1, 4,
    ]  # fmt: skip
    messages = {check["id"]: check["message"] for check in done.result["checks"]}
    assert messages[f"drill/test_small.py::{CRITERION}[public.t007]"] == "table 7 is lost"
    assert f"{CRITERION}[public.t003]: table 3 is lost" in done.out
    whys = {entry["why"]: entry["what"] for entry in done.result["not_checked"]}
    assert whys["it has no rows to look at"] == "whether a table holds (3 criteria)"
    found = done.suite.iterfind("testcase")
    cases = {each.attrib["name"]: [child.tag for child in each] for each in found}
    assert cases[f"{CRITERION}[public.t003]"] == ["failure"]
    assert cases[f"{CRITERION}[public.t040]"] == ["error"]
    assert [done.suite.attrib[each] for each in ("failures", "errors", "skipped")] == list("212")


def test_many_that_fail_are_all_in_the_files_and_few_on_the_terminal(project: Path) -> None:
    """Every lost table is in result.json and in JUnit; page and terminal stay short."""
    done = drill(project, "drill", "-k", CRITERION, mode="lost")

    assert done.code == 1
    assert {outcome for outcome, _ in outcomes_of(done).values()} == {"failed"}
    assert len(outcomes_of(done)) == TABLES == done.result["counts"]["failed"]
    assert done.suite.attrib["failures"] == str(TABLES)
    steps = done.out.partition("RESTORE DRILL FAILED")[0]
    assert steps.count("is lost") == MOST_ALIKE
    assert f"{CRITERION}: {TABLES - MOST_ALIKE} more tables, in the reports" in done.out
    page = done.page.read_text("utf-8")
    assert f"{TABLES - MOST} more: result.json has all" in page
    assert f"table {MOST - 1} is lost" in page
    assert f"table {MOST} is lost" not in page


def test_tables_that_are_all_skipped_are_one_criterion(project: Path) -> None:
    """For the one reason, which stands there once."""
    done = drill(project, "drill", "-k", CRITERION, mode="skipped")

    assert done.code != 0
    assert outcomes_of(done) == {"*": ("skipped", TABLES)}
    (why,) = [each for each in done.result["not_checked"] if "out of reach" in each["why"]]
    assert why["what"] == f"whether a table holds ({TABLES} criteria)"


def test_what_ends_the_drill_is_reported_once(project: Path) -> None:
    """The first table that meets it reports it; all that come after were not reached."""
    done = drill(project, "drill", "-k", CRITERION, mode="gone")

    assert done.code == 6, done.out
    rest = TABLES - 51
    assert outcomes_of(done) == {
        "*": ("passed", 50),
        "public.t050": ("error", 0),
        f"* public.t051 and {rest - 1} more": ("skipped", rest),
    }
    assert f"Not run because of this: {rest} criteria" in done.out


def test_interrupt_leaves_what_was_found(project: Path) -> None:
    """Tables that failed before it are reported, and the others count as not run."""
    done = drill(project, "drill", "-k", CRITERION, mode="interrupt")

    assert done.code == 2
    assert outcomes_of(done) == {"public.t003": ("failed", 0), "public.t007": ("failed", 0)}
    assert done.result["counts"]["not_run"] == TABLES - 2


@pytest.mark.parametrize(
    ("option", "bad", "passed", "not_run"),
    [("-x", 1, 3, TABLES - 4), ("--maxfail=2", 2, 6, TABLES - 8),
     ("--maxfail=9", 3, TABLES - 7, 0)],
)  # fmt: skip
def test_first_failures_end_the_drill_where_that_is_asked_for(
    project: Path, option: str, bad: int, passed: int, not_run: int
) -> None:
    """No more tables are asked about then, as if each were an item: these were not run."""
    done = drill(project, "drill", "-k", CRITERION, option, mode="mixed")

    found = [name for name, (word, _) in outcomes_of(done).items() if word in ("failed", "error")]
    assert done.code == 1
    assert found == ["public.t003", "public.t007", "public.t040"][:bad]
    counts = done.result["counts"]
    assert (counts["criteria"], counts["passed"], counts["not_run"]) == (TABLES, passed, not_run)
    assert all("name" in case.attrib for case in done.suite.iterfind("testcase"))


def test_stepwise_goes_on_with_the_table_that_has_failed(project: Path) -> None:
    """It is asked about first, and none of the others is forgotten once it holds."""
    stepwise = ("-p", "cacheprovider", "-p", "stepwise", "--sw")
    for _ in range(3):
        done = drill(project, "drill", "-k", CRITERION, *stepwise, mode="mixed")
        bad = [name for name, (word, _) in outcomes_of(done).items() if word == "failed"]
        assert bad == ["public.t003"]

    done = drill(project, "drill", "-k", CRITERION, *stepwise, mode="fine")
    assert outcomes_of(done) == {"public.t003": ("passed", 0), "*": ("passed", TABLES - 1)}


def test_criterion_with_a_fixture_of_its_own_is_an_item_for_each_table(project: Path) -> None:
    """What is made anew for each criterion is made anew for each table."""
    done = drill(project, "drill", "-k", "alone and (t00 or t010)", mode="fine")

    names = {check["id"].rpartition("::")[2] for check in done.result["checks"]}
    assert names == {f"test_table_is_alone[public.t{number:03}]" for number in range(11)}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["drill", "-k", "holds"], ["*"]),
        (["drill", "-k", "holds and t007"], ["public.t007"]),
        (["drill", "-k", "holds and PUBLIC"], ["* public"]),
        (["drill", "-k", "holds and not public.t007"], ["*"]),
        (["drill", "-k", "tables"], []),
        (["drill", "-k", "holds", "--deselect", f"drill/test_small.py::{CRITERION}[public.t1"],
         ["*"]),
        ([f"drill/test_small.py::{CRITERION}[public.t007]"], ["public.t007"]),
        ([f"drill/test_small.py::{CRITERION}"], ["*"]),
        ([f"drill/test_small.py::{CRITERION}[*]"], ["*"]),
    ],
)  # fmt: skip
def test_what_the_command_line_names_is_an_item(
    project: Path, arguments: list[str], expected: list[str]
) -> None:
    """`-k`, ids and `--deselect` find each table; all others stay together."""
    done = drill(project, "--collect-only", "-q", *arguments, mode="fine")

    found = [line for line in done.out.splitlines() if f"::{CRITERION}" in line]
    assert found == [f"drill/test_small.py::{CRITERION}[{each}]" for each in expected]
