"""An error in the criteria is reported as one, and what is lost is never taken for an error."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from restore_drill.checks.names import CriteriaNames, is_slip
from restore_drill.config.criteria import Criteria
from restore_drill.core.errors import CriteriaError
from restore_drill.facts.schema.heads import DECLARE, read_heads
from restore_drill.servers.model import Target
from tests.helpers.drills import Drill, run_drill
from tests.helpers.shop import Shops, fill_shop, pg_dump

SOURCE = """
CREATE TABLE customers (id integer PRIMARY KEY, created_at timestamptz, amount integer);
CREATE FUNCTION broken() RETURNS integer LANGUAGE plpgsql AS
    $$BEGIN EXECUTE 'SELEKT 1'; RETURN 1; END$$;
CREATE TABLE cards_old (id integer PRIMARY KEY);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer REFERENCES customers);
INSERT INTO customers VALUES (1, now(), 5);
INSERT INTO cards_old VALUES (1);
INSERT INTO orders VALUES (1, 1);
"""


@pytest.fixture(scope="module")
def dump(shops: Shops, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A healthy dump of three tables."""
    source = shops.database(15, "mistakes")
    fill_shop(source, SOURCE)
    return pg_dump(source, tmp_path_factory.mktemp("mistakes") / "mistakes.sql")


@pytest.fixture(scope="module")
def healthy(shops: Shops) -> Target:
    """A database with the three tables."""
    source = shops.database(15, "heads_fail")
    fill_shop(source, SOURCE)
    return source


def drill_with(criteria: str, dump: Path, folder: Path) -> Drill:
    """Drill `dump` with `criteria`, whose SQL criteria lie in the folder `sql` beside them."""
    (folder / "mine").mkdir(exist_ok=True)
    path = folder / "mine" / "criteria.toml"
    path.write_text(criteria)
    return run_drill(
        f"--backup={dump}", f"--criteria={path}", "-k", "not redis", report_dir=folder / "report"
    )


SLIPS = """
[tables]
customer = { min_rows = 1 }
Customers = { min_rows = 1 }
oredrs = { min_rows = 1 }
cards_old = { min_rows = 1, references = ["custommers"] }
[freshness]
"customers.creatd_at" = "26h"
"custmers.created_at" = "26h"
[facts.column]
sql = "SELECT sum(amuont) FROM customers"
min = 1
[facts.table]
sql = "SELECT count(*) FROM public.cstomers"
min = 1
[facts.no_query]
sql = "SELEKT 1"
min = 1
[facts.grouping]
sql = "SELECT id, count(*) FROM orders"
min = 1
[sql]
folder = "sql"
"""
TOLD = (
    "names public.customer, but the backup has no such table; did you mean 'public.customers",
    "names public.Customers, but the backup has no such table; did you mean 'public.customer",
    "names public.oredrs, but the backup has no such table; did you mean 'public.orders'?",
    "names public.custommers, but the backup has no such table; did you mean 'public.custome",
    "names the column creatd_at, which public.customers does not have; did you mean 'created_at'?",
    "names public.custmers, but the backup has no such table; did you mean 'public.customers",
    "[facts.column] of the criteria file names the column amuont; did you mean 'amount'?",
    "[facts.table] of the criteria file names the table cstomers; did you mean 'customers'?",
    "[facts.no_query] of the criteria file is not valid SQL here",
    "[facts.grouping] of the criteria file is not valid SQL here",
    "orders_are_paid.sql names the table customerss; did you mean 'customers'?",
)


def test_slips_in_the_criteria_are_not_the_backups_fault(dump: Path, tmp_path: Path) -> None:
    """Names mistyped and queries that are none could not run (6), with what may be meant."""
    (tmp_path / "mine" / "sql").mkdir(parents=True)
    query = "SELECT id FROM orders JOIN customerss USING (id)"
    (tmp_path / "mine" / "sql" / "orders_are_paid.sql").write_text(query)

    drill = drill_with(SLIPS, dump, tmp_path)

    assert drill.code == 6, drill.output
    assert drill.verdict == "could-not-run"
    assert [words for words in TOLD if words not in drill.output] == []
    assert not drill.failed
    assert "do not rely on this backup" not in drill.output


LOSSES = """
[tables]
cards = { min_rows = 1 }
invoices = { min_rows = 1 }
customer = { min_rows = 1 }
customers = { min_rows = 1 }
[freshness]
"customers.paid_on" = "26h"
[facts.table]
sql = "SELECT count(*) FROM invoices"
min = 1
[facts.column]
sql = "SELECT sum(price) FROM customers"
min = 1
[facts.function]
sql = "SELECT broken()"
min = 1
"""
RED = {
    "test_table_has_rows[public.cards]",
    "test_table_has_rows[public.invoices]",
    "test_table_has_rows[public.customer]",
    "test_rows_are_fresh[public.customers.paid_on]",
    "test_fact_holds[table]",
    "test_fact_holds[column]",
    "test_fact_holds[function]",
}


def test_losses_stay_the_backups_fault(dump: Path, tmp_path: Path) -> None:
    """Where nothing speaks for a slip the drill stays red: renamed away, not alike, both named."""
    drill = drill_with(LOSSES, dump, tmp_path)

    assert drill.code == 1, drill.output
    assert drill.verdict == "failed"
    assert drill.failed.keys() >= RED
    told = drill.failed["test_table_has_rows[public.cards]"]
    assert "if the source has it, the backup has lost it" in told
    assert "if it never existed, correct [tables]" in told


