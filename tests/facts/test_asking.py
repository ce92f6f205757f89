"""What is asked many at a time is answered as it would be alone, whatever stands beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from restore_drill.facts import asking, jobs
from restore_drill.facts.answers import HEAP_ONLY, Outcome, answer
from restore_drill.facts.asking import Asking, Question, ask_all
from restore_drill.facts.checks.storage import STORAGE
from restore_drill.facts.checks.views import UNRESOLVED_VIEWS
from restore_drill.facts.collect import read_facts
from restore_drill.facts.fingerprint import Fingerprint
from restore_drill.facts.model import Facts
from restore_drill.facts.schema.reading import Wanted
from restore_drill.facts.session import Connection, open_session
from restore_drill.facts.snapshot import SnapshotReading
from restore_drill.servers.model import Target
from tests.helpers.cases import change, drop_made, make
from tests.helpers.shop import Shops, quiet

HEALTHY = Path(__file__).parent / "cases" / "sound" / "every_feature.sql"
BROKEN = """
CREATE SCHEMA broken;
SET search_path = broken, public;
CREATE TABLE repeated (id int, name text UNIQUE, code int UNIQUE);
INSERT INTO repeated SELECT n, 'name ' || n, n FROM generate_series(1, 9) n;
CREATE TABLE lone (id serial PRIMARY KEY, repeated_code int REFERENCES repeated (code));
INSERT INTO lone (repeated_code) SELECT n FROM generate_series(1, 5) n;
CREATE TABLE crowd (id int, span int4range, EXCLUDE USING gist (span WITH &&));
INSERT INTO crowd SELECT n, int4range(10 * n, 10 * n + 5) FROM generate_series(1, 5) n;
CREATE FUNCTION fine(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE TABLE checked (n int NOT NULL, m int NOT NULL CHECK (m > 0), CHECK (fine(n)));
INSERT INTO checked SELECT n, n FROM generate_series(1, 5) n;
CREATE FUNCTION order_of(int, int) RETURNS int LANGUAGE sql IMMUTABLE STRICT
    AS 'SELECT btint4cmp($1, $2)';
CREATE OPERATOR CLASS own_ops FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=,
    OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 order_of(int, int);
CREATE TABLE turned (n int);
INSERT INTO turned SELECT generate_series(1, 50);
CREATE UNIQUE INDEX turned_idx ON turned (n own_ops);
CREATE FUNCTION told(int) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1::text';
CREATE UNIQUE INDEX by_told ON turned (told(n));
CREATE VIEW seen AS SELECT told(n) FROM turned;
CREATE MATERIALIZED VIEW kept AS SELECT told(n) AS told FROM turned;
CREATE TYPE held AS (note text);
CREATE TABLE holding (id int PRIMARY KEY, held held);
INSERT INTO holding VALUES (1, ROW('a'));
CREATE TABLE torn (id int);
INSERT INTO torn VALUES (1);
CREATE TABLE whole (id int PRIMARY KEY);
INSERT INTO whole SELECT generate_series(1, 100);
"""
DAMAGE = """
SET search_path = broken, public;
SET session_replication_role = replica;
UPDATE pg_index SET indisunique = false WHERE indexrelid = 'broken.repeated_name_key'::regclass;
UPDATE repeated SET name = 'name 1' WHERE id = 2;
DELETE FROM repeated WHERE code = 3;
UPDATE pg_attribute SET attnotnull = false WHERE attrelid = 'checked'::regclass;
UPDATE pg_constraint SET convalidated = false WHERE conname = 'checked_m_check';
UPDATE checked SET n = NULL WHERE m = 2;
UPDATE pg_attribute SET attnotnull = true WHERE attrelid = 'checked'::regclass AND attnum > 0;
SELECT setval('lone_id_seq', 2);
CREATE OR REPLACE FUNCTION fine(int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS
    $$BEGIN RAISE EXCEPTION 'row %', $1; END$$;
CREATE OR REPLACE FUNCTION told(int) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
    $$BEGIN IF $1 = 7 THEN RAISE EXCEPTION 'row %', $1; END IF; RETURN $1::text; END$$;
CREATE OR REPLACE FUNCTION order_of(int, int) RETURNS int LANGUAGE sql IMMUTABLE STRICT
    AS 'SELECT btint4cmp($2, $1)';
"""
READER = """
CREATE ROLE asking_reader LOGIN;
GRANT USAGE ON SCHEMA broken, "Odd, schema" TO asking_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA broken, public TO asking_reader;
REVOKE SELECT ON broken.crowd, broken.lone, public.lines_0 FROM asking_reader;
"""


@pytest.fixture(scope="module")
def broken(shops: Shops) -> Iterator[Target]:
    """A database of every feature, and of tables that are broken in many ways."""
    target = make(shops, HEALTHY.read_text() + BROKEN)
    change(target, "SET allow_system_table_mods = on;" + DAMAGE, analyzed=False)
    change(target, READER, analyzed=False)
    with target.connect() as connection:
        connection.execute("CHECKPOINT")
        file = connection.execute("SELECT pg_relation_filepath('broken.torn')").fetchone()
        data = connection.execute("SHOW data_directory").fetchone()
    assert file is not None and data is not None
    with (Path(data[0]) / file[0]).open("ab") as pages:
        pages.write(b"\xff" * 8192)
    yield target
    drop_made()
    change(shops.source(15), "DROP ROLE asking_reader", analyzed=False)


def alone_and_together(
    monkeypatch: pytest.MonkeyPatch, target: Target, connections: int
) -> tuple[Facts, Facts]:
    """All facts of `target`, each question asked by itself, and many asked at a time."""

    def take() -> Facts:
        wanted = Wanted("SELECT 1")
        return read_facts(target, None, connections, quiet, as_major=15, drifting=wanted)

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "SMALL", -1)
        patch.setattr(asking, "together", None)  # nothing may be asked with anything else
        alone = take()
    return alone, take()


@pytest.mark.parametrize("connections", [1, 2])
def test_facts_are_the_same_alone_and_together(
    connections: int, broken: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Damage of one table is found as without the others, and theirs beside it."""
    alone, together = alone_and_together(monkeypatch, broken, connections)

    for field in fields(Facts):
        assert getattr(together, field.name) == getattr(alone, field.name), field.name
    assert "invalid page in block 1" in together.unreadable["broken.torn"]
    wrong = {each.name: each for each in together.constraints if each.is_broken}
    assert wrong["repeated_name_key"].broken == 1
    assert (wrong["n"].kind, wrong["n"].broken) == ("not null", 1)
    assert "raised in function broken.fine" in wrong["checked_n_check"].error
    assert "raised in function broken.told" in wrong["by_told"].error
    assert [key.name for key in together.foreign_keys if key.is_broken] == [
        "lone_repeated_code_fkey"
    ]
    assert [each.name for each in together.sequences if not each.is_ahead] == ["broken.lone_id_seq"]
    damage = "\n".join(together.of(STORAGE).damage)
    assert "index broken.turned_idx on broken.turned" in damage
    assert "table broken.torn: invalid page" in damage
    assert together.of(UNRESOLVED_VIEWS) == {}
    assert together.fingerprint is not None
    assert together.fingerprint.tables["broken.torn"].rows is None
    assert together.fingerprint.tables["broken.whole"].rows == together.rows["broken.whole"] == 100


def test_facts_are_the_same_where_rights_are_missing(
    broken: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that may not be read costs its own facts alone."""
    conninfo = {**broken.conninfo, "user": "asking_reader"}
    target = replace(broken, conninfo=conninfo, throwaway=False)

    alone, together = alone_and_together(monkeypatch, target, 2)

    for field in fields(Facts):
        assert getattr(together, field.name) == getattr(alone, field.name), field.name
    assert "permission denied for table crowd" in together.unreadable["broken.crowd"]
    assert "permission denied for table lines_0" in together.unreadable["public.lines"]
    assert together.rows["broken.whole"] == 100


def fingerprint_in_snapshot(target: Target) -> Fingerprint:
    """Fingerprint as it is taken for a manifest."""
    with SnapshotReading(target, 2) as reading:
        return reading.read(quiet)


def test_a_manifest_holds_the_same(broken: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one snapshot too a table that cannot be read leaves the others, and its own message."""
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "SMALL", -1)
        alone = fingerprint_in_snapshot(broken)

    together = fingerprint_in_snapshot(broken)

    assert together == alone
    assert [each.split(":")[0] for each in together.unread] == ["broken.torn"]


@pytest.fixture
def connection(shops: Shops) -> Iterator[Connection]:
    """A session in an empty database."""
    with closing(open_session(make(shops, ""))) as session:
        yield session
    drop_made()


def question(*queries: str, before: tuple[str, ...] = ()) -> Asking[list[Outcome]]:
    """Asks `queries` one after the other."""
    found = []
    for query in queries:
        found += [(yield Question(query, before))]
    return found


def test_an_error_stays_with_its_question(connection: Connection) -> None:
    """Rows, no row, an error, a timeout: each is given to who has asked, in whatever round."""
    short = ("SET LOCAL statement_timeout = 50",)
    asked = [
        question("SELECT 1", "SELECT 10 / 0", "SELECT 100"),
        question("SELECT 2, 'b'"),
        question("SELECT 3 WHERE false", "SELECT 30"),
        question("SELECT 4", before=short),
        question("SELECT pg_sleep(9)", "SELECT 50", before=short),
        question("SHOW enable_indexscan", before=HEAP_ONLY),
        question("SHOW enable_indexscan"),
    ]

    found = ask_all(connection, asked)

    rows = [[outcome.row for outcome in outcomes] for outcomes in found]
    assert rows == [
        [(1,), None, (100,)],
        [(2, "b")],
        [None, (30,)],
        [(4,)],
        [None, (50,)],
        [("off",)],
        [("on",)],
    ]
    assert found[0][1] == answer(connection, "SELECT 10 / 0")
    assert found[0][1].sqlstate == "22012"
    assert "statement timeout" in found[4][0].error
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_many_questions_are_one_message(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is asked once for all of them, and one by one where it refuses."""
    sent: list[str] = []

    def note(connection: Connection, query: str, before: tuple[str, ...] = ()) -> Outcome:
        sent.append(query)
        return answer(connection, query, before)

    monkeypatch.setattr(asking, "answer", note)

    ask_all(connection, [question(f"SELECT {number}") for number in range(50)])
    assert sent == []
    ask_all(connection, [question(f"SELECT 1 / {number}") for number in range(3)])
    assert sent == [f"SELECT 1 / {number}" for number in range(3)]


def test_a_lost_connection_is_no_answer(connection: Connection) -> None:
    """A server that goes away ends all, and nobody is told that a question had no row."""
    asked = [question("SELECT 1"), question("SELECT pg_terminate_backend(pg_backend_pid())")]

    with pytest.raises(psycopg.OperationalError):
        ask_all(connection, asked)


class Table(NamedTuple):
    """What is asked about."""

    label: str


def test_small_questions_go_together_and_all_connections_get_some() -> None:
    """Large tables stand alone; of the small ones each job has some, and none too many."""

    def made(costs: list[int], connections: int) -> list[tuple[str, float]]:
        asked = [
            jobs.Asked(lambda _: question("SELECT 1"), Table(f"rows of {n}"), pages, 1)
            for n, pages in enumerate(costs)
        ]
        return [(job.label, job.cost) for job in jobs.jobs_of(asked, connections)]

    assert made([], 2) == []
    assert made([5], 2) == [("rows of 0", 5)]
    assert made([1, 500, 1, 1, 1], 1) == [
        ("rows of 1", 500),
        ("2 small checks from rows of 0 on", 2),
        ("2 small checks from rows of 3 on", 2),
    ]
    assert len(made([1] * 8, 2)) == 4
    assert len(made([1] * 1000, 2)) == 10


def test_tables_of_a_name_that_needs_quotes_have_fingerprints(shops: Shops) -> None:
    """Names are quoted in the query for content, whatever is in them."""
    target = make(shops, 'CREATE TABLE "a""b" ("c""{}d" int, h0 int, "H h" text)')
    change(target, """INSERT INTO "a""b" VALUES (1, 2, 'x')""")

    found = fingerprint_in_snapshot(target).tables['public.a"b']

    assert (found.rows, list(found.columns)) == (1, ["H h", 'c"{}d', "h0"])
    drop_made()
