"""Servers whose physical backups are damaged: each is made once, with its backups."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.helpers.physical import Source, copied, source

MORE = """
CREATE TABLE kept (id int PRIMARY KEY, n int, t text);
INSERT INTO kept SELECT n, n % 9, md5(n::text) FROM generate_series(1, 3000) n;
CREATE INDEX kept_n ON kept (n);
VACUUM kept;
CREATE TABLE plain (a int, t text);
INSERT INTO plain SELECT n, md5(n::text) FROM generate_series(1, 3000) n;
VACUUM plain;
CREATE TABLE wide (id int PRIMARY KEY, body text);
ALTER TABLE wide ALTER body SET STORAGE EXTERNAL;
INSERT INTO wide SELECT n, repeat(md5(n::text), 200) FROM generate_series(1, 60) n;
CREATE TABLE packed (id int PRIMARY KEY, body text);
INSERT INTO packed SELECT n, (SELECT string_agg(repeat(md5(m::text), 3), '')
    FROM generate_series(n, n + 90) m) FROM generate_series(1, 60) n;
CREATE TABLE tags (id int, words text[]);
INSERT INTO tags SELECT n, ARRAY[md5(n::text), 't' || n % 50] FROM generate_series(1, 2000) n;
CREATE INDEX tags_gin ON tags USING gin (words);
CREATE INDEX tags_hash ON tags USING hash (id);
CREATE TABLE pairs (a int, b int);
INSERT INTO pairs SELECT n % 20, n FROM generate_series(1, 4000) n;
CREATE INDEX pairs_a ON pairs (a);
CREATE MATERIALIZED VIEW sums AS SELECT customer_id, sum(total) FROM orders GROUP BY 1;
CREATE UNIQUE INDEX sums_by ON sums (customer_id);
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT 2 * $1';
SELECT lo_from_bytea(0, decode(repeat(md5('lo'), 200), 'hex')) FROM generate_series(1, 20);
CREATE TABLE younger (id int PRIMARY KEY, t text);
INSERT INTO younger SELECT n, md5(n::text) FROM generate_series(1, 500) n;
"""
YOUNGER = """
INSERT INTO younger SELECT n, md5(n::text) FROM generate_series(501, 1500) n;
UPDATE plain SET t = reverse(t) WHERE a % 40 = 0 AND a < 100;
CHECKPOINT;
"""
"""After this, `younger` and its index have entries that an earlier copy of their files lacks."""
FILES = """
SELECT CASE WHEN n.nspname IN ('public', 'pg_catalog') THEN c.relname
    ELSE n.nspname || '.' || c.relname END, pg_relation_filepath(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'i', 'S', 't') AND c.relpersistence <> 't'
    AND pg_relation_filepath(c.oid) IS NOT NULL"""
TOAST = """
SELECT 'TOAST of ' || c.relname, pg_relation_filepath(c.reltoastrelid)
FROM pg_class c WHERE c.reltoastrelid <> 0 AND c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'TOAST index of ' || c.relname, pg_relation_filepath(i.indexrelid)
FROM pg_class c JOIN pg_index i ON i.indrelid = c.reltoastrelid
WHERE c.relnamespace = 'public'::regnamespace"""
COMMITS = ("one", "two", "three", "four")


@dataclass
class Made:
    """A server with its base backup `plain`, and transactions in archived segments behind it.

    `paths` are the files of relations by their names; those of `billing` begin with its name.
    `early` is a copy of the data directory from before the last rows of `younger`. `times` are
    those behind each of COMMITS, `segments` the segments that each ended. `more` are other servers
    of its version, with their repositories, by name; they end with `stack`.
    """

    server: Source
    checksums: bool
    plain: Path
    bare: Path
    early: Path
    paths: dict[str, str]
    segments: list[str] = field(default_factory=list)
    times: list[str] = field(default_factory=list)
    xids: list[int] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack)

    @property
    def major(self) -> int:
        """Major version of its server."""
        return self.server.binaries.major

    @property
    def title(self) -> str:
        """`15, checksums`."""
        return f"{self.major}, {'checksums' if self.checksums else 'no checksums'}"


@dataclass
class Lab:
    """Makes what the corpus damages, each once; all of it goes at the end."""

    stack: ExitStack = field(default_factory=ExitStack)
    made: dict[tuple[int, bool], Made] = field(default_factory=dict)

    def of(self, major: int, *, checksums: bool = True) -> Made:
        """The server of `major` with all of its backups."""
        key = (major, checksums)
        if key not in self.made:
            server = self.stack.enter_context(source(major, checksums=checksums))
            self.made[key] = filled(server, checksums=checksums)
            self.made[key].stack = self.stack
        return self.made[key]

    def close(self) -> None:
        """End all servers."""
        self.stack.close()


def statements(connection_to: Source, script: str) -> None:
    """Run a script, statement by statement."""
    with connection_to.connect() as connection:
        for statement in filter(str.strip, script.split(";\n")):
            connection.execute(statement.encode())


def filled(server: Source, *, checksums: bool) -> Made:
    """Fill `server`, and take its backups."""
    statements(server, MORE)
    server.sql("CHECKPOINT")
    early = server.folder / "early"
    shutil.copytree(server.data, early, symlinks=True, ignore=shutil.ignore_patterns("pg_wal"))
    statements(server, YOUNGER)
    server.switch()
    plain = server.base_backup("plain")
    bare = server.base_backup("bare", "-X", "none")
    made = Made(server, checksums, plain, bare, early, paths_of(server))
    for name in COMMITS:
        xid, after = server.commit(name, 20)
        made.xids.append(xid)
        made.times.append(after)
        server.restore_point(f"after_{name}")
        made.segments.append(server.switch())
    return made


def paths_of(server: Source) -> dict[str, str]:
    """Files of all relations by their names, below the data directory."""
    found: dict[str, str] = {}
    for database in ("shop", "billing"):
        prefix = "" if database == "shop" else f"{database}."
        with server.connect(database) as connection:
            for query in (FILES, TOAST):
                found |= {prefix + name: path for name, path in connection.execute(query.encode())}
    return found


def kept(made: Made, name: str, make: Callable[[Source], Any], rows: int = 200) -> Any:
    """What `make` gives of a further server of the same version; made once."""
    if name not in made.more:
        server = made.stack.enter_context(source(made.major, checksums=made.checksums, rows=rows))
        made.more[name] = make(server)
    return made.more[name]


@contextmanager
def copy_of(backup: Path) -> Iterator[Path]:
    """Copy of a backup that may be damaged, with nothing beside it that could be its archive."""
    folder = Path(tempfile.mkdtemp(prefix="drill-damaged-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        place = folder / "far" / "away"  # members of chains are looked for in folders around it
        place.mkdir(parents=True)
        yield copied(backup, place / "backup")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