def test_table_of_the_last_passed_drill_is_lost(shops: Shops, tmp_path: Path) -> None:
    """What a drill has seen before is no slip, however like another name it is."""
    source = shops.database(15, "once")
    fill_shop(
        source,
        "CREATE TABLE card (i int); INSERT INTO card VALUES (1);"
        "CREATE TABLE cards (i int); INSERT INTO cards VALUES (1)",
    )
    folder = tmp_path / "backups"
    folder.mkdir()
    criteria = tmp_path / "criteria.toml"
    criteria.write_text("[tables]\ncard = { min_rows = 1 }\n")
    options = (f"--criteria={criteria}",)
    pg_dump(source, folder / "once-mon.sql")
    first = run_drill(*options, report_dir=tmp_path / "r1", BACKUP_PATH=str(folder))
    assert first.code == 0, first.output
    fill_shop(source, "DROP TABLE card")
    pg_dump(source, folder / "once-tue.sql")
    (folder / "once-mon.sql").unlink()

    second = run_drill(*options, report_dir=tmp_path / "r2", BACKUP_PATH=str(folder))

    assert second.code == 1, second.output
    found = json.dumps(second.failed)
    assert "required table public.card is not in the restored database" in found
    assert "did you mean" not in found


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT id FROM custmers", "names the table custmers; did you mean 'customers'?"),
        ("SELECT version FROM our_versions", "does not return a migration head: relation"),
    ],
)
def test_query_for_the_head_that_fails_is_a_criteria_error(
    query: str, words: str, dump: Path, tmp_path: Path
) -> None:
    """A head that cannot be asked for could not run (6): nothing of it is the backup's fault."""
    drill = drill_with(f"[drift]\nhead = {json.dumps(query)}\n", dump, tmp_path)

    assert drill.code == 6, drill.output
    assert not drill.failed
    assert f"[drift] head of the criteria file {words}" in drill.output
    assert "correct the query: [drift] head of the criteria file" in drill.output
    assert "Traceback" not in drill.output


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT amuont FROM customers", "names the column amuont; did you mean 'amount'?"),
        ("SELECT id FROM mine.customers", "does not return a migration head: relation"),
        ("SELEKT 1", "is not valid SQL here: syntax error"),
        ("DELETE FROM customers", "is not valid SQL here: syntax error"),
        ("COPY customers TO STDOUT", "is not valid SQL here: syntax error"),
        ("SET work_mem = '4MB'", "is not valid SQL here: syntax error"),
        ("SELECT broken()", "does not return a migration head: syntax"),
    ],
)
def test_every_way_in_which_the_head_fails(query: str, words: str, healthy: Target) -> None:
    """Whatever is wrong with the query is reported in its words, and the session goes on."""
    names = CriteriaNames(Criteria(Path("criteria.toml")), frozenset({"public.customers"}))
    with healthy.connect_read_only() as connection:
        heads, error = read_heads(connection, query)
        assert connection.execute("SELECT 1").fetchone() == (1,)

    assert heads == {} and isinstance(error, psycopg.Error)
    with pytest.raises(CriteriaError) as mistake:
        names.check_head(error, query, healthy, len(DECLARE))
    assert words in mistake.value.what


def test_head_in_a_table_that_is_lost_is_no_criteria_error(shops: Shops, tmp_path: Path) -> None:
    """Where the query has worked before, the table that it names is lost."""
    source = shops.database(15, "lost_head")
    fill_shop(source, "CREATE TABLE head (v int); INSERT INTO head VALUES (1);" + SOURCE)
    folder = tmp_path / "backups"
    folder.mkdir()
    criteria = tmp_path / "criteria.toml"
    criteria.write_text('[drift]\nhead = "SELECT v FROM public.head"\n')
    options = (f"--criteria={criteria}", "-k", "not redis")
    pg_dump(source, folder / "lost-mon.sql")
    first = run_drill(options[0], report_dir=tmp_path / "r1", BACKUP_PATH=str(folder))
    fill_shop(source, "DROP TABLE head")
    pg_dump(source, folder / "lost-tue.sql")

    second = run_drill(*options, report_dir=tmp_path / "r2", BACKUP_PATH=str(folder))

    assert first.code == 0, first.output
    assert second.code == 1, second.output
    assert "table public.head" in second.failed["test_nothing_was_lost"]
    assert "did you mean" not in second.output


@pytest.mark.parametrize(
    ("wrong", "right", "expected"),
    [
        ("crads", "cards", True), ("card", "cards", True), ("Cards", "cards", True),
        ("purchse_items", "purchase_items", True), ("costumers", "customers", True),
        ("cards_old", "cards", False), ("cards2", "cards", False), ("cards1", "cards2", False),
        ("users", "orders", False), ("cards", "cards", False), ("ab", "a", False),
        ("invoices_2025", "invoices_2026", False),
    ],
)  # fmt: skip
def test_slips_are_distinguished_from_other_names(
    wrong: str, right: str, *, expected: bool
) -> None:
    """A slip or two of the fingers; a number or an ending makes another name."""
    assert is_slip(wrong, right) is expected
