"""The rows that a finding is about: its query gives them, and their keys are shown on demand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from restore_drill.facts.row_keys import found_in, key_lines
from restore_drill.results.criterion import QUERY
from tests.helpers.cases import assert_queries_find_them, change, drop_made, failures, make, take
from tests.helpers.drills import run_drill
from tests.helpers.shop import Shops, pg_dump

SOUND = """
CREATE DOMAIN grade AS int CHECK (VALUE < 10);
CREATE TABLE "the parents" (id text PRIMARY KEY);
CREATE TABLE "Odd ""t" (
    "the key" text, part int, parent text CONSTRAINT f REFERENCES "the parents",
    n int, "not" int NOT NULL DEFAULT 1, given grade, code int, during int4range,
    PRIMARY KEY ("the key", part), CONSTRAINT code_key UNIQUE (code),
    CONSTRAINT overlap EXCLUDE USING gist (during WITH &&));
CREATE TABLE bare (n int NOT NULL);
CREATE TABLE counted (id serial PRIMARY KEY);
CREATE TABLE many (id int PRIMARY KEY, n int);
INSERT INTO "the parents" VALUES ('p');
INSERT INTO "Odd ""t" SELECT 'sound', n, 'p', 1, 1, 1, n, int4range(10 * n, 10 * n + 5)
    FROM generate_series(1, 20) n;
INSERT INTO counted SELECT FROM generate_series(1, 5);
INSERT INTO many SELECT n, n FROM generate_series(1, 50) n;
"""

DAMAGE = """
SET session_replication_role = replica;
UPDATE pg_index SET indisready = false WHERE indexrelid::regclass::text IN ('code_key', 'overlap');
UPDATE "Odd ""t" SET "the key" = 'orphan', parent = 'lost' WHERE part = 2;
UPDATE "Odd ""t" SET "the key" = 'checked', n = -1 WHERE part IN (3, 4);
ALTER TABLE "Odd ""t" ADD CONSTRAINT above CHECK (n > 0) NOT VALID;
UPDATE "Odd ""t" SET "the key" = 'shared', code = 99 WHERE part IN (5, 6);
UPDATE "Odd ""t" SET "the key" = 'graded', given = NULL WHERE part = 7;
ALTER DOMAIN grade ADD CONSTRAINT low CHECK (VALUE IS NOT NULL) NOT VALID;
UPDATE "Odd ""t" SET "the key" = 'overlaps', during = '[900,910]' WHERE part IN (8, 9);
ALTER TABLE "Odd ""t" ALTER "not" DROP NOT NULL;
UPDATE "Odd ""t" SET "the key" = 'empty', "not" = NULL WHERE part = 10;
UPDATE pg_attribute SET attnotnull = true WHERE attname = 'not';
ALTER TABLE bare ALTER n DROP NOT NULL;
INSERT INTO bare VALUES (NULL);
UPDATE pg_attribute SET attnotnull = true WHERE attrelid = 'bare'::regclass AND attname = 'n';
SELECT setval('counted_id_seq', 3);
ALTER TABLE many ADD CONSTRAINT high CHECK (n > 30) NOT VALID;
UPDATE pg_index SET indisready = true WHERE NOT indisready;
"""

KEYS = {
    "foreign key f": "(the key, part) (orphan, 2)",
    "check above": "(the key, part) (checked, 3), (checked, 4)",
    "unique code_key": "(the key, part) (shared, 5), (shared, 6)",
    "domain low of column given": "(the key, part) (graded, 7)",
    "exclusion overlap": "(the key, part) (overlaps, 8), (overlaps, 9)",
    "not null not": "(the key, part) (empty, 10)",
    "not null n": "no keys to show: the restored table has no primary key",
    "sequence public.counted_id_seq": "id 4, 5",
    "check high": "id 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, and more",
}
"""Each finding, and the keys of exactly the rows that were damaged for it."""


@pytest.fixture(autouse=True)
def few_databases() -> Iterator[None]:
    """Drop the databases of a test at its end."""
    yield
    drop_made()


def test_keys_are_those_of_the_damaged_rows(shops: Shops) -> None:
    """Every kind of damage has its query, which gives its rows and no others, and their keys."""
    target = make(shops, SOUND)
    assert key_lines(target, take(target)) == []
    change(target, DAMAGE)

    facts = take(target)
    lines = key_lines(target, facts)

    assert_queries_find_them(target, facts)
    found = [line.split(": ", 2) for line in lines]
    assert {what: keys for _, what, keys in found} == KEYS
    assert {table for table, *_ in found} == {
        'public.Odd "t', "public.bare", "public.counted", "public.many",
    }  # fmt: skip
    messages = "\n".join(failures(facts).values())
    queries = {each.query for each in found_in(facts)}
    assert set(QUERY.findall(messages)) == queries
    assert not any(word in messages for word in ("checked, 3", "overlaps", "shared", "graded"))


def test_keys_are_shown_on_the_terminal_alone(shops: Shops, tmp_path: Path) -> None:
    """With --show-keys the terminal ends with them; no file has them, and without it nothing."""
    word = "swordfish"
    source = make(
        shops,
        f"""CREATE TABLE parent (id int PRIMARY KEY);
        CREATE TABLE child (id text PRIMARY KEY, parent_id int);
        INSERT INTO child VALUES ('{word}', 7);
        ALTER TABLE child ADD CONSTRAINT of_parent FOREIGN KEY (parent_id) REFERENCES parent
            NOT VALID""",
    )
    path = pg_dump(source, tmp_path / "shop.dump", "-Fc")
    backup = f"--backup={path}"
    only = ("-k", "test_foreign_keys_hold")

    shown = run_drill(backup, *only, "--show-keys", report_dir=tmp_path / "shown")
    plain = run_drill(backup, *only, report_dir=tmp_path / "plain")

    query = "SELECT c.* FROM ONLY public.child c WHERE (c.parent_id IS NOT NULL) AND NOT EXISTS"
    for drill in (shown, plain):
        assert drill.code == 1
        assert f"find them: {query}" in drill.output
        (check,) = [each for each in drill.result["checks"] if "queries" in each]
        assert check["queries"][0].startswith(query)
        page = (drill.report_dir / "report.html").read_text()
        assert f'<pre class="query"><code>{query}' in page
    assert f"public.child: foreign key of_parent: id {word}" in shown.output
    assert word not in plain.output
    written = [file for file in tmp_path.rglob("*") if file.is_file() and file != path]
    assert len(written) > 6
    assert not any(word.encode() in file.read_bytes() for file in written)
