"""The databases that are dumped for the benchmark: shops of any size, and many small tables."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from restore_drill.servers.embedded import EmbeddedServer
from restore_drill.servers.model import Target

CARDS_A_MEGABYTE = 2560
"""Cards of a shop whose plain dump takes a megabyte, found by trying."""

SHOP = """
CREATE TABLE artists (id serial, name text NOT NULL, bio text);
CREATE TABLE customers (id serial, email text NOT NULL, name text NOT NULL, joined timestamptz);
CREATE TABLE cards (
    id serial, title text NOT NULL, artist_id integer NOT NULL,
    price numeric(10, 2) NOT NULL CHECK (price > 0), attributes jsonb, listed timestamptz NOT NULL
);
CREATE TABLE purchases (
    id serial, customer_id integer NOT NULL, amount numeric(12, 2) NOT NULL,
    bought_at timestamptz NOT NULL, note text
);
CREATE TABLE lines (
    id bigserial, purchase_id integer NOT NULL, card_id integer NOT NULL,
    quantity integer NOT NULL, price numeric(10, 2)
);
INSERT INTO artists (name, bio)
    SELECT 'artist ' || n, md5(n::text) || repeat(md5((n * 7)::text), 6)
    FROM generate_series(1, {cards} / 40 + 1) n;
INSERT INTO customers (email, name, joined)
    SELECT 'c' || n || '@' || md5(n::text) || '.example', 'customer ' || n,
           timestamptz '2020-01-01' + n * interval '9 minutes'
    FROM generate_series(1, {cards} / 4 + 1) n;
INSERT INTO cards (title, artist_id, price, attributes, listed)
    SELECT md5((n * 13)::text) || ' card ' || n, 1 + n % ({cards} / 40 + 1),
           1 + n % 9900 / 100.0, jsonb_build_object('set', n % 300, 'foil', n % 7 = 0,
           'tags', jsonb_build_array(md5(n::text), n % 50)),
           timestamptz '2021-01-01' + n * interval '3 minutes'
    FROM generate_series(1, {cards}) n;
INSERT INTO purchases (customer_id, amount, bought_at, note)
    SELECT 1 + (n * 7919::bigint) % ({cards} / 4 + 1), n % 100000 / 100.0,
           timestamptz '2022-01-01' + n * interval '97 seconds',
           CASE WHEN n % 3 = 0 THEN md5(n::text) || ' please wrap it' END
    FROM generate_series(1, {cards}) n;
INSERT INTO lines (purchase_id, card_id, quantity, price)
    SELECT 1 + (n * 104729::bigint) % {cards}, 1 + (n * 15485863::bigint) % {cards}, 1 + n % 4,
           1 + n % 9900 / 100.0
    FROM generate_series(1, {cards} * 5) n;
ALTER TABLE artists ADD PRIMARY KEY (id), ADD UNIQUE (name);
ALTER TABLE customers ADD PRIMARY KEY (id), ADD UNIQUE (email);
ALTER TABLE cards ADD PRIMARY KEY (id), ADD FOREIGN KEY (artist_id) REFERENCES artists;
ALTER TABLE purchases ADD PRIMARY KEY (id), ADD FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE lines ADD PRIMARY KEY (id), ADD FOREIGN KEY (purchase_id) REFERENCES purchases,
    ADD FOREIGN KEY (card_id) REFERENCES cards;
CREATE INDEX cards_artist_idx ON cards (artist_id);
CREATE INDEX cards_title_idx ON cards (title);
CREATE INDEX purchases_customer_idx ON purchases (customer_id, bought_at);
CREATE INDEX purchases_bought_idx ON purchases (bought_at);
CREATE INDEX lines_purchase_idx ON lines (purchase_id);
CREATE INDEX lines_card_idx ON lines (card_id);
"""

SMALL_TABLE = """
CREATE TABLE t{n} (
    id serial PRIMARY KEY, parent_id integer, name text NOT NULL, code text UNIQUE, at timestamptz
);
CREATE INDEX ON t{n} (parent_id);
CREATE INDEX ON t{n} (at);
INSERT INTO t{n} (parent_id, name, code, at)
    SELECT n, 'name ' || n, md5((n * {n})::text), now() FROM generate_series(1, 200) n;
