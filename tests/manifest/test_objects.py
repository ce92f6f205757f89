"""Objects beside the tables that are compared by what they are, not by their names alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from restore_drill.damages.copies import copied
from restore_drill.facts.snapshot import read_fingerprint
from restore_drill.manifest.settle import compare_by_dump
from restore_drill.servers.model import Target
from tests.helpers.shop import USUAL, Shops, fill_shop, quiet

SOURCE = """
CREATE TYPE pair AS (a int, b int);
CREATE FUNCTION of_pair(pair) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1.a';
CREATE FUNCTION of_pair_too(pair) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1.b';
CREATE CAST (pair AS int) WITH FUNCTION of_pair(pair) AS ASSIGNMENT;
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
CREATE FUNCTION backwards(int, int) RETURNS int IMMUTABLE LANGUAGE sql
    AS 'SELECT btint4cmp($2, $1)';
CREATE FUNCTION forwards(int, int) RETURNS int IMMUTABLE LANGUAGE sql
    AS 'SELECT btint4cmp($1, $2)';
CREATE OPERATOR CLASS usual FOR TYPE int USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
    FUNCTION 1 forwards(int, int);
CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0',
    MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = int, MINITCOND = '0');
CREATE COLLATION mixed (LC_COLLATE = 'C', LC_CTYPE = 'POSIX');
CREATE TABLE t (id int PRIMARY KEY, owner text, is_open bool, is_admin bool, at date);
CREATE POLICY seen ON t USING ((is_open OR is_admin) AND owner = 'me');
CREATE VIEW counted AS SELECT (id + 1) * 2 AS n, id AS m FROM (SELECT id, owner FROM t) x;
CREATE INDEX open ON t (id) WHERE is_open AND (is_admin OR owner IS NULL);
ALTER TABLE t ADD CHECK (owner IN ('me', 'you') OR is_open), ALTER at SET DEFAULT now()::date;
CREATE ROLE another NOLOGIN;
CREATE TYPE sorted AS (a text COLLATE "C");
CREATE TYPE texts AS RANGE (subtype = text, subtype_opclass = text_pattern_ops);
CREATE TABLE parent (a int);
CREATE TABLE child (x int, y int) INHERITS (parent);
CREATE CONVERSION latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE TYPE small;
CREATE FUNCTION small_in(cstring) RETURNS small IMMUTABLE STRICT LANGUAGE internal AS 'int4in';
CREATE FUNCTION small_out(small) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'int4out';
CREATE TYPE small (INPUT = small_in, OUTPUT = small_out);
CREATE TABLE casts (a text, b char(10), nm text, arr text[], at timestamp,
    CONSTRAINT of_array CHECK ((arr)::varchar(3)[] <> ARRAY['abc'::varchar(3)]));
