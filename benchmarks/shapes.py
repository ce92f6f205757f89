"""The shapes of databases that are compared beside the shop: where ways of restoring differ."""

from __future__ import annotations

from benchmarks.sources import Shape, shop_script, small_tables_script

QUICK, QUICK_SINGLE = 0.15, 0.01
"""Shares of the full size in a quick run: each INSERT of one row waits for the disk (5 ms here)."""
QUICK_SHARES = {
    "INSERTs of many rows": 0.5,
    "one table": 0.3,
    "8 indexes a table": 0.3,
    "wide tables": 0.3,
    "generated columns": 0.4,
    "exclusion constraints": 0.04,
    "materialized views": 0.6,
    "expression indexes": 0.5,
    "LATIN1, transcoded": 0.8,
}
"""The same of shapes that took less than half a second in such a run, and of the longest of all."""
SHOPS = (240, 1200, 5400)
"""Megabytes of shops whose whole drills are compared: the largest takes half an hour a round."""

ONE = """
CREATE TABLE events (id bigint PRIMARY KEY, at timestamptz, kind text, body text, amount numeric);
INSERT INTO events SELECT n, timestamptz '2024-01-01' + n * interval '7 s', 'kind ' || n % 40,
    repeat(md5(n::text), 3), n % 9999 / 100.0 FROM generate_series(1, {n}) n;
"""
TOAST = """
CREATE TABLE documents (id serial PRIMARY KEY, body text NOT NULL);
INSERT INTO documents (body) SELECT (SELECT string_agg(md5((n * 1000 + i)::text), '')
    FROM generate_series(1, 640) i) FROM generate_series(1, {n}) n;
"""
PARTITIONS = """
CREATE TABLE readings (id bigint, sensor int, value float8, PRIMARY KEY (id))
    PARTITION BY RANGE (id);
DO $$ BEGIN FOR i IN 0..{parts} - 1 LOOP EXECUTE format(
    'CREATE TABLE readings_%s PARTITION OF readings FOR VALUES FROM (%s) TO (%s)',
    i, i * {each}, (i + 1) * {each}); END LOOP; END $$;
CREATE INDEX ON readings (sensor);
INSERT INTO readings SELECT n, n % 100, random() FROM generate_series(0, {parts} * {each} - 1) n;
"""
INDEXES = """
CREATE TABLE orders (id serial PRIMARY KEY, a int, b int, c text, d text, e date, f numeric);
INSERT INTO orders (a, b, c, d, e, f) SELECT n % 1000, (n * 7919::bigint) % 100000,
    md5(n::text), md5((n * 3)::text), date '2020-01-01' + n % 2000, n / 7.0
    FROM generate_series(1, {n}) n;
CREATE INDEX ON orders (a); CREATE INDEX ON orders (b); CREATE INDEX ON orders (c);
CREATE INDEX ON orders (d); CREATE INDEX ON orders (e); CREATE INDEX ON orders (f);
CREATE INDEX ON orders (a, e);
"""
LARGE_OBJECTS = """
CREATE TABLE files (id serial PRIMARY KEY, content oid);
DO $$ BEGIN FOR i IN 1..{n} BY 1000 LOOP
    INSERT INTO files (content) SELECT lo_from_bytea(0, decode(repeat(md5(n::text), 20), 'hex'))
        FROM generate_series(i, least(i + 999, {n})) n; END LOOP; END $$;
"""
KINDS = {
    "int": "n + {i}",
    "text": "'value ' || n % {i}",
    "numeric": "n / 3.0",
    "timestamptz": "timestamptz '2024-01-01' + n * interval '{i} s'",
}
COLUMNS = [(f"c{i}", *list(KINDS.items())[i % 4], i) for i in range(1, 201)]
WIDE = (
    f"CREATE TABLE wide (id int, {', '.join(f'{name} {kind}' for name, kind, *_ in COLUMNS)});\n"
    f"INSERT INTO wide SELECT n, {', '.join(value.format(i=i) for _, _, value, i in COLUMNS)}\n"
    "FROM generate_series(1, {n}) n;\nALTER TABLE wide ADD PRIMARY KEY (id);\n"
)
GENERATED = """
CREATE TABLE invoices (id serial PRIMARY KEY, net numeric NOT NULL, rate numeric NOT NULL,
    gross numeric GENERATED ALWAYS AS (net * (1 + rate)) STORED,
    words tsvector GENERATED ALWAYS AS (to_tsvector('english', note)) STORED, note text);
INSERT INTO invoices (net, rate, note) SELECT n / 3.0, n % 25 / 100.0,
    'the invoice ' || n || ' for ' || md5(n::text) FROM generate_series(1, {n}) n;
CREATE INDEX ON invoices (gross);
"""
EXCLUSION = """
CREATE TABLE bookings (id serial PRIMARY KEY, span int4range NOT NULL, who text,
    EXCLUDE USING gist (span WITH &&));
INSERT INTO bookings (span, who) SELECT int4range(n * 10, n * 10 + 9), md5(n::text)
    FROM generate_series(1, {n}) n;
"""
EXPRESSIONS = """
CREATE TABLE people (id serial PRIMARY KEY, email text, born date, extra jsonb);
INSERT INTO people (email, born, extra) SELECT 'P' || n || '@' || md5(n::text),
    date '1950-01-01' + n % 20000, jsonb_build_object('tag', n % 500, 'note', md5(n::text))
    FROM generate_series(1, {n}) n;
CREATE UNIQUE INDEX ON people (lower(email)); CREATE INDEX ON people ((extra ->> 'note'));
CREATE INDEX ON people (date_part('year', born)) WHERE born > '1970-01-01';
CREATE INDEX ON people USING gin (extra);
"""
LATIN = """
CREATE TABLE notes (id serial PRIMARY KEY, body text);
INSERT INTO notes (body) SELECT repeat('d' || chr(233) || 'j' || chr(224) || ' vu ', 10)
    || md5(n::text) FROM generate_series(1, {n}) n;
"""
VIEW = "CREATE MATERIALIZED VIEW {name} AS {query};\nCREATE INDEX ON {name} (id);\n"
VIEWS = ONE + "".join(
    VIEW.format(name=f"by_{n}", query=f"SELECT *, amount * {n} AS times FROM events")  # noqa: S608
    for n in range(1, 5)
)
OLD_STRINGS = (("PGOPTIONS", "-c standard_conforming_strings=off"),)


