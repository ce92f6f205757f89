"""A database of many tables: one item for each criterion, and all else as with few of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fixtures.together import MANY
from tests.helpers.drills import Drill, run_drill
from tests.helpers.shop import USUAL, Shops, fill_shop, pg_dump

TABLES = MANY + 10
MADE = f"""
    DO $$ BEGIN FOR n IN 1..{TABLES} LOOP
        EXECUTE format('CREATE TABLE t%s (id integer PRIMARY KEY)', n);
        EXECUTE format('INSERT INTO t%s SELECT generate_series(1, %s)', n, CASE WHEN n IN (5, 8)
            THEN 3 ELSE 2 END);
    END LOOP; END $$;
    ALTER TABLE t5 ADD CONSTRAINT known FOREIGN KEY (id) REFERENCES t6 NOT VALID;
    ALTER TABLE t8 ADD CONSTRAINT orphaned FOREIGN KEY (id) REFERENCES t9 NOT VALID;
"""
END = datetime.now(UTC).date() + timedelta(days=30)
CRITERIA = f"""
[[waivers]]
criterion = "test_foreign_keys_hold[public.*.known]"
reason = "ticket 12"
expires = {END}

[[waivers]]
criterion = "test_table_has_every_row[public.t1*]"
reason = "ticket 13"
expires = {END}
"""
OWN = '''
"""A team's own criteria over tables."""


def test_table_is_known(table, facts):
    """The facts know a table."""
    assert table in facts.rows


def test_table_can_be_read(table, restored_connection):
    """A table can be read, in a connection of its own."""
    restored_connection.execute(f"SELECT count(*) FROM {table}")
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the backup, of the criteria, and of pytest's cache."""
    return tmp_path_factory.mktemp("many")


@pytest.fixture(scope="module")
def backup(shops: Shops, folder: Path) -> Path:
    """Dump of the database."""
    source = shops.database(USUAL, "many")
    fill_shop(source, MADE)
    return pg_dump(source, folder / "many.sql")


@pytest.fixture(scope="module")
def drill(backup: Path, folder: Path) -> Drill:
    """The drill of it, with waivers and a team's own criteria."""
    (folder / "criteria.toml").write_text(CRITERIA)
    (folder / "checks").mkdir()
    (folder / "checks" / "test_own.py").write_text(OWN)
    return run_drill(
        str(folder / "checks"), "-k", "not redis", f"--backup={backup}",
        f"--criteria={folder / 'criteria.toml'}",
        "-p", "cacheprovider", "-o", f"cache_dir={folder / 'cache'}",
        report_dir=folder / "report",
    )  # fmt: skip


def test_a_criterion_is_one_item(drill: Drill) -> None:
    """Those tables that fail or are waived are reported by themselves, the others counted."""
    checks = {check["id"].rpartition("::")[2]: check for check in drill.result["checks"]}

    assert drill.code == 1, drill.output
    assert set(drill.failed) == {"test_foreign_keys_hold[public.t8]"}
    assert "orphaned" in drill.failed["test_foreign_keys_hold[public.t8]"]
    assert [name for name, check in checks.items() if check["outcome"] == "waived"] == [
        "test_foreign_keys_hold[public.t5]"
    ]
    assert {name: check["count"] for name, check in checks.items() if "count" in check} == {
        "test_foreign_keys_hold[*]": TABLES - 2,
        "test_constraints_hold[*]": TABLES,
        "test_table_has_every_row[*]": TABLES,
        "test_table_is_known[*]": TABLES,
    }


def test_waivers_find_the_tables_inside(drill: Drill) -> None:
    """One whose tables hold is no longer needed; none is said to match nothing."""
    warnings = [each for each in drill.result["warnings"] if "waiver" in each]

    (line,) = warnings
    assert line.startswith("waiver for 'test_table_has_every_row[public.t1*]' is no longer needed")


def test_own_criterion_with_a_connection_is_an_item_for_each_table(drill: Drill) -> None:
    """Each has a connection of its own: what one writes is rolled back before the next."""
    alone = [name for name in drill.ran if name.startswith("test_table_can_be_read[")]

    assert len(alone) == TABLES


def test_last_failed_is_an_item(drill: Drill, backup: Path, folder: Path) -> None:
    """`--lf` runs the table that has failed, and no other."""
    assert drill.code == 1
    again = run_drill(
        "--lf", "--collect-only", "-q", f"--backup={backup}",
        "-p", "cacheprovider", "-o", f"cache_dir={folder / 'cache'}", report_dir=folder / "again",
    )  # fmt: skip

    found = [line for line in again.output.splitlines() if "::" in line]
    assert found == ["drill/test_relations.py::test_foreign_keys_hold[public.t8]"]


def test_proof_names_the_table(backup: Path, folder: Path) -> None:
    """A damage is noticed by the criterion of a table, which is asked by itself."""
    proved = run_drill(
        "--prove", "-k", "test_table_has_every_row or dropped_rows", f"--backup={backup}",
        report_dir=folder / "proof",
    )  # fmt: skip

    assert proved.code == 0, proved.output
    (entry,) = proved.result["proof"]
    (name,) = entry["noticed_by"]
    assert name.startswith("test_table_has_every_row[public.t")
