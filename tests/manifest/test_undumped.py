"""What a catalog holds and pg_dump does not write is no difference; what it writes is compared."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from fixtures.commands import main
from restore_drill.facts.snapshot import read_fingerprint
from restore_drill.manifest.compare import compare
from restore_drill.manifest.description import describe
from restore_drill.servers.embedded import EmbeddedServer
from tests.corpus.healthy import HEALTHY
from tests.corpus.judge import judge, read_backup, restore, settings_with
from tests.helpers.drills import run_drill
from tests.helpers.shop import SHOP, Shops, fill_shop, majors, pg_dump, quiet
from tests.manifest.test_options import SOURCE as OPTIONS

TABLES = """
CREATE ROLE undumped_reader NOLOGIN;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
CREATE EXTENSION hstore;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE kinds (kind int PRIMARY KEY);
CREATE TABLE base (id int PRIMARY KEY, amount numeric CONSTRAINT positive CHECK (amount > 0));
CREATE TABLE early () INHERITS (base);
ALTER TABLE base ADD CONSTRAINT small CHECK (amount < 99) NOT VALID;
CREATE TABLE late () INHERITS (base);
CREATE TABLE later () INHERITS (late);
ALTER TABLE ONLY base ALTER amount SET STORAGE external, ALTER amount SET COMPRESSION pglz;
CREATE TABLE parted (id int PRIMARY KEY, kind int CONSTRAINT of_kind REFERENCES kinds,
    note text CONSTRAINT short CHECK (length(note) < 99)) PARTITION BY RANGE (id);
ALTER TABLE parted ADD CONSTRAINT noted CHECK (note IS NOT NULL) NOT VALID;
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (200) PARTITION BY LIST (id);
CREATE TABLE parted_2_a PARTITION OF parted_2 DEFAULT;
CREATE TABLE pointing (id int REFERENCES parted (id));
CREATE INDEX parted_kind ON parted (kind, (length(note)));
CREATE TRIGGER touch BEFORE INSERT ON parted FOR EACH ROW EXECUTE FUNCTION touch();
CREATE CONSTRAINT TRIGGER deferred AFTER INSERT ON kinds DEFERRABLE
    FOR EACH ROW EXECUTE FUNCTION touch();
CREATE VIEW seen AS SELECT id, note FROM parted;
CREATE MATERIALIZED VIEW held AS SELECT id FROM parted;
CREATE TYPE pair AS (a int, b text);
CREATE TYPE span AS RANGE (subtype = int4, multirange_type_name = spans);
CREATE DOMAIN whole AS int CONSTRAINT above CHECK (VALUE > 0);
CREATE TABLE counted (id serial PRIMARY KEY, n int UNIQUE);
INSERT INTO kinds VALUES (1);
INSERT INTO late VALUES (1, 2);
INSERT INTO parted SELECT n, 1, 'n' FROM generate_series(1, 150) n;
INSERT INTO counted (n) SELECT n FROM generate_series(1, 30) n;
"""
UNDUMPED = """
COMMENT ON CONSTRAINT positive ON early IS 'inherited';
COMMENT ON CONSTRAINT of_kind ON parted_1 IS 'clone of a key';
COMMENT ON CONSTRAINT short ON parted_1 IS 'clone of a check';
COMMENT ON CONSTRAINT deferred ON kinds IS 'of a trigger';
COMMENT ON TRIGGER touch ON parted_1 IS 'clone';
COMMENT ON TRIGGER touch ON parted_2 IS 'clone';
COMMENT ON RULE "_RETURN" ON seen IS 'of a view';
COMMENT ON TYPE _span IS 'array';
COMMENT ON TYPE spans IS 'multirange';
COMMENT ON TYPE counted IS 'row';
COMMENT ON TYPE seen IS 'row of a view';
COMMENT ON FUNCTION span(int, int) IS 'constructor';
REVOKE USAGE ON TYPE counted FROM PUBLIC;
REVOKE EXECUTE ON FUNCTION span(int, int) FROM PUBLIC;
ALTER FUNCTION span(int, int) OWNER TO undumped_reader;
INSERT INTO pg_seclabel
    VALUES ('span(int, int)'::regprocedure, 'pg_proc'::regclass, 0, 'provider', 'label');