def shapes(*, quick: bool = False) -> list[Shape]:
    """Every shape; for a `quick` run a part of its rows, and without the largest."""

    def part(title: str, number: float) -> float:
        return number * QUICK_SHARES.get(title, QUICK) if quick else number

    def shape(title: str, script: str, number: int, encoding: str = "UTF8") -> Shape:
        rows = str(int(part(title, number)))
        return Shape(title, script.replace("{n}", rows), encoding=encoding)

    many, single = "INSERTs of many rows", shop_script(46 * (QUICK_SINGLE if quick else 1))
    found = [
        Shape(many, shop_script(part(many, 46)), ("--rows-per-insert=1000",)),
        Shape("INSERTs of one row", single, ("--inserts",)),
        Shape("E'' strings", single, ("--inserts",), environment=OLD_STRINGS),
        shape("one table", ONE, 1_500_000),
        shape("TOAST values", TOAST, 14_000),
        Shape("500 partitions", PARTITIONS.format(parts=int(part("", 500)), each=2000)),
        shape("8 indexes a table", INDEXES, 800_000),
        shape("20,000 large objects", LARGE_OBJECTS, 20_000),
        shape("wide tables", WIDE, 40_000),
        shape("generated columns", GENERATED, 400_000),
        shape("exclusion constraints", EXCLUSION, 300_000),
        shape("materialized views", VIEWS, 300_000),
        shape("expression indexes", EXPRESSIONS, 300_000),
        shape("LATIN1, transcoded", LATIN, 600_000, "LATIN1"),
        Shape("archives in zstd", shop_script(part("", 240)), compress="--compress=zstd"),
        Shape("3,000 tables", small_tables_script(int(part("", 3000)))),
    ]
    if quick:
        return found
    shops = [Shape(f"shop of {size:,} MB", shop_script(size)) for size in SHOPS]
    return [*found, Shape("10,000 tables", small_tables_script(10_000)), *shops]
