"""pg_restore's own connections can lock each other out; that is no fault of the backup."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from restore_drill.backups.read import read_contents
from restore_drill.restore.model import Restoration
from restore_drill.restore.restorers import restorer_of
from restore_drill.servers.anew import empty
from restore_drill.servers.model import Target
from tests.helpers.restoring import backup_of, new_database
from tests.helpers.shop import Shops, fill_shop, pg_dump, quiet

CROSSED = """
CREATE FUNCTION locked(first int, second int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(first);
    PERFORM pg_sleep(0.7);
    PERFORM pg_advisory_xact_lock(second);
    RETURN first;
END $$;
CREATE TABLE one (id int);
CREATE TABLE two (id int);
INSERT INTO one VALUES (1);
INSERT INTO two VALUES (1);
CREATE INDEX one_index ON one (locked(id, id + 1));
CREATE INDEX two_index ON two (locked(id + 1, id));
"""
SUBSCRIBED = """
CREATE SUBSCRIPTION elsewhere CONNECTION 'host=nowhere.invalid' PUBLICATION p
    WITH (connect = false);
"""


READING = """
CREATE FUNCTION is_known(n int) RETURNS boolean LANGUAGE plpgsql STABLE AS
    $$ BEGIN RETURN EXISTS (SELECT FROM public.a_known WHERE id = n); END $$;
CREATE TABLE a_known (id int, filler text);
CREATE TABLE b_checked (id int CHECK (is_known(id)));
INSERT INTO a_known SELECT n, repeat('x', 500) FROM generate_series(1, 9000) n;
INSERT INTO b_checked VALUES (1), (9000);
"""
"""The rows of one table must be there before those of another, which pg_dump does not know."""


def restored_over_two(
    shops: Shops, name: str, script: str, folder: Path, encoding: str
) -> tuple[Target, Restoration]:
    """A custom archive of what `script` makes, restored by pg_restore with two connections."""
    source = shops.database(15, name)
    fill_shop(source, script)
    backup = backup_of(pg_dump(source, folder / "made.dump", "--format=custom"))
    contents = read_contents(backup, folder, quiet)
    target = new_database(shops, 15, None, encoding)
    return target, restorer_of(backup).restore_as_runbook(target, backup, contents, 2, quiet)


def test_order_that_connections_do_not_keep_is_no_damage(shops: Shops, tmp_path: Path) -> None:
    """What fails over two connections alone is restored over one: only its errors count."""
    target, done = restored_over_two(shops, "reading_others", READING, tmp_path, "UTF8")

    assert done.way.endswith(
        "2 jobs met 1 error in TABLE DATA b_checked postgres; "
        "all of it was then restored anew, over one connection"
    )
    assert done.errors == []
    with target.connect() as connection:
        assert connection.execute("SELECT count(*) FROM b_checked").fetchone() == (2,)


@pytest.mark.parametrize("script", [CROSSED, CROSSED + SUBSCRIBED], ids=["plain", "subscribed"])
def test_deadlock_of_its_own_is_no_end(script: str, shops: Shops, tmp_path: Path) -> None:
    """What two connections cannot restore is restored over one, from an empty database."""
    name = f"crossed_{len(script)}"
    target, done = restored_over_two(shops, name, script, tmp_path, "LATIN1")

    assert re.search(
        r"2 jobs met 1 deadlock in INDEX \w+ \w+; all of it was then restored anew", done.way
    )
    assert done.errors == []
    with target.connect() as connection:
        found = connection.execute(
            "SELECT (SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'),"
            " (SELECT sum(id) FROM (TABLE one UNION ALL TABLE two) rows), "
            " pg_encoding_to_char(encoding), datcollate"
            " FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert found == (2, 2, "LATIN1", "C")


def test_live_database_is_never_emptied_so(shops: Shops) -> None:
    """Only a database to be thrown away is dropped."""
    live = replace(new_database(shops, 15, None, "UTF8"), throwaway=False)

    with pytest.raises(AssertionError, match="snapshot"):
        empty(live)
    with live.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