CREATE UNIQUE INDEX of_text ON casts ((a::text));
CREATE UNIQUE INDEX of_name ON casts ((nm::text));
CREATE VIEW arrays AS SELECT a FROM casts WHERE arr::int[] = '{1,2}'::int[];
CREATE VIEW late AS SELECT a FROM casts WHERE at > '2024-01-01 12:00'::timestamp;
CREATE VIEW padded AS SELECT a FROM casts WHERE b::text = a;
CREATE VIEW swapped AS SELECT x.n FROM (SELECT a::date AS n, nm::date AS m FROM casts) x;
"""
CHANGES = {
    """DROP CAST (pair AS int); CREATE CAST (pair AS int) WITH FUNCTION of_pair(pair)
        AS IMPLICIT""": "object cast (public.pair AS integer)",
    """DROP CAST (pair AS int); CREATE CAST (pair AS int) WITH FUNCTION of_pair_too(pair)
        AS ASSIGNMENT""": "object cast (public.pair AS integer)",
    """DROP OPERATOR === (int, int); CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int,
        FUNCTION = int4ne)""": "object operator public.===(integer,integer)",
    """DROP OPERATOR FAMILY usual USING btree; CREATE OPERATOR CLASS usual FOR TYPE int USING btree
        AS OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <,
        FUNCTION 1 backwards(int, int)""": "object operator family public.usual USING btree",
    """CREATE OR REPLACE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0',
        MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = int, MINITCOND = '7')""":
        "function public.total(integer)",
    "DROP COLLATION mixed; CREATE COLLATION mixed (LC_COLLATE = 'C', LC_CTYPE = 'C')":
        "collation public.mixed",
    "ALTER POLICY seen ON t USING (is_open OR (is_admin AND owner = 'me'))": "policy public.t.seen",
    """CREATE OR REPLACE VIEW counted AS SELECT id + 1 * 2 AS n, id AS m
        FROM (SELECT id, owner FROM t) x""":
        "view public.counted",
    "DROP INDEX open; CREATE INDEX open ON t (id) WHERE (is_open AND is_admin) OR owner IS NULL":
        "index public.open",
    "ALTER TABLE t ALTER at SET DEFAULT (now() AT TIME ZONE 'UTC')::date":
        "default of public.t.at",
    "DROP INDEX of_text; CREATE UNIQUE INDEX of_text ON casts ((a::name))": "index public.of_text",
    "DROP INDEX of_name; CREATE UNIQUE INDEX of_name ON casts ((nm::bpchar))":
        "index public.of_name",
    """ALTER TABLE casts DROP CONSTRAINT of_array, ADD CONSTRAINT of_array
        CHECK ((arr)::varchar[] <> ARRAY['abc'::varchar(3)])""":
        "constraint public.casts.of_array",
    """CREATE OR REPLACE VIEW arrays AS SELECT a FROM casts
        WHERE arr::numeric[] = '{1,2}'::numeric[]""": "view public.arrays",
    """CREATE OR REPLACE VIEW late AS SELECT a FROM casts
        WHERE at > ('2024-01-01 12:00'::timestamp)::date""": "view public.late",
    "CREATE OR REPLACE VIEW padded AS SELECT a FROM casts WHERE b = a::bpchar":
        "view public.padded",
    """CREATE OR REPLACE VIEW swapped AS
        SELECT x.n FROM (SELECT a::date AS m, nm::date AS n FROM casts) x""":
        "view public.swapped",
    'ALTER TYPE sorted ALTER ATTRIBUTE a SET DATA TYPE text COLLATE "POSIX"':
        "details of type public.sorted",
    "DROP TYPE texts; CREATE TYPE texts AS RANGE (subtype = text, subtype_opclass = text_ops)":
        "details of type public.texts",
    "ALTER TYPE small SET (STORAGE = extended)": "details of type public.small",
    "DROP TABLE child; CREATE TABLE child (y int, x int) INHERITS (parent)":
        "order of the columns of public.child",
    "ALTER OPERATOR CLASS usual USING btree OWNER TO another":
        "owner of operator class public.usual USING btree",
    "ALTER OPERATOR FAMILY usual USING btree OWNER TO another":
        "owner of operator family public.usual USING btree",
    "ALTER CONVERSION latin OWNER TO another": "owner of conversion public.latin",
}  # fmt: skip


@pytest.fixture(scope="module")
def source(shops: Shops) -> Target:
    """A database with one of each object."""
    made = shops.database(USUAL, "objects")
    fill_shop(made, SOURCE)
    return made


@pytest.mark.parametrize("change", CHANGES)
def test_another_definition_is_named(change: str, source: Target) -> None:
    """An object of the same name that does something else is not the same."""
    was = read_fingerprint(source, 1, quiet)
    with copied(source) as copy:
        fill_shop(copy, change)
        found = compare_by_dump(was, read_fingerprint(copy, 1, quiet), copy, source=source)

    assert f"{CHANGES[change]} has changed" in found.schema


def test_names_are_compared_with_an_older_manifest(source: Target) -> None:
    """Where an older version held definitions otherwise, what is missing is missing still."""
    now = read_fingerprint(source, 1, quiet)
    older = {kind: dict.fromkeys(names, "held otherwise") for kind, names in now.schema.items()}
    was = replace(now, schema=older, revisions={}, written=None)
    with copied(source) as copy:
        fill_shop(copy, "DROP INDEX open; DROP POLICY seen ON t")
        found = compare_by_dump(was, read_fingerprint(copy, 1, quiet), copy)

    lost = {"index public.open is missing", "policy public.t.seen is missing"}
    assert lost <= set(found.schema)
    assert not any(each.name == "public.counted" for each in found.objects)
    assert "the definition of 5 views" in dict(found.not_compared)
