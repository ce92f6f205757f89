"""Foreign keys that the restore could not make: the rows that break them are counted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from restore_drill.backups.read import read_contents
from restore_drill.restore.archive import restore_archive
from restore_drill.restore.lost_keys import lost_keys
from restore_drill.restore.plain import restore_plain
from tests.helpers.drills import run_drill
from tests.helpers.restoring import backup_of, new_database
from tests.helpers.shop import Shops, fill_shop, pg_dump, quiet

LOST = {
    "one column": (rb"\n3\tartist 3\t[^\n]*", {"artist_id -> public.artists": 10}),
    "several rows": (rb"\n[345]\tartist [345]\t[^\n]*", {"artist_id -> public.artists": 30}),
    "two quoted columns": (rb"\n2\t1\t\\\\[^\n]*", {"Key, part -> billing.Odd Name": 1}),
}

ORPHAN = """
CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE children (parent int REFERENCES parents);
SET session_replication_role = replica;
INSERT INTO children VALUES (7);
"""


@pytest.mark.parametrize("case", LOST)
def test_orphans_of_a_lost_key_are_counted(case: str, shops: Shops, tmp_path: Path) -> None:
    """Rows that reference what the dump has lost are counted, by the columns of the statement."""
    rows, expected = LOST[case]
    path = tmp_path / "dump.sql"
    path.write_bytes(re.sub(rows, b"", shops.dump(15, "plain.sql").read_bytes()))
    target, backup = new_database(shops, 15, None, "UTF8"), backup_of(path)
    done = restore_plain(target, backup, read_contents(backup, tmp_path, quiet), quiet)

    found = lost_keys(done, target)

    assert {key.description.partition(" (")[0]: key.orphans for key in found} == expected
    assert all(key.is_lost and key.is_broken for key in found)
    with target.connect() as connection:
        found_rows = {key: connection.execute(key.query.encode()).fetchall() for key in found}
    assert all(len(each) == key.orphans for key, each in found_rows.items())


def test_orphans_of_an_archive_with_large_objects_are_counted(shops: Shops, tmp_path: Path) -> None:
    """pg_restore alone restores it; the columns stand in the second line of its statement."""
    source = new_database(shops, 15, None, "UTF8")
    fill_shop(source, ORPHAN)
    backup = backup_of(pg_dump(source, tmp_path / "backup.dump", "--format=custom"))
    target = new_database(shops, 15, None, "UTF8")
    done = restore_archive(target, backup, 9, 2, quiet)

    (found,) = lost_keys(done, target)

    assert (found.description, found.orphans) == (
        "parent -> public.parents (children_parent_fkey)",
        1,
    )


def test_a_key_that_was_not_made_is_red_with_its_orphans(
    shops: Shops, tmp_path: Path, report_dir: Path
) -> None:
    """The criterion of the table names the number, and does not blame the source alone."""
    path = tmp_path / "dump.sql"
    path.write_bytes(re.sub(LOST["one column"][0], b"", shops.dump(15, "plain.sql").read_bytes()))

    drill = run_drill(f"--backup={path}", "-k", "foreign_keys_hold", report_dir=report_dir)
    message = drill.failed["test_foreign_keys_hold[public.cards]"]

    assert "cards_artist_id_fkey): 10 orphan rows, so it was not restored" in message
    assert "the backup has lost the referenced rows" in message
