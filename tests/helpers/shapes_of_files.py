"""Tables and indexes of many healthy shapes, and the files in which a server keeps them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from restore_drill.facts.physical.model import Pages
from restore_drill.facts.physical.reading import read_all
from restore_drill.facts.physical.relations import Relation, read_relations
from tests.helpers.physical import Source, source
from tests.helpers.shop import quiet

SHAPES = """
CREATE EXTENSION pageinspect;
CREATE TABLE few_values (v int, w text, n int) WITH (fillfactor = 60);
INSERT INTO few_values SELECT CASE WHEN n % 3 = 0 THEN NULL ELSE n % 7 END, 'w' || n % 5, n
    FROM generate_series(1, 20000) n;
CREATE INDEX few_values_v ON few_values (v);
CREATE INDEX few_values_w ON few_values (w) WITH (deduplicate_items = off);
CREATE INDEX few_values_both ON few_values (v DESC NULLS LAST, w) INCLUDE (n);
CREATE INDEX few_values_part ON few_values (lower(w)) WHERE n < 5000;
CREATE TABLE all_null (v int, w int);
INSERT INTO all_null SELECT NULL, n FROM generate_series(1, 9000) n;
CREATE INDEX all_null_v ON all_null (v);
CREATE TABLE gone (id int PRIMARY KEY, t text) WITH (autovacuum_enabled = off);
INSERT INTO gone SELECT n, repeat('t', n % 60) FROM generate_series(1, 20000) n;
DELETE FROM gone WHERE id BETWEEN 4000 AND 15000;
VACUUM gone;
DELETE FROM gone WHERE id < 500;
SET enable_seqscan = off;
SELECT count(*) FROM gone WHERE id < 600;
SELECT count(*) FROM gone WHERE id < 600;
RESET enable_seqscan;
CREATE TABLE hot (id int PRIMARY KEY, n int) WITH (fillfactor = 50);
INSERT INTO hot SELECT n, 0 FROM generate_series(1, 3000) n;
UPDATE hot SET n = n + 1;
UPDATE hot SET n = n + 1;
SELECT sum(n) FROM hot;
UPDATE hot SET n = n + 1 WHERE id % 2 = 0;
VACUUM hot;
UPDATE hot SET id = id + 100000 WHERE id % 5 = 0;
CREATE TABLE parted (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
CREATE TABLE parted_2 PARTITION OF parted DEFAULT;
INSERT INTO parted SELECT n, date '2026-01-01' + n % 365 FROM generate_series(1, 4000) n;
CREATE TABLE wide (id int PRIMARY KEY, body text, tags text[]);
ALTER TABLE wide ALTER body SET STORAGE EXTERNAL;
INSERT INTO wide SELECT n, repeat(md5(n::text), 200), ARRAY[n::text] FROM generate_series(1, 300) n;
UPDATE wide SET body = body || 'x' WHERE id % 3 = 0;
DELETE FROM wide WHERE id % 4 = 0;
VACUUM wide;
CREATE INDEX wide_tags ON wide USING gin (tags);
CREATE INDEX wide_hash ON wide USING hash (id);
CREATE MATERIALIZED VIEW seen AS SELECT id, n FROM hot;
CREATE UNIQUE INDEX ON seen (id);
CREATE TABLE nothing (id int PRIMARY KEY);
CREATE TABLE emptied (id int PRIMARY KEY);
INSERT INTO emptied SELECT n FROM generate_series(1, 5000) n;
DELETE FROM emptied;
VACUUM emptied;
CREATE TABLE back (id int PRIMARY KEY);
BEGIN;
INSERT INTO back SELECT n FROM generate_series(1, 3000) n;
ROLLBACK;
INSERT INTO back SELECT n FROM generate_series(1, 30) n;
VACUUM (INDEX_CLEANUP off) few_values;
"""


@dataclass
class Files:
    """A server's `relations`, and a copy of its files in `data` that a test may damage."""

    server: Source
    relations: list[Relation]
    data: Path
    has_checksums: bool = False

    def path(self, name: str, fork: str = "") -> Path:
        """File of a table that is named so, of `shop` unless its database is named too."""
        names = {name, f"public.{name}", f"pg_catalog.{name}"}
        (found,) = (
            each.path for each in self.relations if each.full_name in names or each.title == name
        )
        return self.data / f"{found}{fork}"

    def read(self, *, checksums_on: bool = False) -> Pages:
        """What the files hold."""
        return read_all(
            self.data,
            self.relations,
            2,
            quiet,
            checksums_on=checksums_on,
            settle=lambda: None,
        )

    @contextmanager
    def changed(self, *paths: Path) -> Iterator[None]:
        """Give `paths` back as they were."""
        kept = [(path, path.read_bytes()) for path in paths]
        try:
            yield
        finally:
            for path, content in kept:
                path.write_bytes(content)


def relations_of(server: Source) -> list[Relation]:
    """All relations of all databases, `shop` being the first."""
    found: list[Relation] = []
    for name in ("", "billing", "postgres", "template1"):
        with server.connect(name or "shop") as connection:
            connection.execute("SET search_path = pg_catalog")
            each = read_relations(connection, name)
            found += (relation for relation in each if not name or not relation.is_shared)
    return found


@contextmanager
def files_of(major: int, *, checksums: bool = False, prepared: int = 0) -> Iterator[Files]:
    """Files of a server of `major` with tables of many shapes; the server still runs."""
    with source(major, checksums=checksums, max_prepared_transactions=str(prepared)) as server:
        with server.connect() as connection:
            for statement in filter(str.strip, SHAPES.split(";\n")):
                connection.execute(statement.encode())
        data = server.folder / "copy"
        found = relations_of(server)
        server.sql("CHECKPOINT")
        shutil.copytree(server.data, data, symlinks=True, ignore=shutil.ignore_patterns("pg_wal"))
        yield Files(server, found, data, checksums)
