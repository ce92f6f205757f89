"""Backups with a manifest: taken under writes, and the drill finds every difference from it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest

from fixtures.commands import main
from restore_drill.core.errors import BackupFault
from restore_drill.facts.collect import read_facts
from restore_drill.facts.reading import Reading
from restore_drill.facts.recorded import Fingerprint, Position, SequenceFacts
from restore_drill.facts.schema.definition import words_of
from restore_drill.facts.session import open_session
from restore_drill.manifest.compare import compare
from restore_drill.manifest.drafts import YOUNG_SECONDS
from restore_drill.manifest.file import manifest_path, read_manifest
from restore_drill.manifest.fingerprint import read_fingerprint
from restore_drill.servers.model import Target
from tests.helpers.drills import CLEARED, ROOT, run_drill
from tests.helpers.shop import Shops, pg_dump, quiet, require_major

SECRET = "p@ss:w/rd#1"
IN_URL = "p%40ss%3Aw%2Frd%231"
ROLES = f"""
DO $$ BEGIN
    CREATE ROLE saver LOGIN SUPERUSER PASSWORD '{SECRET}';
    CREATE ROLE restricted LOGIN PASSWORD '{SECRET}';
EXCEPTION WHEN duplicate_object THEN END $$;
"""

DAMAGES = {
    "value": (
        "UPDATE public.purchases SET amount = amount + 1 WHERE id = 7",
        ["table public.purchases has its 60 rows, but other content in column amount"],
    ),
    "dropped and doubled": (
        """DELETE FROM billing.lines WHERE text = 'a';
        INSERT INTO billing.lines SELECT * FROM billing.lines WHERE text = 'b'""",
        ["table billing.lines has its 3 rows, but other content in columns Key, part, text"],
    ),
    "swapped": (
        """UPDATE public.events SET what = 'old' WHERE at = '2026-06-02';
        UPDATE public.events SET what = 'e' WHERE at = '2019-01-01'""",
        [
            "table public.events has its 11 rows, but their values stand in other rows",
            "table public.events_2026 has its 10 rows, but other content in column what",
            "table public.events_rest has its 1 row, but other content in column what",
        ],
    ),
    "dropped row": (
        "DELETE FROM public.cards WHERE id = 200",
        ["table public.cards has 199 rows, the source had 200: 1 missing"],
    ),
    "null and empty": (
        "UPDATE public.artists SET notes = NULL WHERE id = 3",
        ["table public.artists has its 20 rows, but other content in column notes"],
    ),
    "default": (
        "ALTER TABLE public.artists ALTER mood SET DEFAULT 'loud'",
        ["default of public.artists.mood has changed"],
    ),
    "type": (
        "ALTER TABLE billing.lines ALTER part TYPE bigint",
        ["column billing.lines.part has changed"],
    ),
    "index": (
        "DROP INDEX public.cards_title_idx",
        ["index public.cards_title_idx is missing"],
    ),
    "trigger": (
        "DROP TRIGGER cards_touch ON public.cards",
        ["trigger public.cards.cards_touch is missing"],
    ),
    "disabled trigger": (
        "ALTER TABLE public.cards DISABLE TRIGGER cards_touch",
        ["special state of trigger public.cards.cards_touch is new"],
    ),
    "grant": (
        "REVOKE SELECT ON public.cards FROM shop_reader",
        ["grant on table public.cards to shop_reader is missing"],
    ),
    "owner": (
        "ALTER TABLE public.purchases OWNER TO CURRENT_USER",
        [
            "owner of sequence public.purchases_id_seq has changed",
            "owner of table public.purchases has changed",
        ],
    ),
    "comment": (
        "COMMENT ON TABLE public.cards IS NULL",
        ["comment on table public.cards is missing"],
    ),
    "row security": (
        "ALTER TABLE public.artists DISABLE ROW LEVEL SECURITY",
        ["row security of public.artists is missing"],
    ),
    "policy": (
        "ALTER POLICY calm_only ON public.artists USING (mood = 'loud')",
        ["policy public.artists.calm_only has changed"],
    ),
    "function": (
        """CREATE OR REPLACE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN RETURN NEW; END'""",
        ["function public.touch() has changed"],
    ),
    "constraint": (
        "ALTER TABLE public.cards DROP CONSTRAINT cards_artist_id_fkey",
        ["constraint public.cards.cards_artist_id_fkey is missing"],
    ),
    "enum": (
        "ALTER TYPE public.mood ADD VALUE 'wild'",
        ["type public.mood has changed"],
    ),
    "view": (
        "DROP VIEW public.sold",
        [
            "column public.sold.amount is missing",
            "column public.sold.id is missing",
            "view public.sold is missing",
            "owner of view public.sold is missing",
        ],
    ),
    "partition": (
        "ALTER TABLE public.events DETACH PARTITION public.events_rest",
        [
            "table public.events has 10 rows, the source had 11: 1 missing",
            "partition public.events_rest is missing",
        ],
    ),
    "sequence": (
        "SELECT setval('public.cards_id_seq', 150)",
        ["sequence public.cards_id_seq stands at 150, the source's stood at 200"],
    ),
    "large object": (
        "SELECT lo_put((SELECT min(oid) FROM pg_largeobject_metadata), 2, 'XX')",
        ["1 large object with other content or other numbers"],
    ),
    "lost large object": (
        "SELECT lo_unlink(oid) FROM pg_largeobject_metadata",
        ["0 large objects, the source had 1: 1 missing"],
    ),
    "emptied view": (
        "TRUNCATE public.purchases CASCADE; REFRESH MATERIALIZED VIEW public.totals WITH NO DATA",
        [
            "table public.cards has 0 rows, the source had 200: 200 missing",
            "table public.purchases has 0 rows, the source had 60: 60 missing",
            "table public.totals is not there; the source had it with 1 row",
            "unpopulated state of public.totals is new",
        ],
    ),
}
"""By name: SQL that damages the shop, and what the comparison must say of it, all of it."""