INSERT INTO pg_seclabel VALUES ('counted'::regtype, 'pg_type'::regclass, 0, 'provider', 'label');
"""
"""A source has these, and no dump of it."""

OF_A_SESSION = """
CREATE TEMP TABLE brief (id int PRIMARY KEY CONSTRAINT above CHECK (id > 0), note text);
COMMENT ON TABLE brief IS 'brief';
COMMENT ON COLUMN brief.note IS 'brief';
COMMENT ON INDEX brief_pkey IS 'brief';
COMMENT ON CONSTRAINT above ON brief IS 'brief';
GRANT SELECT (id) ON brief TO undumped_reader;
CREATE FUNCTION pg_temp.brief() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
COMMENT ON FUNCTION pg_temp.brief() IS 'brief';
CREATE TRIGGER brief BEFORE INSERT ON brief FOR EACH ROW EXECUTE FUNCTION pg_temp.brief();
COMMENT ON TRIGGER brief ON brief IS 'brief';
ALTER TABLE brief DISABLE TRIGGER brief;
CREATE RULE brief AS ON DELETE TO brief DO INSTEAD NOTHING;
COMMENT ON RULE brief ON brief IS 'brief';
ALTER TABLE brief ENABLE ROW LEVEL SECURITY;
CREATE POLICY brief ON brief USING (true);
COMMENT ON POLICY brief ON brief IS 'brief';
CREATE STATISTICS pg_temp.brief ON id, note FROM brief;
CREATE TYPE pg_temp.state AS ENUM ('a');
GRANT USAGE ON TYPE pg_temp.state TO undumped_reader;
COMMENT ON TYPE pg_temp.state IS 'brief';
CREATE TYPE pg_temp.span AS RANGE (subtype = int4);
CREATE DOMAIN pg_temp.whole AS int CONSTRAINT brief CHECK (VALUE > 0);
COMMENT ON CONSTRAINT brief ON DOMAIN pg_temp.whole IS 'brief';
CREATE TEMP TABLE halves (id int) PARTITION BY LIST (id);
CREATE TEMP TABLE half PARTITION OF halves DEFAULT;
CREATE OPERATOR pg_temp.=#= (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
CREATE OPERATOR CLASS pg_temp.brief FOR TYPE int USING btree AS OPERATOR 1 <;
CREATE COLLATION pg_temp.brief FROM "C";
CREATE AGGREGATE pg_temp.total(int) (sfunc = int4pl, stype = int);
CREATE TEXT SEARCH CONFIGURATION pg_temp.brief (COPY = english);
CREATE TEXT SEARCH DICTIONARY pg_temp.brief (TEMPLATE = simple);
CREATE CONVERSION pg_temp.brief FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
"""
"""A session has these while the backup is taken."""

DUMPED = """
COMMENT ON CONSTRAINT positive ON base IS 'told';
COMMENT ON CONSTRAINT of_kind ON parted IS 'told';
COMMENT ON CONSTRAINT parted_1_pkey ON parted_1 IS 'told';
COMMENT ON CONSTRAINT above ON DOMAIN whole IS 'told';
COMMENT ON CONSTRAINT counted_n_key ON counted IS 'told';
COMMENT ON TRIGGER touch ON parted IS 'told';
COMMENT ON TRIGGER deferred ON kinds IS 'told';
COMMENT ON INDEX parted_1_kind_length_idx IS 'told';
COMMENT ON COLUMN parted_1.note IS 'told';
COMMENT ON COLUMN seen.note IS 'told';
COMMENT ON COLUMN held.id IS 'told';
COMMENT ON COLUMN pair.a IS 'told';
COMMENT ON SEQUENCE counted_id_seq IS 'told';
COMMENT ON TYPE span IS 'told';
ALTER INDEX parted_kind ALTER COLUMN 2 SET STATISTICS 60;
ALTER INDEX parted_1_kind_length_idx ALTER COLUMN 2 SET STATISTICS 50;
ALTER TABLE parted_1 OWNER TO undumped_reader;
ALTER TABLE ONLY late ALTER amount SET STORAGE plain;
GRANT SELECT (note) ON parted_2_a TO undumped_reader;
GRANT SELECT (id) ON held TO undumped_reader;
GRANT SELECT (note) ON seen TO undumped_reader;
REVOKE USAGE ON TYPE pair FROM PUBLIC;
ALTER TABLE parted_1 DISABLE TRIGGER touch;
ALTER TRIGGER touch ON parted DEPENDS ON EXTENSION hstore;
ALTER FUNCTION touch() DEPENDS ON EXTENSION hstore;
ALTER MATERIALIZED VIEW held DEPENDS ON EXTENSION hstore;
ALTER INDEX parted_kind DEPENDS ON EXTENSION hstore;
"""
"""These are written; each but the dependences is compared."""
MINOR = (SHOP + OPTIONS + HEALTHY["comments"].script, HEALTHY["functions"].script)
"""Databases that are taken from one minor version to another."""


@pytest.mark.parametrize("major", majors(18))
def test_what_a_dump_does_not_hold_is_no_loss(
    major: int, shops: Shops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup of a source that holds both is green; the source without what is written differs."""
    source = shops.database(major, "undumped")
    fill_shop(source, TABLES)
    bare = read_fingerprint(source, 1, quiet)
    fill_shop(source, UNDUMPED)
    assert compare(bare, read_fingerprint(source, 1, quiet)).lines == []
    fill_shop(source, DUMPED)
    lines = "\n".join(compare(bare, read_fingerprint(source, 1, quiet)).lines)
    host, port = source.conninfo["host"].replace("/", "%2F"), source.conninfo["port"]
    url = f"postgresql://{source.conninfo['user']}@{host}:{port}/{source.conninfo['dbname']}"
    monkeypatch.setenv("DATABASE_URL", url)
    with source.connect() as session:
        session.execute(OF_A_SESSION)
        assert main(["backup", f"--output-dir={tmp_path}", "--name=undumped"]) == 0
    assert "pg_temp" not in (tmp_path / "undumped.dump.manifest.json").read_text()

    backup = f"--backup={tmp_path / 'undumped.dump'}"
    drill = run_drill(backup, "-k", "not redis", report_dir=tmp_path / "report")

    assert drill.code == 0, drill.output
    assert lines.count("comment on") == DUMPED.count("COMMENT ON")
    assert lines.count("grant on") == DUMPED.count("GRANT SELECT") + DUMPED.count("REVOKE USAGE")
    assert "owner of table public.parted_1 has changed" in lines
    assert "column public.late.amount has changed" in lines
    assert "column public.later.amount" not in lines
    assert "index public.parted_kind has changed" in lines
    assert "index public.parted_1_kind_length_idx has changed" in lines
    assert "special state of trigger public.parted_1.touch" in lines


def test_backup_of_another_minor_version_is_green(
    builds: tuple[EmbeddedServer, EmbeddedServer], tmp_path: Path
) -> None:
    """Options, comments, views and functions of one minor version are proved in another."""
    there, here = builds
    for number, script in enumerate(MINOR):
        source, copy = there.create_database(f"s{number}"), here.create_database(f"s{number}")
        fill_shop(source, script)
        was = read_fingerprint(source, 1, quiet)
        path = pg_dump(source, tmp_path / f"{number}.dump", "--format=custom")
        manifest = describe(
            source, path, was, form="custom", taken_at=datetime.now(UTC), server=source.version
        )
        facts = read_backup(path, tmp_path, settings_with()) | {"manifest": manifest}
        facts = restore(facts, copy)
        facts["comparison"] = compare(was, read_fingerprint(copy, 1, quiet))

        judged = judge(facts)

        assert judged.red == (), facts["comparison"].lines
        assert "test_schema_is_what_it_was" not in judged.unasked
