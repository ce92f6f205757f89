"""Criteria in SQL: their files, how they are picked, and that they fail for the right reasons."""

from __future__ import annotations

from pathlib import Path

import pytest

from restore_drill.checks.files import SqlCriterion, read_criterion, read_folder
from restore_drill.checks.run import Returned, run_query
from restore_drill.core.errors import UsageError
from restore_drill.servers.model import Target
from tests.helpers.drills import ROOT, Drill, run_drill
from tests.helpers.shop import Shops


def write(folder: Path, files: dict[str, str], settings: str = "") -> Path:
    """Criteria file in `folder`, with SQL criteria in `checks/` beside it."""
    (folder / "checks").mkdir()
    for name, text in files.items():
        (folder / "checks" / f"{name}.sql").write_text(text)
    path = folder / "criteria.toml"
    path.write_text(f'[sql]\nfolder = "checks"\n{settings}')
    return path


def test_header_is_read(tmp_path: Path) -> None:
    """Severity, description and tags stand in comments before the query, in any order."""
    text = (
        "-- a word first\n--tags: money,  prices\n\n-- severity: WARN\n-- description: No x: y.\n"
    )
    path = tmp_path / "free-cards_2.sql"
    path.write_text(f"\ufeff{text}SELECT 1 -- severity: none\n")

    found = read_criterion(path)

    assert (found.name, found.severity, found.tags) == (
        "free-cards_2",
        "warn",
        ("money", "prices"),
    )
    assert found.sentence == "No x: y."


def test_header_may_be_missing(tmp_path: Path) -> None:
    """A query alone is a criterion: it fails where it returns rows."""
    (tmp_path / "plain.sql").write_text("SELECT 1")

    found = read_criterion(tmp_path / "plain.sql")

    assert (found.severity, found.tags) == ("error", ())
    assert found.sentence == "The query in plain.sql returns no rows."