GROUPS = {
    "rows": [
        "value", "dropped and doubled", "swapped", "dropped row", "null and empty", "sequence",
        "large object",
    ],
    "definitions": [
        "default", "type", "index", "trigger", "row security", "policy", "function", "constraint",
        "enum", "view",
    ],
    "rights": [
        "disabled trigger", "grant", "owner", "comment", "partition", "lost large object",
    ],
    "emptied": ["emptied view"],
}  # fmt: skip
"""Damages that do not touch each other, done to one copy."""

ODDITIES = """
CREATE SCHEMA odd;
CREATE TYPE odd.pair AS (a int, b text);
CREATE DOMAIN odd.short AS varchar(10) CHECK (VALUE IN ('a', 'b'));
CREATE TABLE odd.kinds AS SELECT
    77::oid AS o, '77'::xid AS x, '16/B374D848'::pg_lsn AS lsn, 'pg_class'::regclass AS class,
    'version'::regproc AS unstable, 'b'::"char" AS byte, '{"a" : 1.0}'::json AS json,
    '{"b": 1.10}'::jsonb AS jsonb, '(1.1,2)'::point AS point, 'a:1A b:2'::tsvector AS words,
    B'101'::bit(3) AS bits, 0.1::float4 AS f4, 0.1::float8 + 0.2 AS f8, 1.00 AS n,
    '12.5'::money AS money, '2024-03-31 02:30+02'::timestamptz AS at, '1 mon -3 days'::interval
        AS i, '[1,5)'::int4range AS r, '{[1,2)}'::int4multirange AS mr, '\\xdead'::bytea AS raw,
    ROW(1, NULL)::odd.pair AS pair, ARRAY['x', NULL] AS list, 'a'::odd.short AS short,
    ROW(NULL, NULL)::odd.pair AS nulls, 'ab'::char(5) AS padded;
CREATE TABLE odd.checked (
    status varchar(9) DEFAULT 'new' CHECK (status IN ('new', 'old')),
    amount numeric CHECK (amount BETWEEN 1 AND 9 AND amount <> 5)
);
CREATE INDEX ON odd.checked (amount) WHERE status IN ('new', 'old');
CREATE VIEW odd.seen AS SELECT status IN ('new', 'old') AS known FROM odd.checked
    WHERE EXISTS (SELECT 'x' UNION SELECT 'y');
CREATE FUNCTION odd.body(v varchar) RETURNS text LANGUAGE sql
    BEGIN ATOMIC SELECT 'x' WHERE v IN ('a', 'b'); END;
CREATE TABLE odd.parent (a int NOT NULL);
CREATE TABLE odd.child (z int) INHERITS (odd.parent);
ALTER TABLE odd.parent ADD COLUMN b text DEFAULT 'b';
INSERT INTO odd.child VALUES (1, 2), (3, 4);
CREATE TABLE odd.nothing ();
INSERT INTO odd.nothing DEFAULT VALUES;
ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner IN SCHEMA odd GRANT SELECT ON TABLES TO shop_reader;
CREATE PUBLICATION odd_news FOR TABLE odd.checked;
GRANT ALL ON odd.parent TO shop_reader WITH GRANT OPTION;
REVOKE EXECUTE ON FUNCTION odd.body FROM PUBLIC;
GRANT SELECT (z) ON odd.child TO shop_reader;
CREATE FUNCTION odd.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER odd_watch ON ddl_command_end EXECUTE FUNCTION odd.watch();
ALTER EVENT TRIGGER odd_watch DISABLE;
"""
"""What PostgreSQL writes otherwise after a restore, and values whose text depends on settings."""