"""
SMALL_KEY = "ALTER TABLE t{n} ADD FOREIGN KEY (parent_id) REFERENCES t{m};\n"


INDEXES = """
SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class c ON c.oid = indrelid
WHERE c.relnamespace = 'public'::regnamespace ORDER BY pg_relation_size(c.oid) DESC
"""
JOINS = """
SELECT format('SELECT count(*) FROM %1$s c LEFT JOIN %2$s p ON p.%3$I = c.%4$I'
              ' WHERE p.%3$I IS NULL AND c.%4$I IS NOT NULL', conrelid::regclass,
              confrelid::regclass, p.attname, c.attname)
FROM pg_constraint
JOIN pg_attribute c ON c.attrelid = conrelid AND c.attnum = conkey[1]
JOIN pg_attribute p ON p.attrelid = confrelid AND p.attnum = confkey[1]
WHERE contype = 'f' ORDER BY pg_relation_size(conrelid) DESC
"""


@dataclass(frozen=True)
class Source:
    """Dumps of one benchmark database by format, and what they hold.

    `rows` by table; `indexes` (statements) and `joins` (queries of the foreign keys) in the order
    of their tables' sizes, the largest first.
    """

    name: str
    dumps: dict[str, Path]
    rows: dict[str, int]
    indexes: list[str]
    joins: list[str]


def shop_script(megabytes: float) -> str:
    """SQL of a shop whose plain dump takes about `megabytes`."""
    return SHOP.format(cards=int(megabytes * CARDS_A_MEGABYTE))


def small_tables_script(count: int) -> str:
    """SQL of `count` small tables with keys, each referencing the one before it."""
    tables = [SMALL_TABLE.format(n=n) for n in range(1, count + 1)]
    keys = [SMALL_KEY.format(n=n, m=n - 1) for n in range(2, count + 1)]
    parts = ["".join(some) for whole in (tables, keys) for some in batched(whole, 500)]
    return NEXT.join(parts)


NEXT = "-- next transaction\n"
"""Parts a script: what follows is a transaction of its own (10,000 tables have many locks)."""

FORMATS: dict[str, tuple[str, ...]] = {
    "plain": ("sql", "--format=plain"),
    "directory": ("dir", "--format=directory", "--jobs=2"),
    "custom": ("dump", "--format=custom"),
    "tar": ("tar", "--format=tar"),
    "schema": ("schema.sql", "--section=pre-data"),
}


@dataclass(frozen=True)
class Shape:
    """A database that `script` makes, in `encoding`, and how pg_dump dumps it.

    `compress` is an option for the archive in a directory alone. It is restored into UTF8.
    """

    title: str
    script: str
    options: tuple[str, ...] = ()
    compress: str = ""
    encoding: str = "UTF8"
    environment: tuple[tuple[str, str], ...] = ()


def make_source(server: EmbeddedServer, name: str, shape: Shape, folder: Path) -> Source:
    """Make the database `name` of `shape` on `server` and dump it in each format."""
    target = server.create_database(name, encoding=shape.encoding)
    with target.connect() as connection:
        for part in shape.script.split(NEXT):
            connection.execute(part.encode(shape.encoding.lower()))
    environment = dict(shape.environment)
    dumps = {}
    for form, (suffix, *options) in FORMATS.items():
        own = [
            *options,
            *shape.options,
            *([shape.compress] if shape.compress and form == "directory" else []),
        ]
        dumps[form] = dump(target, folder / f"{name}.{suffix}", *own, **environment)
    with target.connect() as connection:
        indexes = [text for (text,) in connection.execute(INDEXES).fetchall()]
        joins = [text for (text,) in connection.execute(JOINS).fetchall()]
    return Source(name, dumps, count_rows(target), indexes, joins)


def batched(texts: list[str], size: int) -> list[list[str]]:
    """Parts of `texts` with at most `size` each."""
    return [texts[first : first + size] for first in range(0, len(texts), size)]


def dump(target: Target, path: Path, *options: str, **environment: str) -> Path:
    """Dump `target` to `path` with its own pg_dump; CalledProcessError where that fails."""
    command = [target.binaries.tool("pg_dump"), "--no-password", f"--file={path}", *options]
    subprocess.run(command, env={**target.tool_environment, **environment}, check=True)
    return path


def count_rows(target: Target) -> dict[str, int]:
    """Rows of each table and materialized view in the schema public, and large objects."""
    with target.connect() as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class"
            " WHERE relkind IN ('r', 'm') AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        counts = {}
        objects = connection.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone()
        for (name,) in tables:
            row = connection.execute(f'SELECT count(*) FROM public."{name}"').fetchone()  # noqa: S608
            counts[name] = int(row[0]) if row else 0
    return counts | {"large objects": int(objects[0]) if objects else 0}
