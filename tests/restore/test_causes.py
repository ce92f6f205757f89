"""Errors of a restore by their cause: what follows from an earlier one is counted, not reported."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest

from restore_drill.backups.model import Backup
from restore_drill.backups.plaindump.contents import Reader
from restore_drill.backups.plaindump.lexer import PlainReader
from restore_drill.backups.read import read_contents
from restore_drill.restore import plain
from restore_drill.restore.consequences import by_cause, counted
from restore_drill.restore.model import Restoration
from tests.helpers.shop import Shops, pg_dump

SETTINGS = """
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
"""

FOLLOWING = {
    "extension": (
        """
CREATE EXTENSION no_such WITH SCHEMA public;
CREATE TABLE public.places (id integer, at public.geometry(Point,4326));
COPY public.places (id, at) FROM stdin;
1\t4711
\\.
CREATE INDEX places_idx ON public.places USING btree (public.st_area(at));
ALTER TABLE ONLY public.places ADD CONSTRAINT places_pkey PRIMARY KEY (id);
CREATE VIEW public.far AS SELECT id FROM public.places;
COMMENT ON EXTENSION no_such IS 'lost';
""",
        6,
    ),
    "schema": (
        """
CREATE SCHEMA billing AUTHORIZATION nobody_here;
CREATE TABLE billing.lines (id integer);
ALTER TABLE ONLY billing.lines ADD CONSTRAINT lines_pkey PRIMARY KEY (id);
""",
        2,
    ),
    "type": (
        """
CREATE TYPE public.mood AS ENUM ('calm', 'calm');
CREATE TABLE public."Odd Name" (id integer, mood public.mood);
COMMENT ON TABLE public."Odd Name" IS 'x';
""",
        2,
    ),
    "function": (
        """
CREATE FUNCTION public.twice(n integer) RETURNS integer LANGUAGE nothing AS 'x';
CREATE TABLE public.t (id integer);
CREATE INDEX t_idx ON public.t (public.twice(id));
""",
        1,
    ),
    "rows": (
        """
CREATE TABLE public.a (id integer PRIMARY KEY);
CREATE TABLE public.b (a integer);
COPY public.a (id) FROM stdin;
4711 in all
\\.
COPY public.b (a) FROM stdin;
4711
\\.
ALTER TABLE ONLY public.b ADD CONSTRAINT b_fkey FOREIGN KEY (a) REFERENCES public.a(id);
""",
        1,
    ),
    "key": (
        """
CREATE TABLE public.a (id integer);
CREATE TABLE public.b (a integer);
COPY public.a (id) FROM stdin;
4711
4711
\\.
ALTER TABLE ONLY public.a ADD CONSTRAINT a_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.b ADD CONSTRAINT b_fkey FOREIGN KEY (a) REFERENCES public.a(id);
""",
        1,
    ),
}
APART = """
CREATE VIEW public.first AS SELECT * FROM public.gone;
CREATE VIEW public.second AS SELECT * FROM public.lost;
CREATE TABLE public.t (id integer, CONSTRAINT c CHECK (id < 9));
COPY public.t (id) FROM stdin;
4711
\\.
"""
READERS = {
    "check": "CONSTRAINT c CHECK (public.is_known(r))",
    "domain": "known public.known_id",
    "generated": "g boolean GENERATED ALWAYS AS (public.must_be_known(r)) STORED",
}
READER = """
CREATE FUNCTION public.is_known(i integer) RETURNS boolean LANGUAGE sql STABLE
    AS $$ SELECT EXISTS (SELECT FROM public.zz_known WHERE id = i) $$;
CREATE FUNCTION public.must_be_known(i integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN IF NOT EXISTS (SELECT FROM public.zz_known WHERE id = i) THEN RAISE 'who is %?', i; END IF;
RETURN true; END $$;
CREATE DOMAIN public.known_id AS integer CONSTRAINT d CHECK (public.is_known(VALUE));
CREATE TABLE public.aa (r integer, {0});
CREATE TABLE public.zz_known (id integer);
COPY public.aa (r{1}) FROM stdin;
4711{2}
\\.
COPY public.zz_known (id) FROM stdin;
4711
\\.
"""


def test_archive_is_left_after_too_many_errors(
    shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An archive that is not read on after its errors is red, and its file is not blamed."""
    source = shops.database(15, f"causes_{secrets.token_hex(6)}")
    with source.connect() as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT n, repeat('x', 900) FROM generate_series(1, 9999) n"
        )
    path = tmp_path / "backup.dump"
    pg_dump(source, path, "--format=custom")
    backup = Backup(path, "custom", "", path.stat().st_size, datetime.now(UTC), "")
    contents = read_contents(backup, tmp_path, lambda _: None)
    monkeypatch.setattr(plain, "MAX_ERRORS", 1)

    done = plain.restore_plain(source, backup, contents, lambda _: None)

    assert [error.error.sqlstate for error in done.errors] == ["42P07"]


def restored(shops: Shops, folder: Path, text: str) -> Restoration:
    """Restoration of a dump that is no more than `text`, statement by statement."""
    path = folder / "dump.sql"
    path.write_text(SETTINGS + text)
    backup = Backup(path, "plain", "", path.stat().st_size, datetime.now(UTC), "")
    reader = Reader()
    with path.open("rb") as stream:
        reader.read(PlainReader(stream).events())
    target = shops.database(15, f"causes_{secrets.token_hex(6)}")
    done = plain.restore_plain(target, backup, reader.contents(), lambda _: None)
    assert "4711" not in str([error.lines() for error in done.errors])
    return done


@pytest.mark.parametrize("lost", FOLLOWING)
def test_what_follows_from_an_error_is_no_cause(shops: Shops, tmp_path: Path, lost: str) -> None:
    """What needs an object that could not be made counts with that object's error."""
    text, followers = FOLLOWING[lost]
    done = restored(shops, tmp_path, text)
    (found,) = by_cause(done)

    assert found.followers == followers == len(done.errors) - 1
    assert f"consequences: {followers} further error" in found.lines()[-1]
    assert counted([found]) == f"1 error (and {followers} more as a consequence)"


def test_errors_of_their_own_are_kept_apart(shops: Shops, tmp_path: Path) -> None:
    """Errors that share no cause are reported one by one."""
    found = by_cause(restored(shops, tmp_path, APART))

    assert [each.followers for each in found] == [0, 0, 0]
    assert counted(found) == "3 errors"


@pytest.mark.parametrize("way", READERS)
def test_reader_of_later_rows_is_named(shops: Shops, tmp_path: Path, way: str) -> None:
    """Rows that a function refuses because others come later are not called damaged."""
    more = (", known", "\t4711") if way == "domain" else ("", "")
    (error,) = restored(shops, tmp_path, READER.format(READERS[way], *more)).errors

    assert "reads another table, whose rows come later" in error.cause
    assert "reads public.zz_known" in error.cause
    assert "trigger or a foreign key" in error.remedy