OTHER_SETTINGS = (
    "datestyle = 'German, DMY'", "intervalstyle = 'sql_standard'", "timezone = 'Asia/Tokyo'",
    "extra_float_digits = -10", "bytea_output = 'escape'", "search_path = odd, public",
    "quote_all_identifiers = on", "standard_conforming_strings = off", "row_security = off",
    "xmlbinary = hex", "statement_timeout = '1h'", "default_transaction_read_only = on",
)  # fmt: skip


def url_of(target: Target, role: str = "saver") -> str:
    """DATABASE_URL of `target`, with a password that needs percent-encoding."""
    host = target.conninfo["host"].replace("/", "%2F")
    port, name = target.conninfo["port"], target.conninfo["dbname"]
    return f"postgresql://{role}:{IN_URL}@{host}:{port}/{name}"


def backup_process(
    target: Target, folder: Path, *options: str, role: str = "saver"
) -> subprocess.Popen[str]:
    """`python -m drill backup` of `target` into `folder`, running."""
    inherited = {key: value for key, value in os.environ.items() if key not in CLEARED}
    return subprocess.Popen(
        [sys.executable, "-m", "drill", "backup", f"--output-dir={folder}", *options],
        cwd=ROOT,
        env=inherited | {"DATABASE_URL": url_of(target, role)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip


def take(target: Target, folder: Path, *options: str) -> Path:
    """Path of a backup of `target` that was taken into `folder`."""
    process = backup_process(target, folder, *options)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert SECRET not in output and IN_URL not in output
    (manifest,) = folder.glob("*.manifest.json")
    return folder / manifest.name.removesuffix(".manifest.json")


@pytest.fixture
def shop(shops: Shops, request: pytest.FixtureRequest) -> Callable[..., Target]:
    """Function that makes a shop of this test's own on a server of a major version."""

    def make(major: int = 15, script: str = "") -> Target:
        shops.source(major)  # makes the roles
        target = shops.database(major, f"m{abs(hash((request.node.name, script))) % 10**9}")
        copy = shops.dump(major, "plain.sql").read_bytes()
        restore(target, copy)
        with target.connect() as connection:
            connection.execute(ROLES.encode())
            connection.execute(script.encode() or b"SELECT")
        return target

    return make


def restore(target: Target, script: bytes) -> None:
    """Restore a plain dump with psql."""
    subprocess.run(
        [target.binaries.tool("psql"), "-qX", "-v", "ON_ERROR_STOP=1"],
        env=target.tool_environment, input=script, check=True, capture_output=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def backup_of_shop(shops: Shops, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain backup of the shop with its manifest, not to be changed."""
    source = shops.source(15)
    with source.connect() as connection:
        connection.execute(ROLES.encode())
    return take(source, tmp_path_factory.mktemp("taken"), "--format=plain")


@pytest.fixture
def taken(backup_of_shop: Path, tmp_path: Path) -> Path:
    """A copy of the backup of the shop, with its manifest."""
    shutil.copytree(backup_of_shop.parent, tmp_path / "taken")
    return tmp_path / "taken" / backup_of_shop.name


def fingerprint(target: Target) -> Fingerprint:
    """What the database of `target` is."""
    return read_fingerprint(target, 2, quiet)


@contextmanager
def writes(target: Target) -> Iterator[list[int]]:
    """Insert, change and delete rows of the shop all the while; the list counts the rounds."""
    stop, rounds = threading.Event(), [0]

    def write() -> None:
        with target.connect() as connection:
            while not stop.is_set():
                connection.execute(
                    "INSERT INTO public.cards (title, artist_id) SELECT 'new', 1 FROM"
                    " generate_series(1, 50)"
                )
                connection.execute("UPDATE public.purchases SET amount = amount + 1")
                connection.execute("DELETE FROM public.events WHERE ctid IN ("
                                   "SELECT ctid FROM public.events LIMIT 1)")  # fmt: skip
                connection.execute("INSERT INTO public.events VALUES ('2026-05-05', 'new')")
                rounds[0] += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        while rounds[0] < 3:
            time.sleep(0.01)
        yield rounds
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    ("major", "options"),
    [
        (15, ()),
        (15, ("--format=plain", "--compress=gzip:1", "--name={database}_{time}")),
        (18, ("--format=directory", "--jobs=2")),
    ],
    ids=["custom", "plain", "directory"],
)
def test_backup_under_writes_drills_green(
    major: int,
    options: tuple[str, ...],
    shop: Callable[..., Target],
    tmp_path: Path,
    report_dir: Path,
) -> None:
    """A backup taken while the source is written to is proved equal to its snapshot."""
    source = shop(major)
    with writes(source) as rounds:
        begun = rounds[0]
        path = take(source, tmp_path / "backups", *options)
        written = rounds[0] - begun

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    assert written > 3
    assert drill.code == 0, drill.output
    assert (drill.result["basis"], drill.result["strength"]) == ("manifest", "proven")
    assert drill.result["backup"]["manifest"] == f"{path}.manifest.json"
    assert "Proven: content and schema equal the source's" in drill.output
    assert {"test_backup_matches_its_manifest", "test_backup_matches_its_checksum"} <= drill.ran
    assert {"test_schema_is_what_it_was", "test_table_has_its_content[public.cards]"} <= drill.ran
    manifest = read_manifest(manifest_path(path))
    assert (
        manifest.fingerprint.tables["public.cards"].rows
        == drill.result["tables"]["public.cards"]["rows"]
    )
    assert sorted(file.name for file in path.parent.iterdir()) == sorted(
        [path.name, f"{path.name}.sha256", f"{path.name}.manifest.json"]
    )


@pytest.fixture(scope="module")
def was(shops: Shops) -> Fingerprint:
    """What the shop is."""
    return fingerprint(shops.source(15))


@pytest.mark.parametrize("group", GROUPS)
def test_damages_are_named(group: str, was: Fingerprint, shop: Callable[..., Target]) -> None:
    """Each damage is named object by object, and nothing besides it."""
    damages = [DAMAGES[name] for name in GROUPS[group]]

    found = compare(was, fingerprint(shop(15, "; ".join(script for script, _ in damages))))

    assert sorted(found.lines) == sorted(line for _, lines in damages for line in lines)


def test_every_damage_is_tried() -> None:
    """No damage is forgotten."""
    assert sorted(DAMAGES) == sorted(name for names in GROUPS.values() for name in names)


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


@pytest.mark.parametrize("major", [15, 18])
def test_facts_hold_the_same_fingerprints(major: int, shop: Callable[..., Target]) -> None:
    """In the passes of a facts a database is what it is when it is read for its manifest."""
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


def test_changed_value_in_the_dump_is_found_by_the_manifest_alone(
    taken: Path, tmp_path: Path, report_dir: Path
) -> None:
    """One changed value turns the drill red with a manifest; without, it is green and plausible."""
    path = taken
    dump = path.read_bytes()
    assert dump.count(b"artist 11\t") == 1
    path.write_bytes(dump.replace(b"artist 11\t", b"artist 1x\t"))

    with_it = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)
    for beside in ("manifest.json", "sha256"):
        path.with_name(f"{path.name}.{beside}").unlink()
    without = run_drill(f"--backup={path}", "-k", "not redis", report_dir=tmp_path / "second")

    assert with_it.code == 1, with_it.output
    assert set(with_it.failed) >= {
        "test_backup_matches_its_checksum",
        "test_backup_matches_its_manifest",
        "test_table_has_its_content[public.artists]",
    }
    assert set(without.failed) == set()
    assert without.code == 0, without.output
    assert (without.result["basis"], without.result["strength"]) == ("criteria file", "plausible")
    assert "Plausible, not proven" in without.output
    assert "content and schema against the source" in str(without.result["not_checked"])


def test_proof_notices_every_damage_with_a_manifest(taken: Path, report_dir: Path) -> None:
    """`--prove` of a backup with a manifest: no damage is left that would not be noticed."""
    drill = run_drill(f"--backup={taken}", "--prove", "-k", "not redis", report_dir=report_dir)

    assert drill.code == 0, drill.output
    noticed = {each["damage"]: each["noticed_by"] for each in drill.result["proof"]}
    assert all(noticed.values()), noticed
    assert noticed["changed_value"] == ["test_table_has_its_content[public.cards]"]
    assert noticed["lost_large_object"][-1] == "test_large_objects_are_what_they_were"


def test_every_kind_of_loss_turns_the_drill_red(
    shop: Callable[..., Target], taken: Path, report_dir: Path
) -> None:
    """A dump of a damaged database beside the manifest of the whole one fails, in words."""
    path = taken
    lost = "; ".join(
        DAMAGES[name][0] for name in ("value", "dropped row", "index", "sequence", "large object")
    )
    path.unlink()
    pg_dump(shop(15, lost), path)

    drill = run_drill(f"--backup={path}", "-k", "not redis", report_dir=report_dir)

    told = drill.failed
    assert drill.code == 1, drill.output
    assert "other content in column amount" in told["test_table_has_its_content[public.purchases]"]
    rows = told["test_table_has_its_content[public.cards]"]
    assert "has 199 rows, the source had 200: 1 missing" in rows
    assert "the backup holds 199 rows of it" in rows
    assert "index public.cards_title_idx is missing" in told["test_schema_is_what_it_was"]
    assert "stands at 150" in told["test_sequences_stand_where_they_were"]
    assert "1 large object" in told["test_large_objects_are_what_they_were"]
    assert drill.result["strength"] is None
    texts = [file.read_text() for file in report_dir.iterdir() if file.is_file()]
    assert not any("artist 11" in text for text in (*texts, drill.output))


SPOILED: dict[str, tuple[Callable[[str], str], int, str]] = {
    "cut": (lambda text: text[: len(text) // 2], 1, "is damaged"),
    "newer": (lambda text: text.replace('"schema": 1', '"schema": 2', 1), 6, "newer restore-drill"),
}
"""By name: what happens to a manifest, the exit code of the drill, and words of its message."""


@pytest.mark.parametrize("name", SPOILED)
def test_bad_manifest_is_told(name: str, taken: Path, report_dir: Path) -> None:
    """A manifest that is damaged or newer than we are is told without a traceback."""
    change, code, words = SPOILED[name]
    manifest = manifest_path(taken)
    manifest.write_text(change(manifest.read_text()))

    drill = run_drill(f"--backup={taken}", "-k", "matches_its_manifest", report_dir=report_dir)

    assert drill.code == code, drill.output
    (check,) = drill.result["checks"]
    assert words in check["message"]
    assert "Traceback" not in drill.output


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"sequences"', '"others"'),
        ('"rows": 200', '"rows": "many"'),
        ('"sequences": {', '"sequences": {"x": 1, '),
        ('"taken_at": "2', '"taken_at": "x'),
        ("{", "["),
        ("{", "<html>"),
    ],
)
def test_damaged_manifest_is_never_a_traceback(old: str, new: str, taken: Path) -> None:
    """Whatever is wrong in a manifest, reading it ends in a fault that names it."""
    manifest = manifest_path(taken)
    text = manifest.read_text()
    assert old in text
    manifest.write_text(text.replace(old, new, 1))

    with pytest.raises(BackupFault, match="is damaged"):
        read_manifest(manifest)


def test_stale_matview_is_no_loss(shop: Callable[..., Target]) -> None:
    """A materialised view that was stale in the source is told as not compared, and is not red."""
    source = shop(15, "UPDATE public.purchases SET amount = amount + 1")
    before = fingerprint(source)
    with source.connect() as connection:
        connection.execute("REFRESH MATERIALIZED VIEW public.totals")

    found = compare(before, fingerprint(source))

    assert found.lines == []
    assert "content of materialized view public.totals" in str(found.not_compared)


def test_interrupted_backup_leaves_nothing(shop: Callable[..., Target], tmp_path: Path) -> None:
    """Ctrl-C while pg_dump writes leaves no file and no process; no argument holds the password."""
    source = shop(
        15, "CREATE TABLE big AS SELECT repeat(md5(n::text), 9) FROM generate_series(1, 150000) n"
    )
    process = backup_process(source, tmp_path, "--compress=gzip:9")
    me = psutil.Process(process.pid)
    while not any(file.stat().st_size for file in tmp_path.glob(".*.part/*.dump")):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)
    dumping = me.children()
    commands = [each.cmdline() for each in dumping]
    assert any("--format=custom" in command for command in commands)

    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)

    assert process.returncode == 2, output
    assert "no backup was left" in output
    assert list(tmp_path.iterdir()) == []
    assert not any(each.is_running() for each in dumping)
    assert not any(SECRET in word or IN_URL in word for words in commands for word in words)


def test_killed_backup_is_cleaned_up_by_the_next(
    shop: Callable[..., Target], tmp_path: Path
) -> None:
    """What a killed backup has left has no final name, and the next backup removes it."""
    source = shop(15)
    with source.connect() as connection, connection.transaction():
        connection.execute("LOCK TABLE public.cards IN ACCESS EXCLUSIVE MODE")
        process = backup_process(source, tmp_path)
        while not list(tmp_path.glob(".*.part")):
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.02)
        process.kill()
        process.communicate()
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".") and left.name.endswith(".part")
    old = time.time() - YOUNG_SECONDS - 1
    os.utime(left, (old, old))

    path = take(source, tmp_path)

    assert not left.exists()
    assert path.is_file()


def test_role_under_row_security_is_refused(shop: Callable[..., Target], tmp_path: Path) -> None:
    """A role that would dump a part of the rows is refused, with the table's name."""
    source = shop(15, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO restricted")
    process = backup_process(source, tmp_path, role="restricted")
    output, _ = process.communicate(timeout=30)

    assert process.returncode == 6, output
    assert "under row security on public.artists" in output
    assert "BYPASSRLS" in output
    assert list(tmp_path.iterdir()) == []


def test_role_that_may_not_read_is_told(shop: Callable[..., Target], tmp_path: Path) -> None:
    """A role without rights on the tables is told which way out there is."""
    source = shop(15, "ALTER TABLE public.artists DISABLE ROW LEVEL SECURITY")
    process = backup_process(source, tmp_path, role="restricted")
    output, _ = process.communicate(timeout=30)

    assert process.returncode == 6, output
    assert "permission denied" in output and "pg_read_all_data" in output
    assert "Traceback" not in output and SECRET not in output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--compress=brotli",), "--compress cannot be 'brotli'"),
        (("--compress=none:3",), "--compress cannot be 'none:3'"),
        (("--name=a/b",), "--name cannot be"),
        (("--name={host}",), "--name cannot be"),
        (("--formt=plain",), "unrecognized arguments"),
        (("--jobs=0",), "--jobs"),
    ],
)
def test_mistakes_are_usage_errors(
    options: tuple[str, ...],
    words: str,
    shops: Shops,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A wrong option ends with exit 4 and one line, before anything is touched."""
    monkeypatch.setenv("DATABASE_URL", url_of(shops.source(15)))

    code = main(["backup", f"--output-dir={tmp_path}", *options])

    assert code == 4
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (None, "DATABASE_URL is unset"),
        (f"postgresql://saver:{IN_URL}@127.0.0.1:1", "names no database"),
        (f"postgresql://saver:{IN_URL}@127.0.0.1:1/shop", "no connection to the database"),
    ],
)
def test_unusable_database_url_is_told(
    url: str | None,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without a usable DATABASE_URL the command says what is wrong with it, never the password."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    if url is not None:
        monkeypatch.setenv("DATABASE_URL", url)

    code = main(["backup", f"--output-dir={tmp_path}"])

    told = capsys.readouterr().err
    assert code == (6 if "connection" in words else 4)
    assert words in told
    assert SECRET not in told and IN_URL not in told


def test_backup_is_never_overwritten(shop: Callable[..., Target], tmp_path: Path) -> None:
    """A name that exists is refused, and what lies there stays."""
    source = shop(15)
    path = take(source, tmp_path, "--name=always")
    before = path.read_bytes()
    process = backup_process(source, tmp_path, "--name=always")
    output, _ = process.communicate(timeout=30)

    assert process.returncode == 6, output
    assert "exists and was not overwritten" in output
    assert path.read_bytes() == before


def stamp(age: float) -> str:
    """Time in a backup's name, `age` seconds ago."""
    return time.strftime("%Y%m%d_%H%M%S", time.gmtime(time.time() - age))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "((s)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
            "((s)::text = ANY (ARRAY[('a'::varchar)::text, ('b'::character varying)::text]))",
        ),
        ("(((a > 1) AND (a < 9)) AND (b = 2))", "((a > 1) AND (a < 9) AND (b = 2))"),
        (" SELECT 'x'::text\n", "SELECT 'x'::text AS text"),
        ("(a)::timestamp(3) with time zone", "a"),
        ("""(a)::"my schema"."my type"[]""", "a"),
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
    with Reading(lambda: open_session(source), 2) as reading:
        with source.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(%s)", [reading.sessions[1].info.backend_pid]
            )
        time.sleep(0.1)
        with pytest.raises(psycopg.OperationalError):
            reading.read(quiet)