MISTAKES = {
    "unknown key": (
        "a.sql",
        b"-- ok\n-- severty: warn\nSELECT 1",
        "a.sql, line 2: unknown key 'severty'; did you mean 'severity'?",
    ),
    "other key": ("a.sql", b"-- owner: me\nSELECT 1", "unknown key 'owner'; known are severity"),
    "twice": ("a.sql", b"-- tags: a\n-- tags: b\nSELECT 1", "line 2: tags is given twice"),
    "severity": ("a.sql", b"-- severity: fatal\nSELECT 1", "severity is 'fatal'; choose one of"),
    "empty": ("a.sql", b"-- description: x\n/* SELECT 1 */ ;\n", "a.sql: holds no query"),
    "not text": ("a.sql", b"SELECT '\xff'", "is no UTF-8 text"),
    "name": ("a b.sql", b"SELECT 1", "a b.sql: rename it"),
    "folder": ("below/a.sql", b"SELECT 1", "a.sql: is in a subfolder"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_an_error_in_a_file_is_named(tmp_path: Path, case: str) -> None:
    """An error is a usage error that names file and line."""
    name, text, words = MISTAKES[case]
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(text)

    with pytest.raises(UsageError) as told:
        read_folder(tmp_path)

    assert str(told.value).startswith(f"SQL criterion {tmp_path}")
    assert words in str(told.value)


@pytest.fixture(scope="module")
def source(shops: Shops) -> Target:
    """The shop."""
    return shops.source(15)


def ask(target: Target, query: str, timeout: float = 10.0) -> Returned:
    """What `query` returns."""
    return run_query(target, SqlCriterion(Path("a.sql"), query), timeout)


@pytest.mark.parametrize(
    ("query", "rows", "columns"),
    [
        ("SELECT id FROM cards WHERE false", 0, ("id",)),
        ("SELECT id, title AS name FROM public.cards LIMIT 3; -- end", 3, ("id", "name")),
        ("SELECT id FROM cards LIMIT 100", 100, ("id",)),
        ("SELECT id FROM cards", 101, ("id",)),
        ("/* a; b */ (SELECT 1 AS one)", 1, ("one",)),
        ("WITH x AS (SELECT 1 AS a) SELECT * FROM x WHERE a LIKE '%s'", None, None),
        ("WITH x AS (SELECT 'a%b' AS a) SELECT * FROM x WHERE a LIKE '%s'", 0, ("a",)),
        ("VALUES (1), (2)", 2, ("column1",)),
        ("TABLE empty_table", 0, ("id",)),
        ("SELECT 'infinity'::timestamptz AS at", 1, ("at",)),
        ("SELECT 'ö' = 'ö' AS \"größe\" WHERE length('ö') > 1", 0, ("größe",)),
    ],
)
def test_rows_are_counted_up_to_a_hundred(
    source: Target, query: str, rows: int | None, columns: tuple[str, ...] | None
) -> None:
    """Any query that can be read is counted, whatever its values are."""
    found = ask(source, query)

    if rows is None:
        assert "operator does not exist" in found.error
    else:
        assert (found.rows, found.columns, found.error) == (rows, columns, "")


REFUSED = {
    "DELETE FROM cards": "it begins with DELETE, but must be one query",
    "COPY (SELECT 1) TO PROGRAM 'touch /tmp/restore-drill-pwned'": "it begins with COPY",
    "DO $$ BEGIN END $$": "it begins with DO",
    "SET default_transaction_read_only = off": "it begins with SET",
    "WITH gone AS (DELETE FROM cards RETURNING id) SELECT * FROM gone": "it writes",
    "WITH x AS (SELECT 1) INSERT INTO empty_table SELECT * FROM x": "syntax error",
    "SELECT nextval('cards_id_seq')": "it writes, but runs read-only: cannot execute nextval()",
    "SELECT * INTO copied FROM cards": "INTO is not allowed here",
    "SELECT id FROM cards FOR UPDATE": "it writes",
    "SELECT 1; DROP TABLE cards": "it holds more than one statement",
    "SELECT 1; COMMIT; DROP TABLE cards": "it holds more than one statement",
    "SELECT * FROM nowhere": 'relation "nowhere" does not exist',
    "SELECT title::integer FROM cards": "invalid_text_representation (SQLSTATE 22P02)",
    "SELECT count(*) FROM pg_sleep(60)": "it took longer than 0.20 s ([sql] timeout",
}


@pytest.mark.parametrize("query", REFUSED)
def test_what_is_no_answer_is_reported(source: Target, query: str) -> None:
    """Writing, several statements, errors and long queries give a reason, and change nothing."""
    found = ask(source, query, timeout=0.2)

    assert REFUSED[query] in found.error
    assert "Card" not in found.error
    assert ask(source, "SELECT 1 FROM cards HAVING count(*) <> 200").rows == 0


def test_a_limit_may_be_longer_than_the_server_can_wait(source: Target) -> None:
    """The query runs; its criterion does not fail by the limit."""
    assert ask(source, "SELECT 1", timeout=90 * 86400.0).rows == 1


FILES = {
    "no_dear_cards": "-- description: No card is dear.\n-- tags: mine, money\n"
    'SELECT title AS "Title", id FROM cards WHERE price > 0',
    "no_twins": "-- tags: mine\nSELECT title FROM cards GROUP BY title HAVING count(*) > 1;\n",
    "few_buyers": "-- tags: mine\n-- severity: warn\nSELECT buyer FROM purchases",
    "typo": "-- tags: mine\n-- severity: warn\nSELECT nothing FROM cards",
    "slow": "-- tags: mine\nSELECT pg_sleep(60)",
}


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> Drill:
    """A drill of the sample with SQL criteria that lie outside of the drill."""
    folder = tmp_path_factory.mktemp("outside")
    criteria = write(folder, FILES, 'timeout = "300ms"\n')
    return run_drill(
        f"--criteria={criteria}", "--sample-rows=50", "-m", "mine", report_dir=folder / "report"
    )


def test_rows_fail_the_drill_without_being_shown(drilled: Drill) -> None:
    """Rows fail with their number and columns; no value is reported anywhere."""
    checks = {check["id"]: check for check in drilled.result["checks"]}
    check = checks["checks/no_dear_cards.sql::no_dear_cards"]

    assert drilled.code == 1, drilled.output
    assert check["outcome"] == "failed"
    assert check["message"].startswith("50 rows returned, expected none; columns: Title, id\n")
    assert check["sentence"] == "No card is dear."
    assert check["stage"] == "verify"
    assert checks["checks/no_twins.sql::no_twins"]["outcome"] == "passed"
    files = [path.read_text() for path in drilled.report_dir.iterdir() if path.is_file()]
    assert not any("card 7" in text for text in [drilled.output, *files])
    assert "No card is dear." in files[0] + files[1] + files[2]


def test_a_warning_is_reported_and_does_not_fail(drilled: Drill) -> None:
    """Rows are a warning with severity warn; a query that cannot run fails all the same."""
    note = "few_buyers: 25 rows returned, expected none; columns: buyer (severity warn)"

    assert drilled.result["warnings"].count(note) == 1
    assert f"! {note}" in drilled.output
    (warned,) = [each for each in drilled.result["checks"] if each["id"].endswith("::few_buyers")]
    assert (warned["outcome"], warned["message"]) == ("passed", note)
    assert set(drilled.failed) == {"no_dear_cards", "typo", "slow"}
    assert 'its query failed: column "nothing" does not exist' in drilled.failed["typo"]
    assert "it took longer than 0.30 s" in drilled.failed["slow"]


def test_the_drill_itself_needs_no_sql(drilled: Drill) -> None:
    """Only what the tag picked ran, and the backup was restored for it."""
    assert drilled.ran == set(FILES)
    assert {stage["name"] for stage in drilled.result["stages"]} >= {"restore", "verify"}


def test_listing_starts_nothing(tmp_path: Path, report_dir: Path) -> None:
    """`--collect-only` lists SQL criteria by id, `-k` picks them, and nothing is started."""
    criteria = write(tmp_path, FILES)

    drill = run_drill(
        f"--criteria={criteria}",
        "--collect-only",
        "-q",
        "-k",
        "dear or sold",
        report_dir=report_dir,
    )

    assert drill.code == 0, drill.output
    listed = [line for line in drill.output.splitlines() if "::" in line]
    assert listed == ["checks/no_dear_cards.sql::no_dear_cards"]
    assert not report_dir.exists()


def test_a_folder_named_on_the_command_line_runs_once(tmp_path: Path, report_dir: Path) -> None:
    """Naming the folder of SQL criteria besides the drill runs none of them twice."""
    criteria = write(tmp_path, FILES)

    drill = run_drill(
        f"--criteria={criteria}", "--collect-only", "-q", str(tmp_path / "checks"),
        report_dir=report_dir,
    )  # fmt: skip

    assert drill.output.count("no_twins.sql::no_twins") == 1


def test_the_sample_has_criteria_of_its_own(report_dir: Path) -> None:
    """Below drill/ a file is picked by its path; the sample's criteria hold."""
    chosen = "drill/sample_sql/cards_cost_something.sql"
    assert (ROOT / chosen).exists()

    drill = run_drill("--sample-rows=50", "-k", "sample_sql", report_dir=report_dir)

    assert drill.code == 0, drill.output
    assert drill.verdict == "sample"
    assert f"{chosen}::cards_cost_something" in {c["id"] for c in drill.result["checks"]}


USAGE = {
    "tag of pytest": ("-- tags: skip\nSELECT 1", "tag 'skip' is already in use"),
    "tag of a stage": ("-- tags: redis\nSELECT 1", "tag 'redis' is already in use"),
    "odd tag": ("-- tags: a/b\nSELECT 1", "tag 'a/b' is not a name"),
    "key": ("-- tag: a\nSELECT 1", "unknown key 'tag'; did you mean 'tags'?"),
    "no file": ("", "/checks, which holds no .sql file"),
}


@pytest.mark.parametrize("case", USAGE)
def test_an_error_is_a_usage_error(tmp_path: Path, report_dir: Path, case: str) -> None:
    """An error in an SQL criterion ends with exit code 4 before anything starts."""
    text, words = USAGE[case]
    criteria = write(tmp_path, {"a": text} if text else {})

    drill = run_drill(f"--criteria={criteria}", report_dir=report_dir)

    assert drill.code == 4, drill.output
    assert words in drill.output
    assert "Traceback" not in drill.output


def test_a_missing_folder_is_a_usage_error(tmp_path: Path, report_dir: Path) -> None:
    """A folder that is named and not there must not pass for one without criteria."""
    criteria = tmp_path / "criteria.toml"
    criteria.write_text('[sql]\nfolder = "check"\n')

    drill = run_drill(f"--criteria={criteria}", report_dir=report_dir)

    assert drill.code == 4, drill.output
    assert f"[sql]: folder names {tmp_path / 'check'}, which is not a folder" in drill.output
