"""Fingerprints: equal where the data is, on any major version and with any setting."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from restore_drill.facts.collect import read_facts
from restore_drill.facts.fingerprint import Fingerprint, Position, SequenceFacts
from restore_drill.facts.schema.definition import words_of
from restore_drill.facts.snapshot import SnapshotReading
from restore_drill.manifest.compare import compare
from restore_drill.servers.model import Target
from tests.helpers.manifests import ODDITIES, fingerprint
from tests.helpers.shop import Shops, majors, pg_dump, quiet, require_major

OTHER_SETTINGS = (
    "datestyle = 'German, DMY'", "intervalstyle = 'sql_standard'", "timezone = 'Asia/Tokyo'",
    "extra_float_digits = -10", "bytea_output = 'escape'", "search_path = odd, public",
    "quote_all_identifiers = on", "standard_conforming_strings = off", "row_security = off",
    "xmlbinary = hex", "statement_timeout = '1h'", "default_transaction_read_only = on",
)  # fmt: skip


def test_copy_is_equal(was: Fingerprint, shop: Callable[..., Target]) -> None:
    """A restored copy has no difference at all, and nothing in it is left uncompared."""
    found = compare(was, fingerprint(shop(15)))

    assert found.lines == []
    assert found.not_compared == ()


@pytest.mark.parametrize(("major", "into"), [(15, 15), (18, 18), (14, 15), (14, 18), (17, 18)])
def test_fingerprints_agree_between_majors(
    major: int, into: int, shops: Shops, shop: Callable[..., Target], tmp_path: Path
) -> None:
    """A database with odd types and definitions is equal after a restore into a newer major."""
    require_major(into)
    shops.source(into)
    source = shop(major, ODDITIES)
    dump = pg_dump(source, tmp_path / "odd.dump", "--format=custom")
    target = shops.database(into, f"odd_{major}_{into}")
    subprocess.run(
        [target.binaries.tool("pg_restore"), f"--dbname={target.conninfo['dbname']}", str(dump)],
        env=target.tool_environment, check=True, capture_output=True,
    )  # fmt: skip

    restored = read_facts(target, None, 2, quiet, as_major=major).fingerprint
    assert restored is not None
    found = compare(fingerprint(source), restored)

    assert found.lines == []
    assert found.same_hash
    skipped = {what for what, _ in found.not_compared}
    assert "column odd.kinds.unstable" in skipped
    assert ("text of each" in str(skipped)) is (major < 16 <= into)


TWISTED = """
CREATE TABLE odd.named (h0 int NOT NULL, hh text CHECK (hh <> ''), "H" numeric, "?" int);
CREATE TABLE odd.of_system (n int CHECK (tableoid > 0 AND n > 0));
CREATE TABLE odd.without ();
CREATE FUNCTION odd.fine(int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
CREATE TABLE odd.judged (n int CHECK (odd.fine(n)), m int NOT NULL);
CREATE MATERIALIZED VIEW odd.gathered AS SELECT n FROM generate_series(1, 9) n;
INSERT INTO odd.named SELECT n, md5(n::text), n / 7.0 FROM generate_series(1, 50) n;
INSERT INTO odd.of_system SELECT generate_series(1, 50);
INSERT INTO odd.without DEFAULT VALUES;
INSERT INTO odd.judged SELECT n, n FROM generate_series(1, 50) n;
CREATE OR REPLACE FUNCTION odd.fine(int) RETURNS bool LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'no'; END$$;
SELECT lo_from_bytea(0, 'content');
"""
"""Tables whose conditions and fingerprints can, or cannot, be read in one pass."""


@pytest.mark.parametrize("major", majors(18))
def test_facts_hold_the_same_fingerprints(major: int, shop: Callable[..., Target]) -> None:
    """In the passes over a copy a database is what it is when it is read for its manifest."""
    target = shop(major, ODDITIES + TWISTED)

    facts = read_facts(target, None, 2, quiet, as_major=99)

    assert facts.fingerprint == fingerprint(target)
    (broken,) = (each for each in facts.constraints if each.broken != 0)
    assert broken.name == "judged_n_check"
    assert broken.error == "raise_exception (SQLSTATE P0001): raised in function odd.fine"
    assert facts.rows["odd.judged"] == facts.rows["odd.of_system"] == 50


def test_what_cannot_be_identified_is_never_equal(shop: Callable[..., Target]) -> None:
    """Where the sequences may not be read there is no fingerprint to compare, but the reason."""
    target = shop(15, "CREATE ROLE reads_nothing LOGIN")
    poor = replace(target, conninfo={**target.conninfo, "user": "reads_nothing"}, throwaway=False)

    facts = read_facts(poor, None, 2, quiet, as_major=15)

    assert facts.fingerprint is None
    assert facts.why_no_fingerprint.startswith("permission denied for")


def test_settings_of_the_database_change_nothing(
    shop: Callable[..., Target],
) -> None:
    """Fingerprints are the same whatever the database, the role and the client have set."""
    target = shop(15, ODDITIES)
    before = fingerprint(target)
    name = target.conninfo["dbname"]
    with target.connect() as connection:
        for setting in OTHER_SETTINGS:
            connection.execute(f"ALTER DATABASE {name} SET {setting}".encode())
    os.environ["PGTZ"] = "Europe/Berlin"
    try:
        after = fingerprint(target)
    finally:
        del os.environ["PGTZ"]

    assert len(after.settings) == len(OTHER_SETTINGS)
    assert replace(after, settings=before.settings) == before
    assert "settings of the database" in str(compare(after, before).not_compared)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "(s = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
            "(s = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text]))",
        ),
        ("(((a > 1) AND (a < 9)) AND (b = 2))", "((a > 1) AND (a < 9) AND (b = 2))"),
        (" SELECT 'x'::text\n", "SELECT 'x'::text AS text"),
        (" SELECT '-1'::integer", "SELECT '-1'::integer AS int4"),
        (
            " SELECT now()::timestamp with time zone",
            "SELECT now()::timestamp with time zone AS timestamptz",
        ),
        ("((('x'::cidr))::inet)", "('x'::cidr)::inet"),
        ("""(ARRAY[1])::"my schema"."my type"[]""", """ARRAY[(1)::"my schema"."my type"]"""),
        ("(ARRAY[(a + b), f(c)])::numeric[]", "ARRAY[((a + b))::numeric, (f(c))::numeric]"),
        ("(ARRAY[ARRAY[a], ARRAY[b]])::text[]", "ARRAY[ARRAY[(a)::text], ARRAY[(b)::text]]"),
        ("(ARRAY[a, b])::text[]", "ARRAY[(a)::text[], (b)::text[]]"),
        ("(ARRAY[v])::public.texts", "(ARRAY[(v)::text])::public.texts"),
        ("(a OR (b OR (NOT c)))", "(((a) OR b) OR (NOT c))"),
    ],
)
def test_rewritten_definitions_are_equal(one: str, other: str) -> None:
    """What PostgreSQL writes otherwise after a restore is the same definition."""
    assert words_of(one) == words_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("(a = 'x (y)'::text)", "(a = 'x y'::text)"),
        ("(a > 1)", "(a >= 1)"),
        ("""("A" = 1)""", "(a = 1)"),
        ("(a AND b)", "(a OR b)"),
        ("(((t = 1) OR a) AND b)", "((t = 1) OR (a AND b))"),
        ("((a + b) * c)", "(a + (b * c))"),
        ("(NOT (a AND b))", "((NOT a) AND b)"),
        ("(SELECT x WHERE (a AND b)) AND c", "(SELECT x WHERE (a AND b AND c))"),
        ("(a)::integer", "(a)::numeric"),
        ("(a)::character varying(2)", "(a)::character varying(3)"),
        ("(a)::timestamp(3) with time zone", "a"),
        ("SELECT a AS x, b AS y", "SELECT a AS y, b AS x"),
        ("SELECT (a)::text AS x, (b)::text AS y", "SELECT (a)::text AS y, (b)::text AS x"),
        ("((a)::name)::text", "(a)::text"),
        ("(lower(a))::character varying", "lower(a)"),
        ("((a)::text = (b)::text)", "((a)::bpchar = b)"),
        ("((a)::character varying(3)[] = b)", "((a)::character varying[] = b)"),
        ("((a)::integer[] = b)", "((a)::numeric[] = b)"),
        (
            "('2024-01-01'::timestamp without time zone)::date",
            "'2024-01-01'::timestamp without time zone",
        ),
        ("(ARRAY['{a}'::text[]])", "(ARRAY['{a}'::text])"),
        ("f(a, b)", "f((a, b))"),
    ],
)
def test_changed_definitions_differ(one: str, other: str) -> None:
    """A changed word, operator or literal is another definition."""
    assert words_of(one) != words_of(other)


def test_moving_sequence_holds_between_its_ends() -> None:
    """A sequence that moved during the dump may stand anywhere between, and nowhere else."""
    facts = SequenceFacts(Position(1, is_called=False), Position(9, is_called=True))

    assert all(facts.holds(Position(value, is_called=True)) for value in (1, 5, 9))
    assert facts.holds(Position(1, is_called=False))
    assert not facts.holds(Position(10, is_called=True))
    assert not facts.holds(Position(5, is_called=False))


def test_lost_connection_ends_the_reading(shop: Callable[..., Target]) -> None:
    """A session that the server ends stops the reading: no half of a fingerprint comes out."""
    source = shop(15)
    with SnapshotReading(source, 2) as reading:
        with source.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(%s)", [reading.sessions[1].info.backend_pid]
            )
        time.sleep(0.1)
        with pytest.raises(psycopg.OperationalError):
            reading.read(quiet)
