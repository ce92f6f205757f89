"""Indexes of partitions of partitions are attached one at a time, so that all become valid."""

from __future__ import annotations

from pathlib import Path

from restore_drill.backups.read import read_contents
from restore_drill.restore.split import restore_split
from tests.helpers.restoring import backup_of, new_database
from tests.helpers.shop import USUAL, Shops, fill_shop, pg_dump, quiet

TREES = "".join(
    f"""
CREATE TABLE {name} (id int NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE {name}_a PARTITION OF {name} FOR VALUES FROM (1) TO (100) PARTITION BY RANGE (id);
CREATE TABLE {name}_b PARTITION OF {name}_a FOR VALUES FROM (1) TO (100);
CREATE TABLE {name}_c PARTITION OF {name} DEFAULT;
CREATE INDEX {name}_id ON {name} (id);
INSERT INTO {name} SELECT generate_series(1, 200);
"""
    for name in ("oak", "elm", "ash", "fir", "yew", "fig")
)
"""Which of two attachments gets a lock first is chance: with one of so many it goes wrong."""
SLOW = """
CREATE FUNCTION slow() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_sleep(0.1); END $$;
CREATE EVENT TRIGGER slow ON ddl_command_end WHEN TAG IN ('ALTER INDEX') EXECUTE FUNCTION slow();
"""
"""An attachment takes so long that another one would surely run beside it."""


def test_every_index_becomes_valid(shops: Shops, tmp_path: Path) -> None:
    """Also that of the uppermost table, which its parts' parts decide about."""
    source = shops.database(USUAL, "trees")
    fill_shop(source, TREES)
    backup = backup_of(pg_dump(source, tmp_path / "tree.sql"))
    contents = read_contents(backup, tmp_path, quiet)
    target = new_database(shops, USUAL, None, "UTF8")
    fill_shop(target, SLOW)

    done = restore_split(target, backup, contents, jobs=4, progress=quiet)

    assert (done.errors, done.way) == ([], "split over 4 connections")
    with target.connect() as connection:
        query = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
        assert connection.execute(query).fetchall() == []
